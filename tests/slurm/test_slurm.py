"""The workflow on a real Slurm: arrays, a GPU job, time limits, Ctrl-C, failures.

Each test changes a copy of one finished local run, so that only the jobs in question go through
Slurm; the first runs everything, and its files must be those of the local run.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from site_profile import make_site_profile

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]

MODEL = "results/tiny/models/w2v-128-mean/0.h5"
OPTIONS = [
    # There is no accounting here, and nobody wants to wait.
    *("--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2"),
    "--slurm-keep-successful-logs",
]


def site_options(root, **training) -> list[str]:
    """Those of a profile of this site, with more lines for training."""
    options = make_site_profile(root)
    path = root / "workflow" / "profiles" / "mysite" / "profile.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["set-resources"]["train"] |= training
    path.write_text(yaml.safe_dump(settings))
    return [*options, *OPTIONS]


def jobs_of_slurm() -> list[dict[str, str]]:
    """All jobs that Slurm remembers, as it describes them."""
    text = subprocess.run(["scontrol", "-o", "show", "jobs"], capture_output=True, text=True).stdout
    return [
        dict(field.split("=", 1) for field in line.split() if "=" in field)
        for line in text.splitlines()
        if line.startswith("JobId")
    ]


def queued() -> list[str]:
    command = ["squeue", "-h", "-r", "-o", "%i %T"]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def files(root):
    """Stage files of the run by name; checkpoints are none."""
    found = [*root.glob("results/tiny/**/*.h5"), *root.glob("data/tiny/**/*.h5")]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def test_whole_run_is_that_of_this_machine(slurm, fresh, finished_run):
    before = {job["JobId"] for job in jobs_of_slurm()}
    fresh.configure(compute={"device": "auto"})
    text = fresh.snakemake(*site_options(fresh.root))
    assert files(fresh.root) == files(finished_run)
    jobs = [job for job in jobs_of_slurm() if job["JobId"] not in before]
    states = {job["JobId"]: job["JobState"] for job in jobs}
    assert set(states.values()) == {"COMPLETED"}, states
    # The three shards are one array.
    arrays = [job for job in jobs if "ArrayTaskId" in job]
    assert len(arrays) == 3
    assert len({job["ArrayJobId"] for job in arrays}) == 1
    # Two models and their embeddings ask for a GPU, in the partition of the profile.
    gpu = [job for job in jobs if "gpu:1" in job.get("TresPerJob", "") + job.get("TresPerNode", "")]
    assert len(gpu) == 4, text.stdout
    assert {job["Partition"] for job in gpu} == {"gpu"}
    # The scores of all systems are one job.
    logs = fresh.root / ".snakemake" / "slurm_logs"
    assert len(list((logs / "group_scores_evaluate").rglob("*.log"))) == 1
    assert "Nothing to be done" in str(fresh.snakemake("--dry-run"))


def test_a_training_killed_at_its_time_limit_resumes_to_the_same_weights(slurm, project):
    """Slurm's shortest limit is a minute; how many epochs that is depends on the machine."""
    options = [*site_options(project.root, runtime=1, mem_mb=1000), "--retries", "9"]
    states, epochs = [], 500
    while "TIMEOUT" not in states:
        epochs *= 2
        project.configure(train={"epochs": epochs})
        before = {job["JobId"] for job in jobs_of_slurm()}
        project.snakemake(MODEL, *options)
        states = [job["JobState"] for job in jobs_of_slurm() if job["JobId"] not in before]
        assert states.count("COMPLETED") == 1, states
    assert "resuming" in log_of(project)
    on_slurm = (project.root / MODEL).read_bytes()
    (project.root / MODEL).unlink()
    project.snakemake(MODEL)
    assert "resuming" not in log_of(project)
    assert (project.root / MODEL).read_bytes() == on_slurm


def log_of(project) -> str:
    return (project.root / "results/tiny/logs/train/w2v-128-mean/0.log").read_text()


def test_interrupting_snakemake_cancels_its_jobs(slurm, project):
    project.configure(train={"epochs": 5_000})
    command = [sys.executable, "-m", "snakemake", MODEL, *site_options(project.root)]
    command += ["--cores", "2", "--configfile", "tiny.yaml"]
    running = subprocess.Popen(
        command,
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: any("RUNNING" in line for line in queued()), 120)
        history = project.root / "results/tiny/training/w2v-128-mean/0/history.jsonl"
        wait_until(lambda: history.exists() and history.read_text().count("\n") > 3, 120)
        running.send_signal(signal.SIGINT)
        assert running.wait(120) != 0
    finally:
        running.kill()
    wait_until(lambda: not queued(), 60)
    epochs = [json.loads(line) for line in history.read_text().splitlines()]
    assert 3 < len(epochs) < 5_000


def test_the_log_of_a_failing_job_is_shown(slurm, project):
    project.configure(train={"batch_size": 4096})
    done = project.snakemake(MODEL, *site_options(project.root), "--retries", "0", check=False)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "train.batch_size" in text
    assert "4096" in text
    assert "Traceback" not in text
    assert not (project.root / MODEL).exists()


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.5)


def test_only_this_machine_is_touched(slurm):
    nodes = subprocess.run(["sinfo", "-h", "-N", "-o", "%N"], capture_output=True, text=True).stdout
    assert set(nodes.split()) == {os.uname().nodename.split(".")[0]}
