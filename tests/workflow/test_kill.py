"""Jobs that are killed while a finished run is brought up to date leave nothing stale.

TAGALIGN_KILLS=100 kills so many jobs of random stages at random moments instead of three.
"""

import csv
import os
import random
import shutil

import pytest

from tiny_project import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

# Kills the process of a stage, once, so many seconds after its start.
KILLER = """
import os, pathlib, signal, sys, threading
order = pathlib.Path("kill")
if "-m" in sys.orig_argv[:3] and order.exists():
    stage, seconds = order.read_text().split()
    if stage in sys.orig_argv[3:5]:
        order.unlink()
        timer = threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
        if not float(seconds):
            timer.join()
"""
STAGES = ("word2vec", "pairs", "train", "dataset", "task", "embed-task", "evaluate", "report")


def kills() -> list[tuple[str, float]]:
    """Stage and seconds of each kill; in order, so that each run comes a little further."""
    count = int(os.environ.get("TAGALIGN_KILLS", "0"))
    if not count:
        return [("word2vec", 0.0), ("task", 0.0), ("embed-task", 0.0)]
    generator = random.Random(count)
    return [(generator.choice(STAGES), generator.uniform(0, 4)) for _ in range(count)]


def change(project) -> None:
    """Other word vectors, another test clip, another training."""
    corpus = project.root / "corpus"
    with open(corpus / "sounds.csv", newline="") as file:
        tested = [row["file"] for row in csv.DictReader(file) if row["fold"] == "5"]
    shutil.copy2(corpus / "audio" / tested[1], corpus / "audio" / tested[0])
    project.configure(word2vec={"epochs": 9}, train={"learning_rate": 0.002})


def stage_files(project) -> dict:
    root = project.root
    return {
        str(path.relative_to(root)): path.read_bytes()
        for part in ("results", "data")
        for path in sorted((root / part).rglob("*"))
        if path.suffix in (".h5", ".csv") and "checkpoints" not in path.parts
    }


def test_a_run_that_is_killed_again_and_again_ends_like_one_that_is_not(
    project, finished_run, tmp_path
):
    shutil.copytree(finished_run, tmp_path / "whole", symlinks=True)
    whole = Project(tmp_path / "whole")
    change(whole)
    whole.snakemake()
    (project.root / "src" / "sitecustomize.py").write_text(KILLER)
    change(project)
    for stage, seconds in kills():
        (project.root / "kill").write_text(f"{stage} {seconds}")
        done = project.snakemake(check=False, merged=True)
        if not seconds:
            assert not (project.root / "kill").exists(), done.stdout[-3000:]
            assert done.returncode != 0, f"{stage} was killed, and the run ended well"
    (project.root / "kill").unlink(missing_ok=True)
    project.snakemake()
    expected, found = stage_files(whole), stage_files(project)
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []
    assert "Nothing to be done" in project.snakemake(merged=True).stdout
