"""What a run says before it starts, and when it is refused for want of disk."""

import pytest

pytestmark = pytest.mark.slow

HUGE = {"patches": {"n_frames": 10_000_000}}  # an hour each; no disk of today has room
LINE = "tagalign: about"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--dry-run"],
        ["--unlock"],
        ["--summary"],
        ["--touch"],
        ["--delete-temp-output"],
    ],
)
def test_a_finished_run_needs_no_room(project, arguments):
    full_disk(project)
    done = project.snakemake(*arguments, check=False)
    assert done.returncode == 0, done.stderr
    assert "make room" not in done.stderr
    runs = arguments in ([], ["--dry-run"], ["--touch"])
    assert done.stderr.count(LINE) == runs


def full_disk(project):
    """Make every disk look full to Snakemake and what it imports."""
    (project.root / "src" / "sitecustomize.py").write_text(
        "import shutil\n"
        "from types import SimpleNamespace\n"
        "shutil.disk_usage = lambda path: SimpleNamespace(free=0)\n"
    )


def test_a_run_without_room_ends_before_its_first_job(project):
    full_disk(project)
    done = project.snakemake("report", "-R", "report", check=False)
    assert done.returncode != 0
    assert len([line for line in done.stderr.splitlines() if "make room" in line]) == 1
    assert "Traceback" not in done.stderr
    assert "rule report" not in done.stderr
    # Nothing is locked or marked as incomplete, and a dry run only warns.
    text = project.snakemake("report", "-R", "report", "--dry-run").stderr
    assert text.count("make room") == 1
    assert text.count(LINE) == 1


def test_a_cluster_is_no_single_core_without_gpu(fresh):
    settings = {"source": {"kind": "freesound"}, "compute": {"device": "auto"}}
    fresh.configure(**settings, model={"channels": 128}, train={"epochs": 200})
    profile = ["--workflow-profile", "workflow/profiles/slurm"]
    line = announced(fresh.call("snakemake", "tags", "-n", *profile, "--configfile", "tiny.yaml"))
    assert "hours, most of it audio" in line
    # A number of jobs alone makes no cluster.
    line = announced(fresh.snakemake("tags", "-n", "--jobs", "100"))
    assert "days, most of it train" in line


def announced(done) -> str:
    [line] = [line for line in done.stderr.splitlines() if line.startswith(LINE)]
    return line
