"""One small file per shard, so that a new catalogue reruns only shards that changed."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.store.fields import StageFile, attribute, field


@dataclasses.dataclass(kw_only=True)
class Shard(StageFile, stage="catalogue", place="shards/SHARD.h5"):
    """The rows of one shard of the catalogue, with the columns on which its audio depends.

    Its bytes follow from these rows alone: neither tags and names nor the rest of the catalogue,
    its configuration or versions of packages are in it. A whole catalogue has these fields too.
    """

    shards: int | None = attribute("int64", "only in a whole catalogue", optional=True)
    id: list[str] = field("text", "N", "name of the sound in its source")
    shard: np.ndarray = field("int32", "N", "number of the shard")
    file: list[str] | None = field("text", "N", "as in the catalogue", optional=True)
    sha256: list[str] | None = field("text", "N", "as in the catalogue", optional=True)
    preview: list[str] | None = field("text", "N", "as in the catalogue", optional=True)
    md5: list[str] | None = field("text", "N", "as in the catalogue", optional=True)
    type: list[str] | None = field("text", "N", "as in the catalogue", optional=True)

    @classmethod
    def select(cls, path: str | os.PathLike, number: int) -> "Shard":
        """Read one shard from its file or from a whole catalogue; it may have no rows."""
        with cls.open(path) as file:
            rows = np.flatnonzero(file["shard"][()] == number)
            # One slice and a selection in memory: HDF5 is slow at picking rows.
            span, inside = slice(0), []
            if rows.size:
                span, inside = slice(rows[0], rows[-1] + 1), (rows - rows[0]).tolist()
            texts = {
                name: [values[row] for row in inside]
                for name, declared in cls.fields().items()
                if declared.dtype == "text" and name in file
                for values in [store.read_strings(file[name], span)]
            }
            shards = file.attrs.get("shards")
            return cls(shards=shards, shard=np.full(len(rows), number, np.int32), **texts)


def shard_path(directory: str | os.PathLike, shard: int) -> Path:
    """Where the file of a shard lies: ``directory/0007.h5``."""
    return Path(directory) / f"{shard:04d}.h5"


def write_shards(catalogue: str | os.PathLike, directory: str | os.PathLike) -> int:
    """Write the shard files of a catalogue into `directory`.

    Parameters
    ----------
    catalogue
        A file of stage ``catalogue``.
    directory
        Made if it is absent; shard files of an older catalogue are removed.

    Returns
    -------
    int
        Number of files. A shard that has lost its last sound has none.

    Raises
    ------
    InputError
        `catalogue` is missing or is not a catalogue.
    """
    directory = Path(directory)
    whole = Shard.read(catalogue)
    names = [name for name, declared in Shard.fields().items() if declared.dtype == "text"]
    columns = {
        name: np.array(values, object)
        for name in names
        if (values := getattr(whole, name)) is not None
    }
    directory.mkdir(parents=True, exist_ok=True)
    numbers, sizes = np.unique(whole.shard, return_counts=True)
    written = {shard_path(directory, shard) for shard in numbers}
    # By name, since other files of the user may lie there.
    for old in set(directory.glob("[0-9][0-9][0-9][0-9]*.h5")) - written:
        if old.stem.isdecimal():
            old.unlink()
    # Sorting once keeps this linear in the number of sounds, also for hundreds of shards.
    order = np.argsort(whole.shard, kind="stable")
    for number, rows in zip(numbers, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
        shard = np.full(len(rows), number, np.int32)
        texts = {name: values[rows].tolist() for name, values in columns.items()}
        Shard(shard=shard, **texts).write(shard_path(directory, number), versions=False)
    return len(numbers)
