"""A dry run at the paper's scale, against a bare workflow of as many jobs."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from rows import Row, rates

from tagalign import store
from tagalign.sources.shards import write_shards

ROOT = Path(__file__).parents[2]
SOUNDS, SHARD = 200_000, 500
SETTINGS = {
    "run": "paper",
    "systems": [
        *("mfcc", "w2v-128-1h", "w2v-1152-1h", "w2v-128-4h", "w2v-1152-4h"),
        *("w2v-128-mean", "w2v-1152-mean", "coala", "cnn"),
    ],
    "seeds": [0, 1, 2],
    "tasks": ["us8k", "gtzan", "nsynth", "us8k-tag", "esc10"],
    "source": {"kind": "freesound"},
}
BARE = """
rule all:
    input:
        expand("{{number}}.txt", number=range({count})),


rule one:
    output:
        "{{number}}.txt",
    shell:
        "touch {{output}}"
"""


def run() -> list[Row]:
    """Jobs planned a second, and what a dry run takes."""
    with tempfile.TemporaryDirectory() as directory:
        ours, bare = Path(directory) / "ours", Path(directory) / "bare"
        lay_out(ours)
        count = plan(ours, "--configfile", "paper.yaml")
        bare.mkdir()
        (bare / "Snakefile").write_text(BARE.format(count=count))
        our_rate, bare_rate = rates(
            lambda: plan(ours, "--configfile", "paper.yaml"), lambda: plan(bare), seconds=0.0
        )
    name = f"dry run, {SOUNDS:,} sounds, {count:,} jobs"
    return [
        Row(name, our_rate, "jobs/s", bare_rate, "a bare workflow of as many jobs without inputs"),
        Row(name, count / our_rate, "s"),
    ]


def lay_out(root: Path) -> None:
    """The workflow with the catalogue of so many sounds, of which nothing was made yet."""
    data = root / "data" / "freesound"
    data.mkdir(parents=True)
    for part in ("workflow", "src", "envs", "config"):
        (root / part).symlink_to(ROOT / part)
    with store.create(data / "catalogue.h5", stage="catalogue", config={}) as file:
        file["shard"] = np.arange(SOUNDS, dtype=np.int32) // SHARD
        store.write_strings(file, "id", [str(number) for number in range(SOUNDS)])
        store.write_strings(file, "preview", [f"https://host/{n:06}.ogg" for n in range(SOUNDS)])
    write_shards(data / "catalogue.h5", data / "shards")
    (root / "paper.yaml").write_text(yaml.safe_dump(SETTINGS))


def plan(root: Path, *options: str) -> int:
    """A dry run; its number of jobs."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--cores", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, *options], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return int(re.findall(r"^total +(\d+)$", done.stdout, re.M)[-1])
