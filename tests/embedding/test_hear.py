"""The HEAR interface: its public validator, and that the timestamps mean what they say."""

import sys
import types

import numpy as np
import pytest
import torch

import tagalign
from small_model import write_model
from tagalign import hear
from tagalign.errors import InputError


@pytest.mark.parametrize("rate", [22_050, 22_000])
def test_the_public_validator_passes(tmp_path, monkeypatch, rate):
    """It wants a module named tensorflow, which it uses for models of TensorFlow alone."""
    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    sys.modules["tensorflow"].Module = type("Module", (), {})
    validate = pytest.importorskip(
        "hearvalidator.validate",
        reason="install it: pip install --no-deps --ignore-requires-python hearvalidator==2021.0.6",
        exc_type=ImportError,
    )
    path = write_model(tmp_path / "model.h5", sample_rate=rate)
    with pytest.warns(UserWarning, match="rounding errors"):  # it warns each user
        validate.ValidateModel("tagalign.hear", str(path), "cpu")()


def test_scenes_are_what_embed_gives(model_path):
    audio = torch.rand(2, 60_000) - 0.5
    found = hear.get_scene_embeddings(audio, hear.load_model(model_path))
    expected = tagalign.load(model_path).embed(list(audio.numpy()), 22_050)
    np.testing.assert_array_equal(found, expected)


def test_a_moment_is_embedded_where_its_timestamp_says(model_path):
    """The same click at two places gives the same embeddings at two times."""
    model = hear.load_model(model_path)
    early, late = 40 * 512, 140 * 512
    audio = torch.zeros(1, 220 * 512)
    audio[0, early] = audio[0, late] = 0.9
    vectors, times = hear.get_timestamp_embeddings(audio, model)
    assert vectors.shape == (1, 111, 72)
    assert times.shape == (1, 111)
    assert times[0, -1] <= 1000 * audio.shape[1] / 22_050
    at_early, at_late = (
        int(np.argmin(np.abs(times[0].numpy() - 1000 * at / 22_050))) for at in (early, late)
    )
    assert (at_early, at_late) == (20, 70)
    np.testing.assert_array_equal(vectors[0, at_early], vectors[0, at_late])
    assert not torch.equal(vectors[0, at_early], vectors[0, 45])


def test_the_model_of_the_demo_is_the_default(model_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAGALIGN_MODEL", raising=False)
    with pytest.raises(InputError, match="give a model file, set TAGALIGN_MODEL, or run `make de"):
        hear.load_model()
    hear.DEMO.parent.mkdir(parents=True)
    hear.DEMO.write_bytes(model_path.read_bytes())
    assert hear.load_model().scene_embedding_size == 72
    monkeypatch.setenv("TAGALIGN_MODEL", str(write_model(tmp_path / "m.h5", channels=4)))
    assert hear.load_model().scene_embedding_size == 36
