"""One small file per shard, so that a new catalogue reruns only shards that changed.

A shard file has the layout of the catalogue, with the rows of one shard and only the columns
on which its audio depends. Its bytes follow from these rows alone: neither tags and names nor
the rest of the catalogue, its configuration or versions of packages are in it.
"""

import os
from pathlib import Path

import numpy as np

from tagalign import store

AUDIO_COLUMNS = ("file", "sha256", "preview", "md5", "type")


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
        `catalogue` is missing or is no catalogue.
    """
    directory = Path(directory)
    with store.read(catalogue, stage="catalogue") as whole:
        shards = whole["shard"][()]
        names = ["id", *(name for name in AUDIO_COLUMNS if name in whole)]
        columns = {name: store.read_strings(whole[name]) for name in names}
    directory.mkdir(parents=True, exist_ok=True)
    numbers, sizes = np.unique(shards, return_counts=True)
    written = {shard_path(directory, shard) for shard in numbers}
    # By name, since other files of the user may lie there.
    for old in set(directory.glob("[0-9][0-9][0-9][0-9]*.h5")) - written:
        if old.stem.isdecimal():
            old.unlink()
    # Sorting once keeps this linear in the number of sounds, also for hundreds of shards.
    order = np.argsort(shards, kind="stable")
    for shard, rows in zip(numbers, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
        with store.replacing(shard_path(directory, shard)) as part, store.new_hdf5(part) as file:
            file.attrs["stage"] = "catalogue"
            file.attrs["format"] = store.FORMAT
            for attribute in ("config", "inputs", "versions"):
                file.attrs[attribute] = "{}"
            file["shard"] = np.full(len(rows), shard, np.int32)
            for name, values in columns.items():
                store.write_strings(file, name, [values[row] for row in rows])
    return len(numbers)
