"""Whole runs of the workflow, seen from outside."""

import csv

import pytest

from tagalign import store
from tiny_project import write_csv

pytestmark = pytest.mark.slow


def stage_files(root) -> dict:
    """Relative path -> bytes of every HDF5 file of a project."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.h5"))}


def test_a_second_run_elsewhere_gives_the_same_bytes(finished_run, fresh, monkeypatch):
    # What may differ between two runs: the place, the hash seed, how many jobs run at once.
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    fresh.snakemake("--set-threads", "train=1", "patches=2")
    first, second = stage_files(finished_run), stage_files(fresh.root)
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []
    kinds = {path.split("/")[2].removesuffix(".h5") for path in first if path.startswith("results")}
    assert kinds >= {"patches", "tags", "word2vec", "pairs", "models", "tasks", "scores"}
    for name in ("table.csv", "scores.csv", "comparisons.csv", "losses.csv"):
        path = f"results/tiny/{name}"
        assert (finished_run / path).read_bytes() == (fresh.root / path).read_bytes()


def test_a_text_file_named_wav_is_counted_and_the_run_goes_on(project):
    corpus = project.root / "corpus"
    (corpus / "audio" / "letter.wav").write_text("Dear sound, where are you?\n")
    with open(corpus / "sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    write_csv(
        corpus / "sounds.csv",
        [*rows, rows[0] | {"freesound_id": "4444444", "file": "letter.wav"}],
    )
    project.snakemake()
    found = [
        failure
        for path in (project.root / "results/tiny/patches").glob("*.h5")
        for failure in failures(path)
    ]
    assert [name for name, _ in found] == ["4444444"]
    assert "not a readable sound" in found[0][1]
    with open(project.root / "results/tiny/losses.csv", newline="") as file:
        losses = [row for row in csv.DictReader(file) if row["stage"] == "patches"]
    assert [(row["lost"], row["count"]) for row in losses] == [("1", "1")]
    assert "not a readable sound" in losses[0]["reason"]
    assert "not a readable sound" in (project.root / "results/tiny/report.md").read_text()
    assert project.rules() == set()


def failures(path) -> list:
    with store.read(path, stage="patches") as file:
        return store.read_failures(file)
