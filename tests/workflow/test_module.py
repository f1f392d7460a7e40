"""The workflow as a module of another one."""

import re
import subprocess
import sys

import pytest
import yaml

from tiny_project import Project

pytestmark = pytest.mark.slow

OUTER = """
configfile: "outer.yaml"


module tagalign:
    snakefile:
        "{snakefile}"
    config:
        config["tagalign"]


use rule * from tagalign as tagalign_*


rule summary:
    default_target: True
    input:
        rules.tagalign_report.output[0],
    output:
        "summary.txt",
    shell:
        "wc -l {{input}} > {{output}}"


use rule train from tagalign as tagalign_train with:
    threads: 1
"""


@pytest.fixture
def outer(project, tmp_path) -> Project:
    """A workflow of someone else, in a directory of its own, that uses ours."""
    place = {key: str(project.root / "corpus" / value) for key, value in PLACE.items()}
    config = {**project.config, "source": {**project.config["source"]}}
    config["source"]["folder"] = {**config["source"]["folder"], **place}
    config["datasets"] = {"pets": {**config["datasets"]["pets"], **place}}
    root = tmp_path / "outer"
    root.mkdir()
    (root / "outer.yaml").write_text(yaml.safe_dump({"tagalign": config, "mine": 1}))
    snakefile = project.root / "workflow" / "Snakefile"
    (root / "Snakefile").write_text(OUTER.format(snakefile=snakefile))
    (root / "tiny.yaml").write_text("{}")
    found = Project(root)
    found.environment = project.environment
    return found


PLACE = {"csv": "sounds.csv", "audio": "audio"}


def run(outer, *arguments):
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", "2"]
    done = subprocess.run(
        command,
        cwd=outer.root,
        env=outer.environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_of_the_module_make_what_the_other_workflow_needs(outer):
    text = run(outer, "--dry-run")
    for rule in ("tagalign_catalogue", "tagalign_train", "tagalign_evaluate", "summary"):
        assert rule in text
    until = run(outer, "--dry-run", "--until", "tagalign_train")
    assert "tagalign_train" in until
    assert "tagalign_embed_task" not in until


def test_a_prefix_moves_all_that_is_made(outer):
    path = outer.root / "Snakefile"
    line = 'config["tagalign"]\n'
    path.write_text(path.read_text().replace(line, f'{line}    prefix:\n        "below/"\n', 1))
    text = run(outer, "--dry-run", "--printshellcmds")
    assert "below/data/tiny/catalogue.h5" in text
    (report,) = re.findall(r"tagalign report .*", text)
    assert " --directory below/results/tiny" in report
    made = re.findall(r" -o (\S+)", text)
    assert made
    assert all(name.startswith("below/") for name in made)


@pytest.mark.xfail(
    strict=True,
    reason="in a module, --until a stage whose shards the catalogue tells plans nothing",
)
def test_stages_of_the_module_run(outer):
    run(outer, "tagalign_tags")
    assert (outer.root / "results/tiny/tags.h5").is_file()
    patches = run(outer, "--dry-run", "--until", "tagalign_patches")
    assert patches.count("rule tagalign_patches:") == 3
    assert not (outer.root / "results/tiny/pairs.h5").exists()
