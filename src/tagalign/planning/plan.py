"""What a run has to do and what it needs, before it starts."""

import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tagalign.planning.estimate import Estimate, estimate, in_words, shortage
from tagalign.planning.layout import DATASETS, Layout
from tagalign.planning.sounds import known_sounds

OF_SHARDS = ("audio", "patches")


@dataclass(frozen=True)
class Plan:
    """A run before it starts.

    Attributes
    ----------
    jobs
        Stage -> number of its jobs, and how many of their files are there already. Whether
        these are up to date, ``snakemake -n`` says.
    needs
        Disk and time of the whole run, from nothing.
    shortage
        What to say if the disk is too small for what is still to come, or None.
    """

    jobs: dict[str, tuple[int, int]]
    needs: Estimate
    shortage: str | None

    def in_words(self) -> str:
        """A table of the stages and a line on disk and time, for a terminal."""
        lines = [f"{'stage':12}{'jobs':>7}{'done':>7}"]
        lines += [f"{stage:12}{jobs:7}{done:7}" for stage, (jobs, done) in self.jobs.items()]
        return "\n".join([*lines, in_words(self.needs)])


def plan(settings: Mapping, *, cores: int | None = None, jobs: int = 1) -> Plan:
    """Look at what is there of a run and estimate the rest.

    Parameters
    ----------
    settings
        A whole configuration; its paths are relative to the working directory.
    cores
        Processor cores at work, on a cluster those of a job; None for those of this machine.
    jobs
        Jobs side by side on a cluster; 1 is a single machine.

    Raises
    ------
    ConfigError, InputError
        A system or a task does not exist, or the table of a folder cannot be read.
    """
    layout = Layout(settings)
    sounds = known_sounds(layout)
    shards = math.ceil(sounds / settings["source"]["shard_size"])
    counts = {}
    for stage in layout.stages():
        files = layout.files(stage)
        # A shard file comes with the catalogue; how many shards there are, that tells.
        total = max(shards, len(files)) if stage in OF_SHARDS else len(files)
        if stage != "shard":
            counts[stage] = (total, _there(files))
    counts["figures"] = (len(layout.training_figures()), _there(layout.training_figures()))
    counts["report"] = (1, _there([f"{layout.results}/table.csv"]))
    device = settings["compute"]["device"]
    # Whoever leaves it open gets what there is: a cluster has GPUs.
    found = jobs > 1 or shutil.which("nvidia-smi") is not None
    needs = estimate(
        settings,
        sounds,
        cores=cores or os.cpu_count() or 1,
        gpu=device == "cuda" or (device == "auto" and found),
        jobs=jobs,
    )
    return Plan(counts, needs, shortage(needs, layout.data, DATASETS, layout.results))


def _there(paths: list[str]) -> int:
    return sum(Path(path).exists() for path in paths)
