"""Stage `task`: cut the clips of a task into patches and compute their MFCC statistics.

The file covers every clip of the listing. A clip that cannot be decoded has no patch, and
``failed/`` gives its reason; it stays among the clips, so that no score can lose it silently.
"""

import functools
import os
from pathlib import Path

import h5py
import numpy as np

from tagalign import store
from tagalign.audio.clips import cut_patches
from tagalign.audio.decode import audio_packages, decode, reason_of
from tagalign.audio.mfcc import mfcc_statistics
from tagalign.errors import InputError
from tagalign.parallel import ordered_map
from tagalign.progress import Progress
from tagalign.tasks import find_task
from tagalign.tasks.dataset import check_same, read_listing
from tagalign.tasks.protocol import Listing, Task
from tagalign.tasks.stage_files import N_MFCC_STATISTICS, TaskClips


def run(
    name: str,
    sections: dict,
    output: str | os.PathLike,
    *,
    downloads: Path,
    dataset: str | os.PathLike | None = None,
    jobs: int = 1,
) -> list[tuple[str, str]]:
    """Make the file of a task from its data set.

    Parameters
    ----------
    name
        The task.
    sections
        The sections ``datasets.<task>``, ``patches`` and ``clips``.
    output
        The file to write, see `TaskClips`.
    downloads
        Directory of the downloaded data sets.
    dataset
        File of stage `dataset`, whose clips must be those that are found.
    jobs : int > 0
        Processes; the content does not depend on it.

    Returns
    -------
    list of (clip id, reason)
        The clips that could not be used.

    Raises
    ------
    InputError
        The data set is not as published, its clips are not those of `dataset`, or no clip at all
        could be used.
    """
    task = find_task(name)
    listing = read_listing(task, sections[f"datasets.{name}"], downloads)
    inputs = {}
    if dataset is not None:
        check_same(task, listing, dataset)
        inputs["dataset"] = dataset
    return write_task(output, task, listing, sections, inputs=inputs, jobs=jobs)


def write_task(
    output: str | os.PathLike,
    task: Task,
    listing: Listing,
    sections: dict,
    *,
    inputs: dict | None = None,
    jobs: int = 1,
) -> list[tuple[str, str]]:
    """Write the stage file of a task.

    Parameters
    ----------
    output
        The file to write.
    task, listing
        The task and its clips.
    sections
        The sections ``datasets.<task>``, ``patches`` and ``clips``.
    inputs
        Role -> path of the files that the listing was made from.
    jobs : int > 0
        Processes; the content does not depend on it.

    Returns
    -------
    list of (clip id, reason)
        The clips that could not be used.

    Raises
    ------
    InputError
        No clip at all could be used.
    """
    packages = () if task.from_tags else audio_packages(sections["patches"]["resampler"])
    with TaskClips.create(output, config=sections, inputs=inputs, packages=packages) as file:
        _write_clips(file, task, listing)
        if task.from_tags:
            store.write_ragged(file, "tags", [clip.tags for clip in listing.clips])
            failures = [(clip.clip_id, "no tags") for clip in listing.clips if not clip.tags]
        else:
            file.attrs["front_end"] = store.canonical(sections["patches"])
            failures = _write_sound(file, task, listing, sections, jobs)
        if len(failures) == len(listing.clips):
            raise InputError(
                f"{task.name}: none of {len(failures)} clips below {listing.root} could be used;"
                f" the first, {failures[0][0]}: {failures[0][1]}"
            )
        store.write_failures(file, [*listing.failures, *failures])
    return failures


def _write_clips(file: h5py.File, task: Task, listing: Listing) -> None:
    clips = listing.clips
    file.attrs["task"] = task.name
    file.attrs["title"] = listing.title or task.title
    file.attrs["split"] = "fixed" if listing.fixed_split else "folds"
    file.attrs["tested_folds"] = np.array(listing.tested_folds, np.int32)
    file.attrs["multi_label"] = np.bool_(listing.multi_label)
    file.attrs["unscored"] = task.unscored
    store.write_strings(file, "clip_id", [clip.clip_id for clip in clips])
    store.write_strings(file, "freesound_id", [clip.freesound_id for clip in clips])
    store.write_strings(file, "group", [clip.group for clip in clips])
    store.write_strings(file, "classes", listing.classes)
    file["labels"] = listing.label_matrix()
    file["fold"] = np.array([clip.fold for clip in clips], np.int32)


def _write_sound(file, task, listing, sections, jobs) -> list[tuple[str, str]]:
    front_end, cutting = sections["patches"], sections["clips"]
    shape = (front_end["n_mels"], front_end["n_frames"])
    group = file.create_group("patches")
    values = group.create_dataset(
        "values", (0, *shape), np.float32, maxshape=(None, *shape), chunks=(1, *shape)
    )
    offsets = np.zeros(len(listing.clips) + 1, np.int64)
    mfcc = np.full((len(listing.clips), N_MFCC_STATISTICS), np.nan, np.float32)
    failures = []
    work = functools.partial(_measure, front_end=front_end, clips=cutting)
    paths = [Path(listing.root) / clip.file for clip in listing.clips]
    with Progress(task.name, len(paths), unit="clips") as progress:
        for row, result in enumerate(ordered_map(work, paths, jobs)):
            if isinstance(result, str):
                failures.append((listing.clips[row].clip_id, result))
                cut = np.zeros((0, *shape), np.float32)
            else:
                cut, mfcc[row] = result
            offsets[row + 1] = offsets[row] + len(cut)
            values.resize(offsets[row + 1], axis=0)
            values[offsets[row] :] = cut
            progress.update(failed=len(failures))
    group["offsets"] = offsets
    file["mfcc"] = mfcc
    return failures


def _measure(path: Path, *, front_end: dict, clips: dict):
    """Patches and MFCC statistics of a sound, or the reason why there are none."""
    try:
        rate, longest = front_end["sample_rate"], front_end["max_seconds"]
        signal = decode(path, rate, front_end["resampler"], longest)
        mfcc = mfcc_statistics(signal, rate, clips["mfcc_spread"], front_end["edge_padding"])
        return cut_patches(signal, front_end, clips), mfcc
    except Exception as error:  # whatever it is, it is of this sound, and the others go on
        return reason_of(error)
