"""Stage `dataset`: have the files of a task's data set, and know that they are the right ones.

A set that the configuration names is listed where it is and never written to. Another one is
downloaded and unpacked below the download directory. Either way the protocol checks counts
and names, and the stage file lists every clip with the SHA-256 of its sound.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tagalign import store
from tagalign.download.file import download
from tagalign.download.unpack import unpack, unpacked_hash
from tagalign.environment import lock
from tagalign.errors import InputError
from tagalign.progress import Progress
from tagalign.tasks.files import data_directory, is_own
from tagalign.tasks.protocol import Listing, Task


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
    with store.create(output, stage="dataset", config=sections) as file:
        file.attrs["task"] = task.name
        file.attrs["archives"] = store.canonical(hashes)
        for name in ("clip_id", "file", "label", "freesound_id"):
            store.write_strings(file, name, [getattr(clip, name) for clip in clips])
        file["fold"] = [clip.fold for clip in clips]
        sums = []
        with Progress(f"{task.name}: hash", len(clips), unit="clips") as progress:
            for clip in clips:
                sums.append(store.digest(listing.root / clip.file) if clip.file else "")
                progress.update()
        store.write_strings(file, "sha256", sums)
        if task.from_tags:
            store.write_ragged(file, "tags", [clip.tags for clip in clips])
        store.write_strings(file, "extra", listing.extra)
        store.write_failures(file, listing.failures)


def check_same(task: Task, listing: Listing, dataset: str | os.PathLike) -> None:
    """The clips found must be those of the dataset file.

    Raises
    ------
    InputError
        They are others: files were changed after the dataset file was made.
    """
    with store.read(dataset, stage="dataset") as file:
        same = file.attrs["task"] == task.name
        for name in ("clip_id", "file", "label") if same else ():
            found = [getattr(clip, name) for clip in listing.clips]
            same = same and store.read_strings(file[name]) == found
    if not same:
        raise InputError(
            f"{dataset} lists other clips of {task.name} than there are now below {listing.root};"
            " run `tagalign dataset` again"
        )
