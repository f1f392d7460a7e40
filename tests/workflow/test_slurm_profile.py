"""The Slurm profile with hundreds of shards: the real plugin, and stand-ins for Slurm's commands.

The stand-in of sbatch writes down what it is given and runs nothing. That all is submitted, and
how, is what a Slurm of one node and three shards cannot show.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from site_profile import make_site_profile
from tagalign import store
from tagalign.sources.shards import write_shards

pytestmark = pytest.mark.slow

SBATCH = f"""#!{sys.executable}
import json, os, pathlib, sys
given = pathlib.Path(os.environ["SUBMITTED"]) / f"{{os.getpid()}}.json"
given.with_suffix(".part").write_text(json.dumps(sys.argv[1:]))
given.with_suffix(".part").rename(given)
print(os.getpid())
"""
SCONTROL = "#!/bin/sh\necho MaxArraySize = 1001; echo MinJobAge = 86400 sec\n"
SRUN = '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n'
SILENT = ("squeue", "sacct", "sinfo", "scancel", "sacctmgr")


class Slurm:
    """Stand-ins for the commands of Slurm, and what was submitted with them."""

    def __init__(self, root: Path):
        self.commands, self.given, self.log = root / "bin", root / "submitted", root / "log"
        self.commands.mkdir(parents=True)
        self.given.mkdir()
        texts = {"sbatch": SBATCH, "scontrol": SCONTROL, "srun": SRUN}
        for name, text in (texts | dict.fromkeys(SILENT, "#!/bin/sh\n")).items():
            (self.commands / name).write_text(text)
            (self.commands / name).chmod(0o755)

    def environment(self, project) -> dict[str, str]:
        path = f"{self.commands}{os.pathsep}{os.environ['PATH']}"
        return project.environment() | {"PATH": path, "SUBMITTED": str(self.given)}

    def submissions(self) -> list[list[str]]:
        """Arguments of each call of sbatch."""
        return [json.loads(path.read_text()) for path in sorted(self.given.glob("*.json"))]

    def sizes(self) -> list[int]:
        """Number of jobs of each call of sbatch."""
        ranges = [re.findall(r"--array=(\d+)-(\d+)", " ".join(call)) for call in self.submissions()]
        return [int(found[0][1]) - int(found[0][0]) + 1 if found else 1 for found in ranges]

    @contextlib.contextmanager
    def submitted(self, project, *arguments, jobs: int):
        """Snakemake, once it has submitted so many jobs, or has ended, or let a minute pass."""
        command = [sys.executable, "-m", "snakemake", *arguments]
        command += [*make_site_profile(project.root), "--configfile", "tiny.yaml"]
        # Snakemake ends between two questions to squeue.
        command += ["--slurm-init-seconds-before-status-checks", "1"]
        with open(self.log, "w") as file:
            running = subprocess.Popen(
                command,
                cwd=project.root,
                env=self.environment(project),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            end = time.monotonic() + 60
            while sum(self.sizes()) < jobs and running.poll() is None and time.monotonic() < end:
                time.sleep(0.5)
            yield running
            running.send_signal(signal.SIGINT)
            running.wait(60)
        finally:
            running.kill()


@pytest.fixture
def slurm_commands(tmp_path) -> Slurm:
    return Slurm(tmp_path / "slurm")


def with_shards(project, count: int) -> None:
    """Lay out a catalogue of as many shards, of one sound each: always the same."""
    data = project.root / "data" / project.config["source"]["name"]
    sound = min(project.root.glob("corpus/audio/*"))
    columns = {"file": sound.name, "sha256": store.digest(sound), "preview": "https://host/1.ogg"}
    with store.create(data / "catalogue.h5", stage="catalogue", config={}) as file:
        file["shard"] = np.arange(count, dtype=np.int32)
        store.write_strings(file, "id", [str(number) for number in range(count)])
        for name, value in columns.items():
            store.write_strings(file, name, [value] * count)
    assert write_shards(data / "catalogue.h5", data / "shards") == count


def test_arrays_have_all_shards(fresh, slurm_commands):
    with_shards(fresh, 300)
    with slurm_commands.submitted(fresh, "--until", "patches", jobs=300):
        sizes = slurm_commands.sizes()
        assert sum(sizes) == 300, slurm_commands.log.read_text()[-3000:]
        assert len(sizes) < 10
        # Three tasks, as Slurm would start them: the first of an array and two from its list, of
        # which one fails.
        call = slurm_commands.submissions()[0]
        first = first_task(call)
        assert start_task(slurm_commands, fresh, call, first) == 0
        assert start_task(slurm_commands, fresh, call, first + 1) == 0
        (slurm_commands.commands / "srun").write_text("#!/bin/sh\nexit 1\n")
        assert start_task(slurm_commands, fresh, call, first + 2) != 0
        made = {path.stem for path in fresh.root.glob("results/tiny/patches/*.h5")}
    assert len(made) == 2
    assert set(re.findall(r"--target-jobs 'patches:shard=(\d+)'", call[-1])) < made


def first_task(call: list[str]) -> int:
    return int(re.search(r"--array=(\d+)-", " ".join(call)).group(1))


def start_task(slurm, project, call, task) -> int:
    [script] = [value.removeprefix("--wrap=") for value in call if value.startswith("--wrap=")]
    variables = {"JOB_ID": 1, "ARRAY_TASK_MIN": first_task(call), "ARRAY_TASK_ID": task}
    variables = {f"SLURM_{name}": str(value) for name, value in variables.items()}
    environment = slurm.environment(project) | variables
    with open(slurm.log, "a") as log:
        done = subprocess.run(
            script,
            shell=True,
            cwd=project.root,
            env=environment,
            stdout=log,
            stderr=log,
            timeout=120,
        )
    return done.returncode


def test_downloads_that_wait_for_their_turn_are_submitted(fresh, slurm_commands):
    fresh.configure(source={"kind": "freesound"})
    with_shards(fresh, 12)
    with slurm_commands.submitted(fresh, "--until", "audio", jobs=4):
        assert slurm_commands.sizes() == [1] * 4, slurm_commands.log.read_text()[-3000:]


def test_fewer_jobs_than_shards_are_refused(fresh, slurm_commands):
    """The plugin would wait for ever."""
    fresh.configure(source={"shard_size": 1})
    with_shards(fresh, 150)
    few = ["--until", "patches", "--jobs", "30"]
    with slurm_commands.submitted(fresh, *few, jobs=150) as snakemake:
        assert snakemake.wait(60) != 0
    assert slurm_commands.sizes() == []
    text = slurm_commands.log.read_text()
    assert "slurm-array-jobs" in text
    assert "Traceback" not in text
    with slurm_commands.submitted(fresh, *few, "--slurm-array-jobs", "", jobs=30):
        assert slurm_commands.sizes() == [1] * 30


@pytest.mark.parametrize(("engine", "gpus"), [("sklearn", [None]), ("torch", ["1", "1", "1"])])
def test_scores_share_a_job_unless_each_needs_a_gpu(project, slurm_commands, engine, gpus):
    project.configure(evaluate={"engine": engine}, compute={"device": "auto"})
    with slurm_commands.submitted(project, "--until", "evaluate", "-R", "evaluate", jobs=len(gpus)):
        calls = [" ".join(call) for call in slurm_commands.submissions()]
    asked = [re.search(r"--gpus=(\d+)", call) for call in calls]
    assert [found and found.group(1) for found in asked] == gpus


def test_profile_has_whole_lines_to_fill_in(fresh):
    """A line of the site with its mark removed is YAML at the right place."""
    path = fresh.root / "workflow" / "profiles" / "slurm" / "profile.yaml"
    filled = yaml.safe_load(path.read_text().replace("#site: ", ""))
    assert filled["default-resources"]["slurm_account"]
    assert filled["default-resources"]["slurm_partition"] == "cpu"
    for rule in ("train", "embed_task", "evaluate"):
        assert filled["set-resources"][rule]["slurm_partition"] == "gpu"
