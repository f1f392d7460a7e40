"""The training file on the device: float16 patches, compact tag rows, batches drawn there."""

import dataclasses
import os

import numpy as np
import torch

from tagalign.errors import InputError
from tagalign.pairs.file import Pairs as StoredPairs
from tagalign.pairs.file import TrainingFile
from tagalign.pairs.scaling import Scaling
from tagalign.tags.vectors import WordVectors
from tagalign.tags.words import MoreWords


@dataclasses.dataclass
class Pairs:
    """Patches and tags of one part of the data.

    Attributes
    ----------
    ids
        The sounds.
    patches
        Scaled patches [shape=(N, n_mels, n_frames)], float16, on the device.
    tags
        All tags of each sound [shape=(N, T)], int16, on the device, filled up with C;
        T is `tags_per_sound` or more.
    groups
        Group of each sound, such as its recording; None where each is its own.
    """

    ids: list[str]
    patches: torch.Tensor
    tags: torch.Tensor
    groups: list[str] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The pairs at `index` (on the device): patches (n, 1, n_mels, n_frames) and tags."""
        patches = self.patches.index_select(0, index).float()[:, None]
        return patches, self.tags.index_select(0, index).long()


@dataclasses.dataclass
class TrainingData:
    """What a training file holds, ready to train on.

    Attributes
    ----------
    train, validation
        The two parts.
    vocabulary, scaling, front_end, cleaning, tags_per_sound, tag_order, more
        As in the model file; see `tagalign.model.file.Model`.
    """

    train: Pairs
    validation: Pairs
    vocabulary: list[str]
    scaling: Scaling
    front_end: dict
    cleaning: dict
    tags_per_sound: int
    tag_order: str
    more: MoreWords | None = None

    def to(self, device: torch.device) -> "TrainingData":
        """Move the pairs to a device, in place."""
        for pairs in (self.train, self.validation):
            pairs.patches, pairs.tags = pairs.patches.to(device), pairs.tags.to(device)
        return self


def read_pairs(path: str | os.PathLike) -> TrainingData:
    """Read a training file into memory.

    Raises
    ------
    InputError
        The file is missing, or of another stage.
    """
    file = TrainingFile.read(path)
    if len(file.vocabulary) > np.iinfo(np.int16).max:
        raise InputError(
            f"{path}: a vocabulary of {len(file.vocabulary)} tags is more than training can hold"
            f" ({np.iinfo(np.int16).max}); lower tags.vocabulary_size"
        )
    return TrainingData(
        train=_pairs(file.train, len(file.vocabulary), file.tags_per_sound),
        validation=_pairs(file.validation, len(file.vocabulary), file.tags_per_sound),
        vocabulary=file.vocabulary,
        scaling=file.scaling,
        front_end=file.front_end,
        cleaning=file.cleaning,
        tags_per_sound=file.tags_per_sound,
        tag_order=file.tag_order,
    )


def read_word_vectors(
    path: str | os.PathLike, vocabulary: list[str], width: int, pairs_path: str | os.PathLike
) -> torch.Tensor:
    """Read word vectors [shape=(C, width)] that belong to a vocabulary.

    Pretrained ones have a size of their own, and zeros for a tag without a vector.

    Raises
    ------
    InputError
        They are of another size or another vocabulary.
    """
    file = WordVectors.read(path, without=["more"])
    words, vectors = file.vocabulary, file.vectors
    trained = file.config.get("word2vec", {}).get("kind") != "pretrained"
    if trained and vectors.shape[1] != width:
        raise InputError(
            f"{path} holds word vectors of size {vectors.shape[1]}, but the system needs"
            f" {width}; make them with `tagalign word2vec --dimension {width}`"
        )
    if words != vocabulary:
        raise InputError(
            f"{path} and {pairs_path} have different vocabularies; make both from the same tags"
        )
    return torch.from_numpy(vectors)


def read_more_words(path: str | os.PathLike) -> MoreWords | None:
    """What the word model of a file of stage ``word2vec`` knows beyond the vocabulary."""
    return WordVectors.read(path).more


def without_wordless(data: TrainingData, vectors: torch.Tensor) -> tuple[TrainingData, int]:
    """Leave out the pairs of which no tag has a word vector, and count them.

    Parameters
    ----------
    data
        Pairs on the CPU.
    vectors
        Word vectors [shape=(C, F)], zeros for a tag without one.
    """
    there = torch.cat([vectors.any(1), torch.zeros(1, dtype=torch.bool)])
    if there[:-1].all():
        return data, 0
    parts, lost = [], 0
    for pairs in (data.train, data.validation):
        kept = there[pairs.tags.long()].any(1)
        lost += int((~kept).sum())
        ids = [name for name, keep in zip(pairs.ids, kept.tolist(), strict=True) if keep]
        parts.append(Pairs(ids, pairs.patches[kept], pairs.tags[kept]))
    return dataclasses.replace(data, train=parts[0], validation=parts[1]), lost


def _pairs(part: StoredPairs, padding: int, tags_per_sound: int) -> Pairs:
    lengths = np.array([len(row) for row in part.tags], np.int64)
    # No fewer columns than the model has when it embeds tags: empty places may count.
    columns = lengths.max(initial=tags_per_sound)
    tags = np.full((len(lengths), columns), padding, np.int16)
    for line, row in zip(tags, part.tags, strict=True):
        line[: len(row)] = row
    return Pairs(part.id, torch.from_numpy(part.patches), torch.from_numpy(tags), part.group)
