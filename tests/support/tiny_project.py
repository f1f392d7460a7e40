"""A copy of the project with a tiny configuration, in which tests run the workflow."""

import contextlib
import csv
import fcntl
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT_PARTS = ("workflow", "src", "envs", "config")
CLASSES = ("dog_bark", "rooster")

# Seconds for a whole run: 4 channels, one epoch, 30 sounds in 3 shards, 20 clips.
TINY = {
    "run": "tiny",
    "systems": ["mfcc", "untrained", "w2v-128-mean"],
    "seeds": [0],
    "tasks": ["pets"],
    "source": {
        "kind": "folder",
        "name": "tiny",
        "shard_size": 10,
        "exclude_target_tasks": False,
        "folder": {
            "csv": "corpus/sounds.csv",
            "audio": "corpus/audio",
            "id_column": "freesound_id",
            "drop": {"fold": [5]},
        },
    },
    "tags": {"vocabulary_size": 20},
    "model": {"channels": 4},
    "train": {"epochs": 2, "batch_size": 8, "optimizer": "adam", "learning_rate": 0.001},
    "datasets": {
        "pets": {
            "csv": "corpus/sounds.csv",
            "audio": "corpus/audio",
            "fold_column": "fold",
            "id_column": "freesound_id",
            "test_folds": [5],
        }
    },
    "evaluate": {"repetitions": 1, "hidden": 4},
    "report": {"draws": 100},
    "compute": {"device": "cpu"},
}


@dataclass
class Job:
    """A job that a dry run lists."""

    rule: str
    wildcards: dict[str, str]
    reason: str


class Project:
    """A project directory in which Snakemake and tagalign run with the project's own code."""

    def __init__(self, root: Path):
        self.root = root
        self.config = yaml.safe_load((root / "tiny.yaml").read_text())

    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.root / "src"), "OMP_NUM_THREADS": "1"}

    def call(self, *command, check=True, timeout=1800, merged=False):
        """Run a Python module in the project; both streams as text, as one if `merged`."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
        assert not check or done.returncode == 0, done.stdout + (done.stderr or "")
        return done

    def snakemake(self, *arguments, config="tiny.yaml", check=True, **options):
        """Run Snakemake; targets come first, because --configfile takes several values.

        Training has one thread everywhere: the last bits of its sums depend on the number.
        """
        command = ["snakemake", *arguments, "--cores", "2", "--configfile", config]
        if "--set-threads" not in arguments:
            command += ["--set-threads", "train=1"]
        return self.call(*command, check=check, **options)

    def dry(self, *arguments, **options) -> list[Job]:
        """Jobs that Snakemake would run."""
        text = self.snakemake(*arguments, "--dry-run", **options).stdout
        jobs = []
        for block in re.split(r"\n(?=\[\w{3} \w{3} )", text):
            found = re.search(r"^(?:local)?(?:rule|checkpoint) (\w+):$", block, re.M)
            if found:
                wildcards = re.search(r"^    wildcards: (.*)$", block, re.M)
                pairs = wildcards.group(1).split(", ") if wildcards else []
                reason = re.search(r"^    reason: (.*)$", block, re.M)
                jobs.append(
                    Job(
                        found.group(1),
                        dict(pair.split("=", 1) for pair in pairs),
                        reason.group(1) if reason else "",
                    )
                )
        return [job for job in jobs if job.rule != "all"]

    def rules(self, *arguments, **options) -> set[str]:
        """Names of the rules that Snakemake would run."""
        return {job.rule for job in self.dry(*arguments, **options)}

    def configure(self, **changes) -> None:
        """Change the configuration: ``train={"epochs": 3}`` adds to the section."""
        from tagalign.config.load import merge

        self.config = merge(self.config, changes)
        (self.root / "tiny.yaml").write_text(yaml.safe_dump(self.config))


def make_project(root: Path) -> Project:
    """Copy the code and lay out a corpus of 30 sounds: three shards of ten."""
    root.mkdir(parents=True)
    for part in PROJECT_PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "demo-corpus", "*.pyc")
        shutil.copytree(ROOT / part, root / part, symlinks=True, ignore=ignored)
    (root / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    corpus = ROOT / "workflow" / "resources" / "demo-corpus"
    with open(corpus / "sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if not row["fold"]][:18]
    for fold in "12345":
        for label in CLASSES:
            clips = [row for row in rows if row["fold"] == fold and row["label"] == label]
            chosen += clips[: 1 if fold in "1234" else 2]
    more = [row for row in rows if not row["fold"]][18:21]
    (root / "corpus" / "audio").mkdir(parents=True)
    for row in chosen + more:
        shutil.copy2(corpus / "audio" / row["file"], root / "corpus" / "audio")
    write_csv(root / "corpus" / "sounds.csv", chosen)
    write_csv(root / "corpus" / "more.csv", more)
    return Project(root)


def write_csv(path: Path, rows: list[dict]) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, worker_id) -> Path:
    """A project whose tiny run is finished; made once for all workers. Never written to."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    root = base / "finished-run"
    with one_at_a_time(base / "finished-run.lock"):
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            project = make_project(root)
            (root / "run.log").write_text(project.snakemake(merged=True).stdout)
            (root / "complete").touch()
    return root


@contextlib.contextmanager
def one_at_a_time(path: Path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def project(finished_run, tmp_path) -> Project:
    """A copy of the finished project, to change at will; the copy itself reruns nothing."""
    root = tmp_path / "project"
    shutil.copytree(finished_run, root, symlinks=True)
    return Project(root)


@pytest.fixture
def fresh(tmp_path) -> Project:
    """A project in which nothing has run."""
    return make_project(tmp_path / "project")
