"""Why a run must not start: no room on the disk, or jobs that would never be submitted."""

from collections.abc import Collection, Mapping

from tagalign.planning.estimate import estimate, shortage
from tagalign.planning.layout import DATASETS, Layout
from tagalign.planning.sounds import known_sounds

OTHER_JOBS = 100
"""Jobs of other stages that may wait at the same time as the shards."""


def why_not(
    settings: Mapping, layout: Layout, *, waiting: Collection[str], arrays: str, jobs: int
) -> str | None:
    """What to say where a run could not end; None if it can.

    Parameters
    ----------
    settings, layout
        The configuration of the run and its files.
    waiting
        Stages that have something to do.
    arrays
        Stages that are submitted as job arrays, as the Slurm plugin takes them:
        ``"patches,train"``.
    jobs
        Jobs that may be submitted at the same time.
    """
    if not waiting:
        return None
    problem = lost_shards(settings, known_sounds(layout), waiting=waiting, arrays=arrays, jobs=jobs)
    if problem or not settings["compute"]["check_disk"]:
        return problem
    # Hours do not matter here.
    needs = estimate(settings, known_sounds(layout), cores=1, gpu=False)
    return shortage(needs, layout.data, DATASETS, layout.results)


def lost_shards(
    settings: Mapping, sounds: int, *, waiting: Collection[str], arrays: str, jobs: int
) -> str | None:
    """What to say where an array of shards would never be submitted; None if it would.

    The Slurm plugin (2.8.0) never submits the first parts of a split array, while Snakemake waits
    for them for ever.
    """
    if "patches" not in arrays or not {"catalogue", "patches"} & set(waiting):
        return None
    shards = -(-sounds // settings["source"]["shard_size"])
    if jobs >= shards + OTHER_JOBS:
        return None
    return (
        f"an array of {shards} shards needs jobs and max-jobs-per-timespan of"
        f" {shards + OTHER_JOBS} or more; give these, or submit one shard at a time with"
        ' --slurm-array-jobs ""'
    )
