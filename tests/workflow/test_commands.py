"""Each stage alone, by hand: the command that the workflow prints makes the same file again."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tiny_project import Project

pytestmark = pytest.mark.slow

# rule -> what of its output is compared; the wildcards are those of the first job in the log
OUTPUTS = {
    "catalogue": "data/tiny/catalogue.h5",
    "patches": "results/tiny/patches/0001.h5",
    "tags": "results/tiny/tags.h5",
    "word2vec": "results/tiny/word2vec/128.h5",
    "pairs": "results/tiny/pairs.h5",
    "train": "results/tiny/models/w2v-128-mean/0.h5",
    "dataset": "results/tiny/datasets/pets.h5",
    "task": "results/tiny/tasks/pets.h5",
    "figures": "results/tiny/training/w2v-128-mean/0/figures/curves.png",
    "leaks": "results/tiny/leaks/pets.h5",
    "embed_task": "results/tiny/embeddings/w2v-128-mean/0/pets.h5",
    "evaluate": "results/tiny/scores/w2v-128-mean/0/pets.h5",
    "report": "results/tiny/table.csv",
}


def command_of(log: str, output: str) -> str:
    """The shell command of the job with this output, as Snakemake printed it."""
    for block in re.split(r"\n(?=\[\w{3} \w{3} )", log):
        outputs = re.search(r"^    output: (.*)$", block, re.M)
        made = outputs.group(1).split(", ") if outputs else []
        if output in made or str(Path(output).parent) in made:
            return re.search(r"^Shell command: (.*?)$", block, re.M).group(1)
    raise AssertionError(f"no job made {output}")


@pytest.fixture(scope="module")
def remade(finished_run, tmp_path_factory) -> Project:
    """A copy of the finished project, in which each file is made once more."""
    root = tmp_path_factory.mktemp("commands") / "project"
    shutil.copytree(finished_run, root, symlinks=True)
    return Project(root)


@pytest.mark.parametrize("rule", OUTPUTS)
def test_the_printed_command_makes_the_same_file(remade, rule):
    project = remade
    output = project.root / OUTPUTS[rule]
    command = command_of((project.root / "run.log").read_text(), OUTPUTS[rule])
    before = output.read_bytes()
    output.unlink()
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_bytes() == before


def test_a_command_that_a_dry_run_printed_works_in_a_fresh_project(fresh):
    printed = fresh.snakemake("catalogue", "--dry-run").stdout
    command = command_of(printed, "data/tiny/catalogue.h5")
    subprocess.run(
        ["bash", "-c", f"set -eo pipefail; {command}"],
        cwd=fresh.root,
        env=fresh.environment(),
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert (fresh.root / "data/tiny/catalogue.h5").exists()


@pytest.mark.parametrize("rule", ["patches", "train", "task", "pairs"])
def test_heartbeats_are_in_log_and_on_the_terminal(finished_run, rule):
    """Users see progress while it runs, and find it afterwards."""
    logs = sorted((finished_run / "results/tiny/logs").rglob("*.log"))
    text = "".join(log.read_text() for log in logs if rule in str(log.relative_to(finished_run)))
    lines = [line for line in text.splitlines() if "/s" in line]
    assert lines
    assert lines[-1] in (finished_run / "run.log").read_text()


def test_the_table_ends_the_run(finished_run):
    """The table, and where table and figures lie, are the last words of the workflow."""
    text = (finished_run / "run.log").read_text()
    end = text[text.index("steps (100%) done") :]
    for words in ("w2v-128-mean", "untrained", "mfcc", "results/tiny/figures/accuracy.png"):
        assert words in end
