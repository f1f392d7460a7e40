"""An exported model computes what ours does, and its card says how to use it."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import tagalign
from small_model import write_model
from tagalign.audio.padding import pad_short
from tagalign.cli import cli
from tagalign.errors import TagalignError
from tagalign.release import export

RELEASED = {
    "window": "hann",
    "power": 1,
    "edge_padding": "reflect",
    "pad_to_seconds": 10,
    "noise": 5e-4,
}


def run(*arguments):
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if result.exit_code:
        raise result.exception
    return result


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "front_end"), [("w2v-128-4h", {}), ("coala", RELEASED)], ids=["paper", "released"]
)
def test_onnx_gives_our_embeddings(tmp_path, monkeypatch, system, front_end):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = write_model(tmp_path / "model.h5", system, **front_end)
    directory = tmp_path / "onnx"
    shown = run("export", path, "--format", "onnx", "-o", directory).stdout.splitlines()
    assert sorted(shown) == sorted(str(file) for file in directory.iterdir())
    model = tagalign.load(path)
    audio = onnxruntime.InferenceSession(directory / "audio.onnx")
    settings, columns = model.model.front_end, 96 * 512
    for samples in (3000, columns - 1, columns, 2 * columns - 1, 2 * columns, 250_001):
        signal = np.random.default_rng(samples).normal(scale=0.1, size=samples).astype(np.float32)
        given = pad_short(signal, settings["pad_to_seconds"], settings)
        patches, mean, aligned = audio.run(None, {"signal": given})
        _, over_time = model.embed_over_time(signal, 22_050)
        for found, truth in (
            (patches, over_time),
            (mean, model.embed(signal, 22_050)),
            (aligned, model.embed(signal, 22_050, aligned=True)),
        ):
            assert found.shape == truth.shape
            np.testing.assert_allclose(found, truth, atol=1e-4 * max(1, np.abs(truth).max()))
    monkeypatch.chdir(directory)
    card = (directory / "README.md").read_text()
    scope: dict = {}
    exec(re.search(r"```python\n(.*?)```", card, re.S)[1], scope)
    np.testing.assert_allclose(scope["phi_w"][0], model.embed_tags("dog"), atol=1e-4)


def test_safetensors_holds_every_weight_and_what_goes_with_it(tmp_path, monkeypatch):
    pytest.importorskip("safetensors")
    path, directory = write_model(tmp_path / "model.h5"), tmp_path / "out"
    run("export", path, "--format", "safetensors", "-o", directory)
    model = tagalign.load(path).model
    monkeypatch.chdir(directory)
    scope: dict = {}
    exec(re.search(r"```python\n(.*?)```", (directory / "README.md").read_text(), re.S)[1], scope)
    weights, settings = scope["weights"], scope["settings"]
    for name, values in model.network.state_dict().items():
        np.testing.assert_array_equal(weights.pop(name), values)
    np.testing.assert_array_equal(
        weights.pop("word_vectors"), model.network.tag_encoder.words.vectors
    )
    np.testing.assert_array_equal(weights.pop("scaling.minimum"), model.scaling.minimum)
    np.testing.assert_array_equal(weights.pop("scaling.maximum"), model.scaling.maximum)
    assert not weights
    assert json.loads(settings["front_end"]) == model.front_end
    assert json.loads((directory / "vocabulary.json").read_text()) == ["dog", "bark", "rain"]
    card = json.loads((directory / "card.json").read_text())
    assert card["system"] == "w2v-128-4h"
    assert card["sizes"] == {"embedding": 72, "aligned embedding": 128}
    assert card["parameters"] == sum(p.numel() for p in model.network.parameters())


def test_what_onnxruntime_computes_otherwise_is_refused(tmp_path):
    with pytest.raises(
        TagalignError, match=r"x\.onnx: onnxruntime differs from PyTorch by 1.0e-03"
    ):
        export._check(tmp_path / "x.onnx", [np.full(3, 1.001)], [np.ones(3)])


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    path = write_model(tmp_path / "model.h5")
    with pytest.raises(TagalignError, match=r"needs the package onnxruntime; pip install 'tagal"):
        run("export", path, "--format", "onnx", "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
