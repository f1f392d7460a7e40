"""Roughly what a run needs of disk and time, before it starts.

The figures per sound were measured on Freesound previews of sounds of at most 10 s; those of
the data sets are the sizes of their archives, once packed and once unpacked.
"""

import contextlib
import math
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagalign.download.unpack import unpacked_hash
from tagalign.tasks import find_task
from tagalign.tasks.files import is_own
from tagalign.tasks.protocol import Task

PREVIEW_BYTES = {
    "preview-hq-ogg": 110_000,
    "preview-hq-mp3": 75_000,
    "preview-lq-ogg": 48_000,
    "preview-lq-mp3": 40_000,
}
PUBLISHED_BYTES = 11e9  # both files of the source coala

PATCHES_PER_CORE_SECOND = 70
PREVIEWS_PER_SECOND = 1.5  # of one connection
CPU_SAMPLES_PER_SECOND = 27  # two cores, 128 channels
GPU_SAMPLES_PER_SECOND = 20_000


@dataclass(frozen=True)
class Estimate:
    """Needs of a whole run, from nothing.

    Attributes
    ----------
    sounds
        Number of sounds.
    data_bytes, results_bytes
        What goes into ``data/`` and into ``results/RUN/``.
    hours
        Stage -> hours, one after the other.
    sets
        Data set that is downloaded -> a task that reads it.
    """

    sounds: int
    data_bytes: float
    results_bytes: float
    hours: dict[str, float]
    sets: dict[str, Task] = field(default_factory=dict)


def estimate(settings: Mapping, sounds: int, *, cores: int, gpu: bool, jobs: int = 1) -> Estimate:
    """Add up what the stages need.

    Parameters
    ----------
    settings
        A whole configuration.
    sounds
        Number of sounds to train on.
    cores
        Processor cores at work; on a cluster those of a job.
    gpu
        Whether networks train on a GPU.
    jobs
        Jobs side by side on a cluster; 1 is a single machine.
    """
    source, front_end = settings["source"], settings["patches"]
    patch = front_end["n_mels"] * front_end["n_frames"]
    models = len([name for name in settings["systems"] if name not in ("mfcc", "untrained")])
    models *= len(settings["seeds"])
    width = settings["model"]["channels"] / 128
    own = {task for task, values in settings["datasets"].items() if is_own(values)}
    tasks = [find_task(name) for name in settings["tasks"]]
    sets = {task.dataset: task for task in tasks if task.name not in own}
    clip_patches = sum(task.patches for task in tasks)

    data = sum(task.size for task in sets.values())
    results = sounds * patch * (4 + 2) + clip_patches * patch * 4 + models * 40e6 * max(width, 0.1)
    shards = max(math.ceil(sounds / source["shard_size"]), 1)
    hours = {"patches": sounds / PATCHES_PER_CORE_SECOND / cores / min(jobs, shards) / 3600}
    if source["kind"] == "freesound":
        limits = source["freesound"]
        kept = sounds if limits["keep_audio"] else min(sounds, 10 * source["shard_size"])
        data += kept * PREVIEW_BYTES.get(limits["preview"], max(PREVIEW_BYTES.values()))
        requests = sounds / 150
        minutes = max(
            requests / limits["requests_per_minute"],
            24 * 60 * (requests // limits["requests_per_day"]),
        )
        hours["catalogue"] = minutes / 60
        hours["audio"] = sounds / PREVIEWS_PER_SECOND / limits["downloads"] / 3600
    elif source["kind"] == "coala":
        data += PUBLISHED_BYTES
        results -= sounds * patch * 4
    samples = sounds * settings["train"]["epochs"] * math.ceil(models / jobs)
    speed = GPU_SAMPLES_PER_SECOND if gpu else CPU_SAMPLES_PER_SECOND * cores / 2
    hours["train"] = samples * max(width**1.5, 0.05) / speed / 3600
    return Estimate(sounds, data, results, hours, sets)


def in_words(needs: Estimate) -> str:
    """One line for a terminal."""
    hours = sum(needs.hours.values())
    longest = max(needs.hours, key=needs.hours.get)
    return (
        f"about {needs.sounds:,} sounds; {size(needs.data_bytes + needs.results_bytes)} of disk"
        f" ({size(needs.data_bytes)} in data, {size(needs.results_bytes)} in results) and"
        f" {duration(hours)}, most of it {longest}"
    )


def shortage(
    needs: Estimate,
    data: str | os.PathLike,
    datasets: str | os.PathLike,
    results: str | os.PathLike,
) -> str | None:
    """What to say if the disk is too small for what is still to come; None if it is not.

    Parameters
    ----------
    needs
        The needs of the whole run.
    data, datasets, results
        Directories of the sounds, of the data sets, and of the run; they need not exist yet.
    """
    sounds = needs.data_bytes - sum(task.size for task in needs.sets.values())
    sets = [
        (Path(datasets, name), task.size)
        for name, task in needs.sets.items()
        if not _is_unpacked(Path(datasets, name), task)
    ]
    missing, where = {}, {}
    for directory, wanted in ((data, sounds), *sets, (results, needs.results_bytes)):
        path = Path(directory).absolute()
        there = next(place for place in (path, *path.parents) if place.exists())
        disk = there.stat().st_dev
        still = max(wanted - _size_of(path), 0)
        missing[disk], where[disk] = missing.get(disk, 0) + still, there
    for disk, wanted in missing.items():
        free = shutil.disk_usage(where[disk]).free
        if wanted > free:
            return (
                f"the run needs some {size(wanted)} more at {where[disk]}, where"
                f" {size(free)} are free; make room, set source.freesound.keep_audio to false, or"
                " set compute.check_disk to false to try all the same"
            )
    return None


def size(count: float) -> str:
    """Bytes in words, such as ``"3.5 GB"``."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


def duration(hours: float) -> str:
    """Hours in words, such as ``"2 days"``."""
    for unit, length in (("days", 24.0), ("hours", 1.0)):
        if hours >= 2 * length:
            return f"{hours / length:.0f} {unit}"
    return f"{max(60 * hours, 1):.0f} min"


def _is_unpacked(directory: Path, task: Task) -> bool:
    """Whether a data set is all there; its archives may have been deleted since."""
    return all(unpacked_hash(directory / archive.file, directory) for archive in task.archives)


def _size_of(directory: Path) -> int:
    sizes = {}
    for path in directory.rglob("*"):
        # Downloads come and go while this looks.
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if stat.S_ISREG(found.st_mode):
                # A finished shard has two names but lies on the disk once.
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
