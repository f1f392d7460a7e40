"""A dry run at the scale of the paper: 200,000 sounds, 9 systems, 3 seeds, 5 tasks.

How long it takes, `make bench` measures (planning).
"""

import re

import numpy as np
import pytest
import yaml

from tagalign import store
from tagalign.sources.shards import write_shards

SOUNDS = 200_000
SYSTEMS = ["mfcc", "w2v-128-1h", "w2v-1152-1h", "w2v-128-4h", "w2v-1152-4h"]
SYSTEMS += ["w2v-128-mean", "w2v-1152-mean", "coala", "cnn"]
TASKS = ["us8k", "gtzan", "nsynth", "us8k-tag", "esc10"]


@pytest.mark.slow
def test_dry_run_has_few_jobs(fresh):
    catalogue = fresh.root / "data" / "freesound" / "catalogue.h5"
    with store.create(catalogue, stage="catalogue", config={}) as file:
        file["shard"] = np.arange(SOUNDS, dtype=np.int32) // 500
        store.write_strings(file, "id", [str(number) for number in range(SOUNDS)])
        store.write_strings(file, "preview", [f"https://host/{n:06}.ogg" for n in range(SOUNDS)])
    assert write_shards(catalogue, catalogue.parent / "shards") == 400
    settings = {"run": "paper", "systems": SYSTEMS, "seeds": [0, 1, 2], "tasks": TASKS}
    settings["source"] = {"kind": "freesound"}
    (fresh.root / "paper.yaml").write_text(yaml.safe_dump(settings))
    text = fresh.snakemake("--dry-run", "--quiet", "rules", config="paper.yaml").stdout
    jobs = int(re.findall(r"^total +(\d+)$", text, re.M)[-1])
    assert 1000 < jobs < 2000
    assert len(re.findall(r"^patches +400$", text, re.M)) >= 1
