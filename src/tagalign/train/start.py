"""Start a training from a trained model: its weights, its scaling, its vocabulary.

The vocabulary is kept, and tags that it lacks are dropped from the new sounds; or it is extended
by them. A new tag needs a word vector in the space of the model's own. The word vectors of the new
data lie in another space, and are mapped there by the scaled rotation that brings the tags that
both know nearest to each other (orthogonal Procrustes; Xing et al., NAACL 2015).
"""

import dataclasses
import os

import numpy as np
import torch

from tagalign.errors import InputError
from tagalign.model.file import Model, load_model
from tagalign.model.network import Network
from tagalign.model.systems import System
from tagalign.pairs.scaling import Scaling
from tagalign.train.data import Pairs, TrainingData, read_word_vectors

SHARED = 10  # tags that both word models must know
# Keys of the front end that training alone uses, or that choose a patch of a sound.
FREE = {"criterion", "step", "seed", "pad_to_seconds", "noise"}
SPELLING = ("lemmatizer", "letters_only", "stop_words", "minimum_length")


@dataclasses.dataclass
class Start:
    """What a training starts from.

    Attributes
    ----------
    model
        The trained model.
    data
        The pairs, with the model's scaling and the vocabulary to train.
    vectors
        Word vectors of this vocabulary [shape=(C, F_w)], or None for systems without.
    dropped
        How many sounds are left without a tag.
    """

    model: Model
    data: TrainingData
    vectors: torch.Tensor | None
    dropped: int

    def network(self) -> Network:
        """A network with the model's weights; parts that it lacks are random."""
        model, data = self.model, self.data
        size = (data.front_end["n_mels"], data.front_end["n_frames"])
        network = Network(model.system, model.settings, *size, len(data.vocabulary), self.vectors)
        network.load_state_dict(model.network.state_dict(), strict=False)
        return network

    def system(self, name: str | None) -> System:
        """The system to train: the model's own.

        Raises
        ------
        InputError
            `name` is another one.
        """
        system = self.model.system
        if name not in (None, system.name):
            raise InputError(
                f"the model to start from is of system {system.name}, not {name}; leave out"
                " --system"
            )
        if not system.losses:
            raise InputError(f"a model of system {system.name} is not trained at all")
        return system

    def summary(self) -> str:
        """A line for the log."""
        known, new = len(self.model.vocabulary), len(self.data.vocabulary)
        return (
            f"train: starting from a model of {known} tags, {new - known} new ones; {self.dropped}"
            " sounds left out, which have no tag of these"
        )


def start_from(
    path: str | os.PathLike,
    data: TrainingData,
    word2vec: str | os.PathLike | None,
    pairs_path: str | os.PathLike,
) -> Start:
    """Make pairs ready for the training of a model that was trained on others.

    Parameters
    ----------
    path
        The model file.
    data
        The pairs as they were read.
    word2vec
        Word vectors of the pairs' vocabulary, to extend the model's by it; None keeps it.
    pairs_path
        The training file, for messages.

    Raises
    ------
    InputError
        The pairs were made with another front end or spelling of tags than the model's, share
        no or too few tags with it, or the system cannot take new tags.
    """
    model = load_model(path)
    _check_fit(model, data, path, pairs_path)
    vocabulary, vectors = list(model.vocabulary), None
    if model.system.width is not None:
        vectors = model.network.tag_encoder.words.vectors
    if word2vec is not None:
        if vectors is None:
            raise InputError(
                f"a model of system {model.system.name} has a part for each tag and cannot take"
                " new ones; leave out --word2vec to keep its vocabulary"
            )
        known = set(vocabulary)
        new = [index for index, tag in enumerate(data.vocabulary) if tag not in known]
        theirs = read_word_vectors(word2vec, data.vocabulary, vectors.shape[1], pairs_path)
        mapped = _map(theirs, data.vocabulary, vectors, vocabulary, path)
        vocabulary += [data.vocabulary[index] for index in new]
        vectors = torch.cat([vectors, mapped[new]])
    rows = {tag: row for row, tag in enumerate(vocabulary)}
    lookup = np.array([rows.get(tag, -1) for tag in data.vocabulary] + [-1])
    adapted = [
        _adapt(part, lookup, model, data.scaling, len(vocabulary))
        for part in (data.train, data.validation)
    ]
    if not len(adapted[0]):
        raise InputError(f"no sound of {pairs_path} has a tag that {path} knows; give --word2vec")
    before = len(data.train) + len(data.validation)
    ready = dataclasses.replace(
        data,
        train=adapted[0],
        validation=adapted[1],
        vocabulary=vocabulary,
        scaling=model.scaling,
        front_end=model.front_end,
        cleaning=model.cleaning,
        tags_per_sound=model.tags_per_sound,
        tag_order=model.tag_order,
        more=model.more,
    )
    return Start(model, ready, vectors, before - sum(map(len, adapted)))


def _check_fit(model: Model, data: TrainingData, path, pairs_path) -> None:
    if model.network.audio_encoder is None or model.scaling is None:
        raise InputError(f"{path} has no audio encoder to start from")
    ours = data.front_end | {key: data.cleaning.get(key) for key in SPELLING}
    theirs = model.front_end | {key: model.cleaning.get(key) for key in SPELLING}
    for key in sorted(set(ours) & set(theirs) - FREE):
        if ours[key] != theirs[key]:
            section = "tags" if key in SPELLING else "patches"
            raise InputError(
                f"{pairs_path} was made with {section}.{key} = {ours[key]}, but {path} was trained"
                f" with {theirs[key]}; make the pairs again with the model's value"
            )


def _map(
    theirs: torch.Tensor, their_tags: list[str], ours: torch.Tensor, our_tags: list[str], path
) -> torch.Tensor:
    """Word vectors [shape=(n, F_w)] in the space of our own."""
    rows = {tag: row for row, tag in enumerate(our_tags)}
    shared = [(row, rows[tag]) for row, tag in enumerate(their_tags) if tag in rows]
    if len(shared) < SHARED:
        raise InputError(
            f"the vocabulary shares {len(shared)} tags with {path}, too few to bring new tags into"
            f" its space ({SHARED}); leave out --word2vec to keep its vocabulary"
        )
    source = theirs[[row for row, _ in shared]].double()
    target = ours[[row for _, row in shared]].double()
    left, strength, right = torch.linalg.svd(source.T @ target, full_matrices=False)
    scale = strength.sum() / source.square().sum()
    return (scale * theirs.double() @ (left @ right)).float()


def _adapt(pairs: Pairs, lookup: np.ndarray, model: Model, scaling: Scaling, size: int) -> Pairs:
    """Pairs with the model's scaling and the indices of its vocabulary, filled up with `size`."""
    kept, rows = [], []
    for number, tags in enumerate(pairs.tags.numpy()):
        found = [int(tag) for tag in lookup[tags] if tag >= 0]
        if found:
            kept.append(number)
            rows.append(sorted(found) if model.tag_order == "vocabulary" else found)
    columns = max([model.tags_per_sound, *map(len, rows)])
    tags = np.full((len(rows), columns), size, np.int16)
    for line, row in zip(tags, rows, strict=True):
        line[: len(row)] = row
    patches = pairs.patches[kept].numpy().astype(np.float32)
    log_mel = scaling.undo(patches)
    assert model.scaling is not None  # noqa: S101 - for mypy
    return Pairs(
        [pairs.ids[number] for number in kept],
        torch.from_numpy(model.scaling.apply(log_mel).astype(np.float16)),
        torch.from_numpy(tags),
    )
