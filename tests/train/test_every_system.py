"""All trained systems and MFCC end to end on real sounds: narrow, one epoch."""

import csv
import json

import h5py
import numpy as np
import pytest

from running import SMALL, call
from tagalign.model.file import load_model
from tagalign.model.systems import SYSTEMS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def task(prepared, corpus):
    """The bundled clips of ESC-10: trained on folds 1 to 4, tested on fold 5."""
    dataset = {
        "csv": str(corpus / "sounds.csv"),
        "audio": str(corpus / "audio"),
        "id_column": "freesound_id",
        "fold_column": "fold",
        "test_folds": [5],
    }
    sections = json.dumps({"datasets.bundled": dataset, "patches": SMALL})
    call("task", "--task", "bundled", "--params", sections, "-o", prepared / "bundled.h5")
    return prepared / "bundled.h5"


@pytest.mark.parametrize("seed", [0])
def test_every_system_goes_from_sounds_to_a_row_of_the_table(
    seed, prepared, task, command, tmp_path
):
    scores = []
    for name in [*SYSTEMS, "mfcc"]:
        embeddings = tmp_path / name / "embeddings.h5"
        how = ["--mfcc"]
        if name != "mfcc":
            arguments = command(system=name, output=f"{name}.h5", train={"epochs": 1})
            call(*arguments, "--seed", seed)
            check_model(tmp_path / f"{name}.h5", name)
            how = ["--model", tmp_path / f"{name}.h5", "--device", "cpu"]
        call("embed-task", task, *how, "-o", embeddings)
        with h5py.File(embeddings) as file:
            vectors = file["embedding"][()]
        assert np.isfinite(vectors).all()
        assert (np.ptp(vectors, axis=0) > 0).any()
        scores.append(tmp_path / name / "scores.h5")
        section = json.dumps({"evaluate": {"repetitions": 1, "hidden": 32}})
        where = ("--params", section, "-o", scores[-1])
        call("evaluate", task, embeddings, "--system", name, *where)
    call("report", *scores, "--directory", tmp_path / "report")
    with open(tmp_path / "report" / "table.csv") as file:
        table = list(csv.DictReader(file))
    assert {row["system"] for row in table} == {*SYSTEMS, "mfcc"}
    for row in table:
        assert 0 <= float(row["mean"]) <= 100


def check_model(path, name):
    """Each model embeds sounds, and tags where its system has an encoder for them."""
    model, system = load_model(path), SYSTEMS[name]
    assert model.system == system
    assert ("validation_loss" in model.history) == bool(system.losses)
    assert ("recall_at_1" in model.history) == ("contrastive" in system.losses)
    if system.tag_encoder is not None:
        vectors = model.embed_tags([[tag] for tag in model.vocabulary[:5]])
        assert vectors.shape == (5, system.width or model.network.audio_encoder.size)
        assert np.isfinite(vectors).all()
