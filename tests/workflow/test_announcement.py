"""What `tagalign plan` says before a run, and when a run is refused for want of disk."""

import re

import pytest

pytestmark = pytest.mark.slow


def full_disk(project):
    """Make every disk look full to Snakemake and what it imports."""
    (project.root / "src" / "sitecustomize.py").write_text(
        "import shutil\n"
        "from types import SimpleNamespace\n"
        "shutil.disk_usage = lambda path: SimpleNamespace(free=0)\n"
    )


def test_a_run_without_room_ends_before_its_first_job(project):
    full_disk(project)
    # A finished run needs none.
    assert "Nothing to be done" in project.snakemake(merged=True).stdout
    done = project.snakemake("report", "-R", "report", check=False, merged=True)
    assert done.returncode != 0
    assert len([line for line in done.stdout.splitlines() if "make room" in line]) == 1
    assert "Traceback" not in done.stdout
    assert "rule report" not in done.stdout
    # Nothing is locked or marked as incomplete.
    (project.root / "src" / "sitecustomize.py").unlink()
    assert "Nothing to be done" in project.snakemake(merged=True).stdout


def test_plan_tells_jobs_disk_and_time_of_a_run_that_is_done_in_part(project):
    (project.root / "results/tiny/pairs.h5").unlink()
    (project.root / "results/tiny/patches/0001.h5").unlink()
    text = project.call("tagalign", "plan", "--config", "tiny.yaml").stdout
    rows = dict(re.findall(r"^(\S+) +(\d+ +\d+)$", text, re.M))
    counts = {stage: tuple(map(int, row.split())) for stage, row in rows.items()}
    assert counts["patches"] == (3, 2)
    assert counts["pairs"] == (1, 0)
    assert counts["evaluate"] == counts["embed_task"] == (3, 3)
    assert "26 sounds" in text


def test_plan_ends_with_an_error_where_there_is_no_room(fresh):
    full_disk(fresh)
    done = fresh.call("tagalign", "plan", "--config", "tiny.yaml", check=False)
    assert done.returncode == 1
    assert "about 30 sounds" in done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("tagalign: ")
    assert "make room" in line
