"""Whether the sounds of a user's own data set changed, without reading them all each time."""

import functools
import os
from collections.abc import Mapping
from pathlib import Path

from tagalign.errors import TagalignError
from tagalign.planning.digests import digest_tree
from tagalign.planning.layout import DATASETS, Layout
from tagalign.tasks import find_task
from tagalign.tasks.dataset import read_listing
from tagalign.tasks.files import is_own
from tagalign.tasks.protocol import Task


def digest_clips(task: Task, settings: Mapping, memory: str | os.PathLike) -> str:
    """SHA-256 over the names and contents of a task's clips, as hexadecimal digits.

    Parameters
    ----------
    task, settings
        The task and its section of the configuration.
    memory
        As for `tagalign.planning.digests.digest_files`.

    Returns
    -------
    str
        Empty for a set that is downloaded, since only its stage writes there; and if the
        clips cannot be listed or read, since its stage says why.
    """
    if not is_own(settings):
        return ""
    try:
        listing = read_listing(task, settings, Path())
        files = [clip.file for clip in listing.clips if clip.file]
        return digest_tree(listing.root, files, memory)
    except (TagalignError, OSError):
        return ""


@functools.cache
def task_contents(layout: Layout, task: str) -> str:
    """Digest of the clips of a task that is the user's own; the same for the whole run."""
    memory = f"{DATASETS}/{task}.sha256.json"
    return digest_clips(find_task(task), layout.settings["datasets"][task], memory)
