"""No test sound of the demo is in its pretraining, Word2Vec included; shown from the files."""

import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.sources.folder import read_folder
from tagalign.tasks import find_task
from tiny_project import ROOT


def test_demo_configuration_separates_the_recordings(monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = config.load("config/demo.yaml")
    sounds, _ = read_folder(settings["source"])
    listing = find_task("esc10-demo").read(ROOT, settings["datasets"]["esc10-demo"])
    tested = {clip.freesound_id for clip in listing.clips if clip.fold in listing.tested_folds}
    trained = {sound.identifier for sound in sounds}
    assert listing.tested_folds == [5]
    assert len(tested) > 25
    assert len(trained) > 250
    assert not tested & trained
    # The other folds are in pretraining, on purpose.
    assert {clip.freesound_id for clip in listing.clips if clip.fold == 1} <= trained


@pytest.mark.slow
def test_files_of_a_run_share_no_recording_with_the_tested_fold(finished_run):
    results = finished_run / "results" / "tiny"
    with store.read(results / "tasks" / "pets.h5", stage="task") as file:
        recordings = store.read_strings(file["freesound_id"])
        tested = {
            name for name, fold in zip(recordings, file["fold"][()], strict=True) if fold == 5
        }
    assert len(tested) == 4
    with store.read(finished_run / "data" / "tiny" / "catalogue.h5", stage="catalogue") as file:
        seen = set(store.read_strings(file["id"]))
    # Word2Vec reads the tags of all sounds of this file, training those of the next.
    with store.read(results / "tags.h5", stage="tags") as file:
        seen |= set(store.read_strings(file["id"]))
    with store.read(results / "pairs.h5", stage="pairs") as file:
        for part in ("train", "validation"):
            seen |= set(store.read_strings(file[part]["id"]))
    assert len(seen) > 20
    assert not tested & seen


@pytest.mark.slow
def test_a_leak_stops_the_run_before_anything_is_scored(project):
    project.configure(source={"folder": {"drop": {"fold": [4]}}})
    done = project.snakemake("--until", "evaluate", "--set-threads", "train=1", check=False)
    assert done.returncode != 0
    assert "test recordings of pets are among the pretraining sounds" in done.stdout + done.stderr
