"""Embeddings of the clips of a task: mean over patches, left-out clips, the model's front end."""

import numpy as np
import pytest
import torch

from tagalign import store
from tagalign.config import load as config
from tagalign.embedding.pooling import patch_weights
from tagalign.errors import InputError
from tagalign.model.file import Model, load_model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling
from tiny_sets import write_tone

SECTIONS = config.resolve_sections({}, ["patches", "tags", "model"])


@pytest.fixture
def model_path(tmp_path):
    """A narrow audio encoder with random weights."""
    torch.manual_seed(0)
    settings = SECTIONS["model"] | {"channels": 4}
    network = Network(SYSTEMS["untrained"], settings, 96, 96, 2, None)
    model = Model(
        system=SYSTEMS["untrained"],
        network=network,
        settings=settings,
        vocabulary=["dog", "cat"],
        front_end=SECTIONS["patches"],
        cleaning=SECTIONS["tags"],
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32), "band", "both"),
        tags_per_sound=10,
    )
    model.save(tmp_path / "model.h5", stage="train", config={}, inputs={})
    return tmp_path / "model.h5"


def own_clips(directory):
    """Section of the configuration for the clips of `task_path`."""
    return {"csv": str(directory / "clips.csv"), "fold_column": "fold", "test_folds": [1]}


@pytest.fixture
def task_path(tmp_path, run):
    """Four clips of one to three patches; one of them cannot be read."""
    rows = ["freesound_id,file,label,fold"]
    for number, seconds in enumerate((0.5, 3.0, 6.0, 1.0)):
        write_tone(tmp_path / f"{number}.wav", number, number, seconds)
        rows.append(f"{number},{number}.wav,class{number % 2},{1 + number // 2}")
    (tmp_path / "3.wav").write_text("no sound")
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    params = {"datasets.tones": own_clips(tmp_path)}
    run("task", "--task", "tones", "-o", tmp_path / "task.h5", params=params)
    return tmp_path / "task.h5"


def test_mean_over_the_frames_of_each_readable_clip(model_path, task_path, tmp_path, run):
    output = tmp_path / "e.h5"
    run("embed-task", task_path, "--model", model_path, "--device", "cpu", "-o", output)
    model = load_model(model_path)
    with store.read(task_path) as task, store.read(output, stage="embed-task") as found:
        every, offsets = task["patches/values"][()], task["patches/offsets"][()]
        assert np.diff(offsets).tolist() == [1, 2, 3, 0]
        assert store.read_strings(found["clip_id"]) == ["0", "1", "2"]
        for row in range(3):
            patches = every[offsets[row] : offsets[row + 1]]
            weights = patch_weights(patches, model.front_end, "sound")
            mean = np.average(model.embed_patches(patches), axis=0, weights=weights)
            np.testing.assert_allclose(found["embedding"][row], mean, rtol=1e-5)
        ((failed, reason),) = store.read_failures(found)
        assert failed == "3"
        assert "not a readable sound" in reason


def test_task_of_another_front_end(model_path, task_path, tmp_path, run):
    params = {
        "datasets.tones": own_clips(tmp_path),
        "patches": {"window": "hann"},
    }
    run("task", "--task", "tones", "-o", tmp_path / "hann.h5", params=params)
    with pytest.raises(InputError, match=r"patches\.window = hann, but .* with hamming"):
        run("embed-task", tmp_path / "hann.h5", "--model", model_path, "-o", tmp_path / "e.h5")


@pytest.mark.parametrize(
    ("resampler", "package"), [("soxr_hq", "soxr"), ("kaiser_fast", "resampy")]
)
def test_a_task_names_the_version_of_its_resampler(task_path, tmp_path, run, resampler, package):
    params = {
        "datasets.tones": own_clips(tmp_path),
        "patches": {"resampler": resampler},
    }
    run("task", "--task", "tones", "-o", tmp_path / "again.h5", params=params)
    with store.read(tmp_path / "again.h5") as file:
        assert {"soxr", "resampy"} & set(store.attributes(file)["versions"]) == {package}


def test_no_clip_can_be_read(task_path, tmp_path, run):
    for path in tmp_path.glob("*.wav"):
        path.write_text("no sound")
    params = {"datasets.tones": own_clips(tmp_path)}
    with pytest.raises(InputError, match="none of 4 clips below .* could be used; the first, 0"):
        run("task", "--task", "tones", "-o", tmp_path / "none.h5", params=params)
    assert not (tmp_path / "none.h5").exists()
