"""Stage `catalogue`: list the sounds of the source and deal them into shards."""

import os
from collections.abc import Mapping

from tagalign.errors import ConfigError
from tagalign.sources import find_source
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.shards import write_shards


def run(
    output: str | os.PathLike,
    sections: Mapping,
    *,
    journal: str | os.PathLike | None = None,
    shards: str | os.PathLike | None = None,
    refresh: bool = False,
) -> tuple[int, list[tuple[str, str]]]:
    """Write the catalogue of a source.

    Parameters
    ----------
    output
        The file to write.
    sections
        Holds the resolved section ``source``.
    journal
        Directory that remembers the shard of each sound and what was fetched; Freesound needs it.
    shards
        Directory for a small file per shard, or None.
    refresh
        Walk through Freesound again although the walk is complete.

    Returns
    -------
    count : int
        Sounds in the catalogue.
    failed : list of (id, reason)
        Sounds that were left out.

    Raises
    ------
    ConfigError
        The source has no catalogue, or see the `write_catalogue` of its module.
    InputError, FreesoundError
        As these.
    """
    kind = sections["source"]["kind"]
    source = find_source(kind)
    if source.gives == "pairs":
        raise ConfigError(
            f"source.kind = {kind!r} has no catalogue: its files are training pairs already;"
            " run `tagalign coala` to make pairs.h5 from them"
        )
    source.load().write_catalogue(sections["source"], output, journal, refresh)
    if shards:
        write_shards(output, shards)
    ids, failed = Catalogue.read_fields(output, "id", "failed")
    return len(ids), failed
