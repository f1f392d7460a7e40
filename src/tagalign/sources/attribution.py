"""Credit the authors: who made each sound that was downloaded, and under which licence."""

import csv
import os
from collections.abc import Sequence

from tagalign import store
from tagalign.errors import InputError
from tagalign.sources.table import cell

COLUMNS = ("id", "name", "username", "license", "url")
CHUNK = 10_000  # rows of the catalogue in memory at once


def write_attribution(
    output: str | os.PathLike, catalogue: str | os.PathLike, shards: Sequence[str | os.PathLike]
) -> int:
    """Write a CSV with author, licence and URL of each sound of some shards.

    Parameters
    ----------
    output
        The CSV to write: columns id, name, username, license, url, in the catalogue's order.
    catalogue
        File of stage ``catalogue``.
    shards
        Files of stage ``audio``, or of stage ``patches`` where the audio is gone.

    Returns
    -------
    int
        Number of sounds.

    Raises
    ------
    InputError
        A sound of a shard is not in the catalogue, so that its author is not known.
    """
    used = set()
    for path in shards:
        with store.read(path) as file:
            used |= set(store.read_strings(file["id"]))
            if file.attrs["stage"] == "patches":  # these were downloaded, too
                used |= set(store.read_strings(file["failed/id"]))
    count = 0
    with (
        store.read(catalogue, stage="catalogue") as file,
        store.replacing(output) as part,
        open(part, "w", newline="", encoding="utf-8") as text,
    ):
        table = csv.writer(text)
        table.writerow(COLUMNS)
        for first in range(0, store.count_strings(file["id"]), CHUNK):
            rows = slice(first, first + CHUNK)
            columns = [store.read_strings(file[name], rows) for name in COLUMNS]
            for row in zip(*columns, strict=True):
                if row[0] in used:
                    table.writerow(map(cell, row))
                    count += 1
        if count < len(used):
            raise InputError(
                f"{len(used) - count} sounds of the shards are not in {catalogue}; make the shards"
                " again from this catalogue"
            )
    return count
