"""Credit the authors: who made each sound that was downloaded, and under which licence."""

import csv
import os
from collections.abc import Sequence

from tagalign import store
from tagalign.audio.file import PatchShard
from tagalign.errors import InputError
from tagalign.freesound.file import AudioShard
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.table import cell

COLUMNS = ("id", "name", "username", "license", "url")


def run(
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
        used |= _downloaded(path)
    count = 0
    with (
        store.replacing(output) as part,
        open(part, "w", newline="", encoding="utf-8") as text,
    ):
        table = csv.writer(text)
        table.writerow(COLUMNS)
        for row in Catalogue.iterate(catalogue, *COLUMNS):
            if row[0] in used:
                table.writerow(map(cell, row))
                count += 1
        if count < len(used):
            raise InputError(
                f"{len(used) - count} sounds of the shards are not in {catalogue}; make the shards"
                " again from this catalogue"
            )
    return count


def _downloaded(path: str | os.PathLike) -> set[str]:
    """Ids of the sounds that were downloaded for a shard."""
    if store.stage_of(path) == "audio":
        return set(AudioShard.read_fields(path, "id")[0])
    ids, failed = PatchShard.read_fields(path, "id", "failed")
    return {*ids, *(identifier for identifier, _ in failed)}
