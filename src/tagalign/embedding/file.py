"""Files of embeddings that a user asked for: of sounds (`embed`) and of tags (`embed-tags`).

The classes say what the HDF5 files hold. Of embeddings of sounds there are two more formats:
npz, with the same arrays (``failed_id`` and ``failed_reason`` in place of ``failed``); and CSV, a
row per vector with id, time where there is one, and a column per value, beside it
``NAME.failed.csv`` if a sound could not be read.
"""

import csv
import dataclasses
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.embedding.spaces import ALIGNED, EMBEDDING, SPACES, Embeddings
from tagalign.errors import InputError
from tagalign.sources.table import cell
from tagalign.store.fields import StageFile, attribute, failures, field

FORMATS = (".h5", ".hdf5", ".npz", ".csv")
NEEDED = {"id", "system", "model", "failed_id", "failed_reason"}  # in an npz file


@dataclasses.dataclass(kw_only=True)
class SoundEmbeddings(StageFile, stage="embed", place="where `tagalign embed` is told to write"):
    """Embeddings of sounds: z_a or phi_a, one per sound, or one per patch with its time."""

    space: str = attribute("text", "`embedding` or `aligned_embedding`: which one is there")
    system: str = attribute("text", "name of the model's system")
    model: str = attribute("text", "SHA-256 of the model file")
    ids: list[str] = field("text", "N", "sounds that could be read", name="id")
    embedding: np.ndarray | None = field(
        "float32", "M V", "z_a, for classification; M = N unless there is `row`", optional=True
    )
    aligned_embedding: np.ndarray | None = field(
        "float32", "M W", "phi_a, for comparing sounds and tags", optional=True
    )
    rows: np.ndarray | None = field(
        "int64", "M", "index in `id` of the sound of each patch", name="row", optional=True
    )
    times: np.ndarray | None = field(
        "float64", "M", "where each patch begins", unit="s", name="time", optional=True
    )
    failed: list[tuple[str, str]] = failures("sounds that could not be read")

    @property
    def vectors(self) -> Embeddings:
        """The vectors, which know their space and model [shape=(M, size)]."""
        return Embeddings(getattr(self, self.space), self.space, self.model)


@dataclasses.dataclass(kw_only=True)
class TagEmbeddings(StageFile, stage="embed-tags", place="where `embed-tags` is told to write"):
    """Aligned embeddings of sets of tags: phi_w."""

    space: str = attribute("text", "`aligned_embedding`")
    system: str = attribute("text", "name of the model's system")
    model: str = attribute("text", "SHA-256 of the model file")
    tags: list[list[str]] = field("text", "N *", "the cleaned tags of each set")
    aligned_embedding: np.ndarray = field("float32", "N W", "phi_w, for comparing with phi_a")
    attention: np.ndarray | None = field(
        "float32", "N H T T", "weights of head h, from tag i to tag j; 0 beyond T", optional=True
    )


def read_embeddings(path: str | os.PathLike) -> SoundEmbeddings:
    """Read a file of `tagalign embed` (HDF5 or npz).

    Raises
    ------
    InputError
        The file is missing or holds something else.

    Examples
    --------
    >>> import tagalign
    >>> found = tagalign.read_embeddings("embeddings.h5")
    >>> found.ids, found.vectors.shape, found.vectors.space
    (['dog.wav', 'rain.wav'], (2, 1152), 'embedding')
    """
    if Path(path).suffix.lower() == ".npz":
        return _read_npz(path)
    return SoundEmbeddings.read(path)


def check_format(path: str | os.PathLike) -> None:
    """The suffix of an output says its format.

    Raises
    ------
    InputError
        It is another one.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the ending tells the format; give one of {', '.join(FORMATS)}")


@dataclasses.dataclass
class Writer:
    """Write embeddings of sounds that need not be in memory all at once.

    Attributes
    ----------
    ids, failures
        As `ids` and `failed` of `SoundEmbeddings`.
    vectors
        A function that gives the vectors of a sound [shape=(k, size)], float32.
    counts
        k of each sound.
    size
        Values of a vector.
    space
        What they are.
    times
        A function that gives the times of k patches in seconds; None for one vector per sound.
    """

    ids: Sequence[str]
    failures: Sequence[tuple[str, str]]
    vectors: Callable[[str], np.ndarray]
    counts: Sequence[int]
    size: int
    space: str
    times: Callable[[int], np.ndarray] | None = None

    def write(
        self,
        path: str | os.PathLike,
        *,
        system: str,
        config: Mapping,
        model: str | os.PathLike,
        packages: Sequence[str],
    ) -> None:
        """Write the format that the suffix of `path` says; see `tagalign.store.create`."""
        suffix = Path(path).suffix.lower()
        if suffix == ".csv":
            self._write_csv(Path(path))
        elif suffix == ".npz":
            self._write_npz(path, model, system)
        else:
            with SoundEmbeddings.create(
                path, config=config, inputs={"model": model}, packages=packages
            ) as file:
                file.attrs["space"], file.attrs["system"] = self.space, system
                file.attrs["model"] = store.digest(model)
                store.write_strings(file, "id", self.ids)
                shape = (sum(self.counts), self.size)
                target = file.create_dataset(self.space, shape, np.float32)
                for start, vectors in self._parts():
                    target[start : start + len(vectors)] = vectors
                if self.times is not None:
                    file["row"], file["time"] = self._rows(), self._times()
                store.write_failures(file, self.failures)

    def _parts(self) -> Iterator[tuple[int, np.ndarray]]:
        """First row and vectors of each sound."""
        start = 0
        for identifier, count in zip(self.ids, self.counts, strict=True):
            yield start, self.vectors(identifier)
            start += count

    def _rows(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.ids)), self.counts)

    def _times(self) -> np.ndarray:
        assert self.times is not None  # noqa: S101 - for mypy
        return np.concatenate([self.times(count) for count in self.counts])

    def _write_npz(self, path, model, system: str) -> None:
        arrays = {
            "id": np.array(self.ids),
            self.space: np.concatenate([vectors for _, vectors in self._parts()]),
            "model": np.array(store.digest(model)),
            "system": np.array(system),
            "failed_id": np.array([identifier for identifier, _ in self.failures], str),
            "failed_reason": np.array([reason for _, reason in self.failures], str),
        }
        if self.times is not None:
            arrays |= {"row": self._rows(), "time": self._times()}
        with store.replacing(path) as part, open(part, "wb") as file:
            np.savez(file, **arrays)

    def _write_csv(self, path: Path) -> None:
        timed = self.times is not None
        header = ["id", *(["time"] if timed else [])]
        header += [f"{self.space}_{index}" for index in range(self.size)]
        with (
            store.replacing(path) as part,
            open(part, "w", newline="", errors="surrogateescape") as text,
        ):
            table = csv.writer(text)
            table.writerow(header)
            for identifier, (_, vectors) in zip(self.ids, self._parts(), strict=True):
                times = self.times(len(vectors)).tolist() if self.times else [None]
                for time, vector in zip(times, vectors, strict=True):
                    # The shortest text that gives back the same float32.
                    values = [str(value) for value in vector]
                    table.writerow([cell(identifier), *([time] if timed else []), *values])
        beside = path.with_suffix(".failed.csv")
        if self.failures or beside.exists():
            with (
                store.replacing(beside) as part,
                open(part, "w", newline="", errors="surrogateescape") as text,
            ):
                rows = [("id", "reason"), *self.failures]
                csv.writer(text).writerows(map(cell, row) for row in rows)


def _read_npz(path: str | os.PathLike) -> SoundEmbeddings:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check its name") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable npz file ({error})") from None
    spaces = [space for space in SPACES if space in found]
    if len(spaces) != 1 or not set(found) >= NEEDED:
        raise InputError(
            f"{path} holds {', '.join(found) or 'nothing'}; it needs {', '.join(sorted(NEEDED))}"
            f" and {EMBEDDING} or {ALIGNED}, as `tagalign embed` writes them"
        )
    reasons = zip(found["failed_id"].tolist(), found["failed_reason"].tolist(), strict=True)
    return SoundEmbeddings(
        space=spaces[0],
        system=str(found["system"]),
        model=str(found["model"]),
        ids=found["id"].tolist(),
        rows=found.get("row"),
        times=found.get("time"),
        failed=list(reasons),
        **{spaces[0]: found[spaces[0]]},
    )
