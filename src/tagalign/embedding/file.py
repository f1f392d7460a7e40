"""Files of embeddings that a user asked for: of sounds (`embed`) and of tags (`embed-tags`).

HDF5, beside the root attributes of every stage file:

``space``               attribute, ``"embedding"`` or ``"aligned_embedding"``
``system``              attribute, name of the model's system
``id``                  of each sound that could be read [shape=(n,)]
``embedding``           z_a, float32 [shape=(n, V)]: for classification; or
``aligned_embedding``   phi_a, float32 [shape=(n, W)]: for comparing sounds and tags
``failed/``             id and reason of each sound that could not be read

With an embedding per patch (``--timestamps``) the vectors have a row per patch, and beside them
lie ``row``, the row in ``id`` of its sound, and ``time``, where it begins in seconds.

A file of tags holds ``tags`` (ragged, as cleaned), ``aligned_embedding`` (phi_w) and, with
``--attention``, ``attention`` [shape=(sets, heads, T, T)]: of each head, from tag i to tag j,
0 beyond the tags of the set.

The same as npz: the arrays, ``model`` (SHA-256), ``failed_id`` and ``failed_reason``. As CSV:
a row per vector with id, time where there is one, and a column per value; beside it
``NAME.failed.csv`` if a sound could not be read.
"""

import csv
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.embedding.spaces import ALIGNED, EMBEDDING, SPACES, Embeddings
from tagalign.errors import InputError

FORMATS = (".h5", ".hdf5", ".npz", ".csv")


@dataclass
class SoundEmbeddings:
    """Embeddings of sounds.

    Attributes
    ----------
    ids
        Of the sounds that could be read.
    vectors
        Their vectors, which know their space [shape=(n, size)], float32; with times, a row
        per patch.
    failures
        (id, reason) of the others.
    rows, times
        Per row of `vectors` the index of its sound in `ids`, and where the patch begins in
        seconds; None where there is one vector per sound.
    """

    ids: list[str]
    vectors: Embeddings
    failures: list[tuple[str, str]]
    rows: np.ndarray | None = None
    times: np.ndarray | None = None


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
    with store.read(path, stage="embed") as file:
        space = str(file.attrs["space"])
        model = store.attributes(file)["inputs"]["model"]
        return SoundEmbeddings(
            store.read_strings(file["id"]),
            Embeddings(file[space][()], space, model),
            store.read_failures(file),
            file["row"][()] if "row" in file else None,
            file["time"][()] if "time" in file else None,
        )


def check_format(path: str | os.PathLike) -> None:
    """The suffix of an output says its format.

    Raises
    ------
    InputError
        It is another one.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the ending tells the format; give one of {', '.join(FORMATS)}")


@dataclass
class Writer:
    """Write embeddings of sounds that need not be in memory all at once.

    Attributes
    ----------
    ids, failures
        As in `SoundEmbeddings`.
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
            self._write_npz(path, model)
        else:
            with store.create(
                path, stage="embed", config=config, inputs={"model": model}, packages=packages
            ) as file:
                file.attrs["space"], file.attrs["system"] = self.space, system
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
        assert self.times is not None
        return np.concatenate([self.times(count) for count in self.counts])

    def _write_npz(self, path, model) -> None:
        arrays = {
            "id": np.array(self.ids),
            self.space: np.concatenate([vectors for _, vectors in self._parts()]),
            "model": np.array(store.digest(model)),
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
        with store.replacing(path) as part, open(part, "w", newline="") as text:
            table = csv.writer(text)
            table.writerow(header)
            for identifier, (_, vectors) in zip(self.ids, self._parts(), strict=True):
                times = self.times(len(vectors)).tolist() if self.times else [None]
                for time, vector in zip(times, vectors, strict=True):
                    # The shortest text that gives back the same float32.
                    values = [str(value) for value in vector]
                    table.writerow([identifier, *([time] if timed else []), *values])
        beside = path.with_suffix(".failed.csv")
        if self.failures or beside.exists():
            with store.replacing(beside) as part, open(part, "w", newline="") as text:
                csv.writer(text).writerows([("id", "reason"), *self.failures])


def write_tag_embeddings(
    path: str | os.PathLike,
    tags: Sequence[Sequence[str]],
    vectors: np.ndarray,
    *,
    model: str | os.PathLike,
    system: str,
    attention: np.ndarray | None = None,
) -> None:
    """Write a file of tags, as the top of this module says.

    Parameters
    ----------
    tags
        The cleaned tags of each set.
    vectors
        phi_w [shape=(sets, W)], float32.
    model, system
        The model file, and the name of its system.
    attention
        Weights [shape=(sets, heads, T, T)], float32.
    """
    with store.create(
        path, stage="embed-tags", config={}, inputs={"model": model}, packages=("torch",)
    ) as file:
        file.attrs["space"], file.attrs["system"] = ALIGNED, system
        store.write_ragged(file, "tags", tags)
        file[ALIGNED] = np.asarray(vectors)
        if attention is not None:
            file["attention"] = attention


def _read_npz(path: str | os.PathLike) -> SoundEmbeddings:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check its name") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable npz file ({error})") from None
    spaces = [space for space in SPACES if space in found]
    if len(spaces) != 1 or not {"id", "model", "failed_id", "failed_reason"} <= set(found):
        raise InputError(
            f"{path} holds {', '.join(found) or 'nothing'}; it needs id, model and one of"
            f" {EMBEDDING}, {ALIGNED}, as `tagalign embed` writes them"
        )
    failures = zip(found["failed_id"].tolist(), found["failed_reason"].tolist(), strict=True)
    return SoundEmbeddings(
        found["id"].tolist(),
        Embeddings(found[spaces[0]], spaces[0], str(found["model"])),
        list(failures),
        found.get("row"),
        found.get("time"),
    )
