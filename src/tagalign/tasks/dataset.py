"""Stage `dataset`: have the files of a task's data set, and know that they are the right ones.

A set that the configuration names is listed where it is and never written to. Another one is
downloaded and unpacked below the download directory. Either way the protocol checks counts
and names, and the stage file lists every clip with the SHA-256 of its sound.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.download.file import download
from tagalign.download.unpack import unpack, unpacked_hash
from tagalign.environment import lock
from tagalign.errors import InputError
from tagalign.progress import Progress
from tagalign.tasks import find_task
from tagalign.tasks.files import data_directory, is_own
from tagalign.tasks.protocol import Listing, Task
from tagalign.tasks.stage_files import Dataset


def run(name: str, sections: dict, output: str | os.PathLike, *, downloads: Path) -> Listing:
    """Have the data set of a task and write the list of its clips.

    Parameters
    ----------
    name
        The task.
    sections
        The section ``datasets.<task>``.
    output
        The file to write, see `Dataset`.
    downloads
        Directory of the downloaded data sets.

    Raises
    ------
    InputError
        The data set is unavailable, or is not as published.
    """
    task = find_task(name)
    settings = sections[f"datasets.{name}"]
    hashes = fetch(task, settings, downloads)
    listing = read_listing(task, settings, downloads)
    write_dataset(output, task, listing, hashes, sections)
    return listing


def fetch(task: Task, settings: dict, downloads: Path) -> dict[str, str]:
    """Download and unpack a task's data set unless the configuration names the user's own.

    Returns
    -------
    dict
        Archive -> SHA-256; empty for the user's own data.
    """
    if is_own(settings):
        return {}
    hashes = {}
    target = downloads / task.dataset
    with _alone(target):
        for archive in task.archives:
            path = target / archive.file
            done = unpacked_hash(path, target)
            if done and not path.exists():
                hashes[archive.file] = done  # deleted to save room; its content is here
                continue
            url, md5 = settings[archive.url_key], settings.get(archive.md5_key)
            hashes[archive.file] = download(url, path, md5)
            unpack(
                path,
                target,
                sha256=hashes[archive.file],
                limit=archive.limit,
                wanted=archive.wanted and archive.wanted(settings),
            )
    return hashes


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait for others that fetch the same set: two tasks may share one."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = open(directory / ".lock", "w")  # noqa: SIM115
    except OSError as error:
        raise InputError(
            f"cannot make {directory} for the downloads: {error.strerror}; name another directory"
            " or make it writable"
        ) from None
    with file:
        lock(file, wait=True)
        yield


def read_listing(task: Task, settings: dict, downloads: Path) -> Listing:
    """List a task's clips and check them against the published counts and names."""
    return task.read(data_directory(task, settings, downloads), settings)


def write_dataset(
    output: str | os.PathLike,
    task: Task,
    listing: Listing,
    hashes: dict[str, str],
    sections: dict,
) -> None:
    """Write the list of a task's clips with the hashes of their sounds, and of the archives."""
    clips = listing.clips
    sums = []
    with Progress(f"{task.name}: hash", len(clips), unit="clips") as progress:
        for clip in clips:
            sums.append(store.digest(listing.root / clip.file) if clip.file else "")
            progress.update()
    Dataset(
        config=sections,
        task=task.name,
        archives=hashes,
        clip_id=[clip.clip_id for clip in clips],
        file=[clip.file for clip in clips],
        labels=[list(clip.labels) for clip in clips],
        fold=np.array([clip.fold for clip in clips]),
        freesound_id=[clip.freesound_id for clip in clips],
        sha256=sums,
        tags=[list(clip.tags) for clip in clips] if task.from_tags else None,
        extra=listing.extra,
        failed=listing.failures,
    ).write(output)


def check_same(task: Task, listing: Listing, dataset: str | os.PathLike) -> None:
    """The clips found must be those of the dataset file.

    Raises
    ------
    InputError
        They are others: files were changed after the dataset file was made.
    """
    task_name, clip_ids, files, labels = Dataset.read_fields(
        dataset, "task", "clip_id", "file", "labels"
    )
    listed = list(zip(clip_ids, files, map(tuple, labels), strict=True))
    found = [(clip.clip_id, clip.file, clip.labels) for clip in listing.clips]
    if task_name != task.name or listed != found:
        raise InputError(
            f"{dataset} lists other clips of {task.name} than there are now below {listing.root};"
            " run `tagalign dataset` again"
        )
