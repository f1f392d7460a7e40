"""The model file: everything that is needed to embed a sound or a set of tags."""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np
import torch

from tagalign import store
from tagalign.errors import InputError
from tagalign.model.arithmetic import Arithmetic
from tagalign.model.check import check_shapes, check_values
from tagalign.model.device import choose_device
from tagalign.model.layout import ModelFile
from tagalign.model.network import Network
from tagalign.model.systems import System
from tagalign.model.tags import AttentionTagEncoder
from tagalign.pairs.scaling import Scaling
from tagalign.store.fields import UNREADABLE
from tagalign.tags.words import MoreWords, WordModel

# Rows computed at once. Every batch is filled up to this size, so that the sums inside the
# matrix products run in the same order whatever else is embedded beside a sound.
BATCH = {"cpu": 16, "cuda": 256}


@dataclasses.dataclass
class Model:
    """A network with what it needs to embed sounds and tags.

    Attributes
    ----------
    system
        Row of the table of systems.
    network
        The parts of the system that there are.
    settings
        The configuration section ``model``.
    vocabulary
        The C tags, in the order of their indices.
    front_end, cleaning
        Sections ``patches`` and ``tags`` that made the training data; how sounds and tags
        must be prepared for this model.
    scaling
        Statistics of the training patches, or None without an audio encoder.
    tags_per_sound, tag_order
        How many tags a set uses, and which ones: the first ``"given"`` or the first by
        ``"vocabulary"`` index.
    history
        Metric -> its value after each epoch.
    kept
        Epoch -> weights after it, of the epochs of ``train.keep_epochs``.
    arithmetic
        What the training was computed with; None where there was none, or it is not known.
    more
        What the word model knows beyond the vocabulary, if anything.
    """

    system: System
    network: Network
    settings: dict
    vocabulary: list[str]
    front_end: dict
    cleaning: dict
    scaling: Scaling | None
    tags_per_sound: int
    tag_order: str = "given"
    history: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    kept: dict[int, dict[str, torch.Tensor]] = dataclasses.field(default_factory=dict)
    arithmetic: Arithmetic | None = None
    more: MoreWords | None = None

    def embed_patches(self, log_mel: np.ndarray) -> np.ndarray:
        """Embed patches with the audio encoder.

        Parameters
        ----------
        log_mel
            Unscaled log-mel frames [shape=(n, n_mels, n_frames)].

        Returns
        -------
        numpy.ndarray
            z_a [shape=(n, V)], float32; a row does not depend on the other rows.

        Raises
        ------
        InputError
            The model has no audio encoder, or the patches have another size.
        """
        size = (self.front_end.get("n_mels"), self.front_end.get("n_frames"))
        if self.network.audio_encoder is None or self.scaling is None:
            raise InputError(f"this model of system {self.system.name} has no audio encoder")
        if log_mel.ndim != 3 or log_mel.shape[1:] != size:
            raise InputError(
                f"patches of shape {log_mel.shape} do not fit a model of system"
                f" {self.system.name} made for (n, {size[0]}, {size[1]}); cut them with its own"
                " front end"
            )
        scaled = torch.from_numpy(self.scaling.apply(log_mel))[:, None]
        return self._in_batches(self.network.audio_encoder, scaled, 0.0)

    def embed_tags(self, tag_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Embed sets of tags with the tag encoder.

        Parameters
        ----------
        tag_sets
            Tags that the model knows (cleaned as `cleaning` says), per sound.

        Returns
        -------
        numpy.ndarray
            phi_w [shape=(n, W)], float32; a row does not depend on the other rows.

        Raises
        ------
        InputError
            The model has no tag encoder, a set is empty, or the model does not know a tag.
        """
        encoder = self.network.tag_encoder
        if encoder is None:
            raise InputError(f"this model of system {self.system.name} has no tag encoder")
        if self.words is None:
            indices = torch.from_numpy(self.tag_indices(tag_sets))
            return self._in_batches(encoder, indices, len(self.vocabulary))
        return self._with_words(encoder.encode_words, tag_sets)

    def project(self, embedding: np.ndarray) -> np.ndarray:
        """phi_a of z_a [shape=(n, V)] -> (n, W), to be compared with `embed_tags` by cosine.

        The map is linear, so that phi_a of a mean is the mean of phi_a.

        Raises
        ------
        InputError
            The system was trained without tags to compare with.
        """
        if self.network.projection is None:
            raise InputError(
                f"this model of system {self.system.name} has no map from audio to tags"
            )
        return self._in_batches(self.network.project, torch.from_numpy(embedding), 0.0)

    def attention(self, tag_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """How much each tag of a set attends to each other one.

        Parameters
        ----------
        tag_sets
            As for `embed_tags`.

        Returns
        -------
        numpy.ndarray
            Weights [shape=(n, H, T, T)], float32: of head h, from tag i to tag j of a set. The
            weights of a tag add up to 1; rows and columns beyond the set are 0.

        Raises
        ------
        InputError
            The tag encoder has no attention, a set is empty, or the model does not know a tag.
        """
        encoder = self.network.tag_encoder
        if not isinstance(encoder, AttentionTagEncoder):
            raise InputError(
                f"this model of system {self.system.name} has no attention; give a model of a"
                " system such as w2v-128-4h"
            )
        return self._with_words(encoder.attention, tag_sets)

    @functools.cached_property
    def words(self) -> WordModel | None:
        """What gives a word its vector; None for systems without word vectors."""
        found = getattr(self.network.tag_encoder, "words", None)
        if found is None:
            return None
        return WordModel(self.vocabulary, found.vectors.cpu().numpy(), self.more)

    @property
    def word_model(self) -> str:
        """Kind of its word model, as ``word2vec.kind`` names it; ``"none"`` where it has none."""
        if self.words is None:
            return "none"
        if self.more is None:
            return "word2vec"
        return "fasttext" if self.more.ngrams else "pretrained"

    def knows(self, tag: str) -> bool:
        """Whether a cleaned tag can be embedded.

        Of a word model that knows more than the vocabulary a word vector is enough.
        """
        if self.words is None or self.more is None:
            return tag in self._index
        return self.words.vector(tag) is not None

    @functools.cached_property
    def tags(self) -> list[str]:
        """The tags of the vocabulary that can be embedded: a word vector may be missing."""
        return [tag for tag in self.vocabulary if self.knows(tag)]

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {tag: number for number, tag in enumerate(self.vocabulary)}

    def used_tags(self, tags: Sequence[str]) -> list[str]:
        """The tags of a set that the tag encoder reads, in its order.

        COALA reads all tags at once, the others the first `tags_per_sound`.
        """
        found = list(dict.fromkeys(tags))
        if self.tag_order == "vocabulary":
            found.sort(key=lambda tag: self._index.get(tag, len(self._index)))
        return found[: self.tags_per_sound] if self.system.width is not None else found

    def _with_words(self, function, tag_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Rows of ``function(word vectors (n, T, F), present (n, T))`` of each set."""
        indices, extra = self._rows(tag_sets)
        words = self.network.tag_encoder.words
        table, present = words.padded, words.present
        if extra:
            assert self.words is not None  # noqa: S101 - for mypy
            vectors = np.stack([self.words.vector(tag) for tag in extra]).astype(np.float32)
            table = torch.cat([table, torch.from_numpy(vectors).to(table.device)])
            present = torch.cat([present, present.new_ones(len(extra))])
        return self._in_batches(
            lambda rows: function(table[rows], present[rows]),
            torch.from_numpy(indices),
            len(self.vocabulary),
        )

    def tag_indices(self, tag_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Vocabulary indices of tag sets, filled up with C [shape=(n, T)], int64.

        Raises
        ------
        InputError
            A set is empty or a tag is not in the vocabulary.
        """
        return self._rows(tag_sets, beyond=False)[0]

    def _rows(
        self, tag_sets: Sequence[Sequence[str]], beyond: bool = True
    ) -> tuple[np.ndarray, list[str]]:
        """`tag_indices`, with C + 1, C + 2, ... for tags beyond the vocabulary; and these tags."""
        index, rows, extra = self._index, [], {}
        for number, tags in enumerate(tag_sets):
            unknown = [
                tag for tag in tags if not (self.knows(tag) if beyond else tag in self._index)
            ]
            if unknown or not tags:
                what = f"tag {unknown[0]!r} is not in" if unknown else "no tag is in"
                raise InputError(
                    f"tag set {number}: {what} the vocabulary of this model"
                    f" ({len(index)} tags); leave it out or choose other tags"
                )
            used = self.used_tags(tags)
            for tag in used:
                if tag not in index:
                    extra.setdefault(tag, len(index) + 1 + len(extra))
            rows.append([index[tag] if tag in index else extra[tag] for tag in used])
        # A fixed number of columns, so that a set does not depend on its neighbours.
        limit = self.tags_per_sound if self.system.width is not None else None
        columns = limit or max(map(len, rows), default=1)
        indices = np.full((len(rows), columns), len(index), np.int64)
        for line, row in zip(indices, rows, strict=True):
            line[: len(row)] = row
        return indices, list(extra)

    def save(
        self,
        path: str | os.PathLike,
        *,
        stage: str,
        config: Mapping,
        inputs: Mapping[str, str | os.PathLike],
        seed: int | None = None,
    ) -> None:
        """Write the model file; see `tagalign.store.create` for the arguments."""
        words = getattr(self.network.tag_encoder, "words", None)
        arithmetic = self.arithmetic
        ModelFile(
            config=config,
            system=self.system.to_dict(),
            network=self.settings,
            front_end=self.front_end,
            cleaning=self.cleaning,
            tags_per_sound=self.tags_per_sound,
            tag_order=self.tag_order,
            vocabulary=self.vocabulary,
            scaling=self.scaling,
            word_vectors=None if words is None else words.vectors.cpu().numpy(),
            more=None if words is None else self.more,
            arithmetic=None if arithmetic is None else dataclasses.asdict(arithmetic),
            weights=_arrays(self.network.state_dict()),
            kept={str(epoch): _arrays(weights) for epoch, weights in self.kept.items()},
            history=self.history,
        ).write(path, stage=stage, inputs=inputs, seed=seed, packages=["torch"])

    def _in_batches(
        self, function: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor, filling: float
    ) -> np.ndarray:
        device = next(self.network.parameters()).device
        size = BATCH[device.type]
        self.network.eval()

        def compute(start: int) -> torch.Tensor:
            part = rows[start : start + size]
            batch = torch.full((size, *rows.shape[1:]), filling, dtype=rows.dtype)
            batch[: len(part)] = part
            with torch.inference_mode():
                return function(batch.to(device)).float().cpu()[: len(part)]

        starts = range(0, max(len(rows), 1), size)
        threads = min(torch.get_num_threads(), len(starts))
        if device.type != "cpu" or threads == 1:
            return torch.cat([compute(start) for start in starts]).numpy()
        # A thread for each batch, not many for one: batches are small, and threads that share one
        # wait for each other, the longer the busier the machine is, as decoders make it.
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            results = list(pool.map(compute, starts))
        torch.set_num_threads(torch.get_num_threads())  # what threads to come begin with
        return torch.cat(results).numpy()


def load_model(
    path: str | os.PathLike | BinaryIO, device: str = "cpu", epoch: int | None = None
) -> Model:
    """Read a model file.

    Parameters
    ----------
    path
        A file of stage ``train``, or an imported release; or its bytes, as a file object.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    epoch
        An earlier epoch that the file keeps, instead of the last.

    Raises
    ------
    InputError
        The file is missing, is not a model file, or does not keep the epoch.
    ConfigError
        The device is unavailable.
    """
    if isinstance(path, str | os.PathLike) and Path(path).is_file() and not h5py.is_hdf5(path):
        raise InputError(
            f"{path} is not a model (not even HDF5); give a file made by `tagalign train` or"
            " `tagalign import-release`"
        )
    stage = store.stage_of(path)
    if stage not in ModelFile.stages:
        raise InputError(
            f"{path} holds no model (stage {stage!r}); give a file made by `tagalign train` or"
            " `tagalign import-release`"
        )
    file = ModelFile.read(path)
    try:
        model = _build(file)
    except (InputError, *UNREADABLE) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path} is not a usable model ({reason}); get it again from where it came"
        ) from None
    if epoch is not None:
        if epoch not in model.kept:
            kept = ", ".join(map(str, sorted(model.kept))) or "none"
            raise InputError(
                f"{path} does not keep epoch {epoch} (kept: {kept}); add it to train.keep_epochs"
                " and train again"
            )
        model.network.load_state_dict(model.kept[epoch])
    model.network.to(choose_device(device)).eval().requires_grad_(False)
    return model


def _build(file: ModelFile) -> Model:
    check_values(file)
    system = System.from_dict(file.system)
    state = _tensors(file.weights)
    parts = {name.split(".")[0] for name in state}
    if system.tag_encoder is not None and file.word_vectors is not None:
        parts.add("tag_encoder")  # It may have no weights but the word vectors.
    size = (file.front_end.get("n_mels", 96), file.front_end.get("n_frames", 96))
    check_shapes(system, file, size, parts)
    network = Network(
        system,
        file.network,
        *size,
        len(file.vocabulary),
        None if file.word_vectors is None else torch.from_numpy(file.word_vectors),
        parts,
    )
    network.load_state_dict(state)
    return Model(
        system=system,
        network=network,
        settings=file.network,
        vocabulary=file.vocabulary,
        front_end=file.front_end,
        cleaning=file.cleaning,
        scaling=file.scaling,
        tags_per_sound=file.tags_per_sound,
        tag_order=file.tag_order,
        history=file.history,
        kept={int(epoch): _tensors(weights) for epoch, weights in file.kept.items()},
        arithmetic=None if file.arithmetic is None else Arithmetic(**file.arithmetic),
        more=file.more,
    )


def _arrays(weights: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().numpy() for name, tensor in weights.items()}


def _tensors(weights: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values) for name, values in weights.items()}
