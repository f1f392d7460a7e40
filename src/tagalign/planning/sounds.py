"""Whether the user's own sounds changed, without reading them all each time; how many there are."""

import functools
import os
from collections.abc import Mapping
from pathlib import Path

from tagalign import store
from tagalign.errors import TagalignError
from tagalign.planning.digests import digest_files, digest_tree
from tagalign.planning.layout import Layout
from tagalign.sources import find_source

PAPER_SOUNDS = 190_000
"""Sounds of the paper, assumed where nothing better is known."""


def digest_sounds(source: Mapping, memory: str | os.PathLike) -> str:
    """SHA-256 over the names and contents of the user's own sounds, as hexadecimal digits.

    Parameters
    ----------
    source
        The section `source` of the configuration, of a kind that gives files.
    memory
        As for `tagalign.planning.digests.digest_files`.

    Returns
    -------
    str
        Empty if the sounds cannot be listed or read; `write_catalogue` says why.
    """
    try:
        files = find_source(source["kind"]).load().list_files(source)
        return digest_tree(source[source["kind"]]["audio"], files, memory)
    except (TagalignError, OSError):
        return ""


@functools.cache
def sound_contents(layout: Layout) -> str | None:
    """Digest of the sounds of a run from files, None for another source.

    It is the same for the whole run, even if sounds are added meanwhile.
    """
    if layout.gives != "files":
        return None
    # Beside the journal, which outlives every output.
    return digest_sounds(layout.settings["source"], f"{layout.data}/journal/sha256.json")


@functools.cache
def published_contents(layout: Layout) -> list[str]:
    """Digests of the published files that are the user's own copies."""
    named = [layout.settings["source"]["coala"][part] for part in ("train", "validation")]
    own = [path for path in named if "://" not in path and Path(path).is_file()]
    known = digest_files(own, f"{layout.data}/journal/sha256.json")
    return [known[path] for path in own]


def known_sounds(layout: Layout) -> int:
    """Number of sounds: of the catalogue, else of the folder's table, else of the paper.

    Raises
    ------
    InputError
        The folder's table cannot be read.
    """
    if Path(layout.file("catalogue")).is_file():
        with store.read(layout.file("catalogue")) as file:
            return store.count_strings(file["id"])
    if layout.gives == "files":
        return find_source(layout.source).load().count_rows(layout.settings["source"])
    return PAPER_SOUNDS
