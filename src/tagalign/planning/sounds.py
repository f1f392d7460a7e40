"""Whether the sounds of a folder changed, without reading them all each time."""

import os
from collections.abc import Mapping

from tagalign.errors import TagalignError
from tagalign.planning.digests import digest_tree
from tagalign.sources.folder import read_folder


def digest_sounds(source: Mapping, memory: str | os.PathLike) -> str:
    """SHA-256 over the names and contents of the sounds of a folder, as hexadecimal digits.

    Parameters
    ----------
    source
        The section `source` of the configuration, of kind ``folder``.
    memory
        As for `tagalign.planning.digests.digest_files`.

    Returns
    -------
    str
        Empty if the sounds cannot be listed or read; `write_folder` says why.
    """
    try:
        files = [sound.file for sound in read_folder(source)[0] if sound.file]
        return digest_tree(source["folder"]["audio"], files, memory)
    except (TagalignError, OSError):
        return ""
