"""Reading releases: all systems, any part, and files that are not what they should be."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import released
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.errors import ConfigError, InputError
from tagalign.model.file import load_model
from tagalign.release.build import read_release
from tagalign.release.reference import REFERENCE

ROOT = Path(__file__).parents[2]
PAPER_SYSTEMS = [f"w2v-{width}-{kind}" for width in (128, 1152) for kind in ("1h", "4h", "mean")]
TAG_SETS = [[3, 17, 500], [999], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]


@pytest.fixture(scope="module")
def scaler():
    path = ROOT / "src/tagalign/resources/reference/scaler_top_1000.json"
    return json.loads(path.read_text())


@pytest.mark.parametrize("system", [*PAPER_SYSTEMS, "coala"])
def test_every_system_computes_what_the_release_does(tmp_path, system, scaler):
    """Random weights under the released names; a direct float64 implementation as truth."""
    states = released.random_states(system)
    read = read_release(released.write(tmp_path, states))
    model = read.model
    assert model.system.name == system
    assert set(read.files) == {*states, "vocabulary", "scaler"}

    rng = np.random.default_rng(1)
    log_mel = rng.uniform(-15, 3, (2, 96, 96)).astype(np.float32)
    low, high = np.array(scaler["data_min"]), np.array(scaler["data_max"])
    z, phi = released.audio_encoder(states["audio_encoder"], (log_mel - low) / (high - low))
    embedding = model.embed_patches(log_mel)
    np.testing.assert_allclose(embedding, z, atol=1e-4 * np.abs(z).max())
    np.testing.assert_allclose(model.project(embedding), phi, atol=1e-4 * np.abs(phi).max())
    with torch.no_grad():
        decoded = model.network.audio_decoder(torch.tensor(z, dtype=torch.float32))
    expected = released.audio_decoder(states["audio_decoder"], z)
    np.testing.assert_allclose(decoded.sigmoid()[:, 0], expected, atol=1e-4)

    if system == "coala":
        truth = released.multi_hot
    elif system.endswith("mean"):
        truth = released.mean
    else:

        def truth(state, ids):
            return released.attention(state, ids, model.system.heads)

    found = model.embed_tags([[model.vocabulary[i] for i in ids] for ids in TAG_SETS])
    expected = np.stack([truth(states["tag_encoder"], ids) for ids in TAG_SETS])
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    codes = rng.normal(size=(3, expected.shape[1]))
    with torch.no_grad():
        back = model.network.tag_decoder(torch.tensor(codes, dtype=torch.float32)).sigmoid()
    np.testing.assert_allclose(back, released.tag_decoder(states["tag_decoder"], codes), atol=1e-4)


@pytest.mark.parametrize(
    "parts", [["audio_encoder"], ["tag_encoder"], ["tag_encoder", "tag_decoder"]]
)
def test_any_part_alone_is_a_model(tmp_path, parts):
    states = released.random_states("w2v-128-4h")
    directory = released.write(tmp_path / "weights", states, parts)
    read_release(directory, system="w2v-128-4h").model.save(
        tmp_path / "model.h5", stage="import-release", config={}, inputs={}
    )
    model = load_model(tmp_path / "model.h5")
    if "audio_encoder" in parts:
        assert model.embed_patches(np.zeros((1, 96, 96), np.float32)).shape == (1, 1152)
        with pytest.raises(InputError, match="no tag encoder"):
            model.embed_tags([["dog"]])
    else:
        assert model.embed_tags([["dog"]]).shape == (1, 128)
        with pytest.raises(InputError, match="no audio encoder"):
            model.embed_patches(np.zeros((1, 96, 96), np.float32))


def test_the_last_epoch_is_taken(tmp_path):
    old, new = (released.random_states("w2v-128-mean", seed) for seed in (0, 1))
    released.write(tmp_path, old, ["tag_encoder"], epoch=90)
    released.write(tmp_path, new, ["tag_encoder"], epoch=200)
    model = read_release(tmp_path).model
    np.testing.assert_array_equal(
        model.network.state_dict()["tag_encoder.map.weight"], new["tag_encoder"]["fc.weight"]
    )


def test_files_around_the_weights(tmp_path):
    """Vocabulary and word vectors of the directory above go before the package's own copy."""
    states = released.random_states("w2v-128-mean")
    directory = released.write(tmp_path / "saved_models" / "one", states, ["tag_encoder"])
    (tmp_path / "json").mkdir()
    tokens = {str(i): f"word{i}" for i in range(1000)}
    (tmp_path / "json" / "id2token_top_1000.json").write_text(json.dumps(tokens))
    matrix = states["tag_encoder"]["embeddings.weight"].double().numpy()
    np.save(tmp_path / "embedding_matrix_128.npy", matrix)
    read = read_release(directory)
    assert read.model.vocabulary[:2] == ["word0", "word1"]
    assert read.files["word_vectors"] == tmp_path / "embedding_matrix_128.npy"
    np.save(tmp_path / "embedding_matrix_128.npy", matrix + 1)
    with pytest.raises(InputError, match=r"embedding_matrix_128.npy differs from embeddings"):
        read_release(directory)
    tokens.pop("999")
    (tmp_path / "json" / "id2token_top_1000.json").write_text(json.dumps(tokens))
    with pytest.raises(InputError, match="has 1001 rows, but the vocabulary of 999 tags"):
        read_release(directory)


@pytest.mark.parametrize("tokens", [{"0": ["a"]}, {"0": 7}, {"0": "a", "1": "a"}, {"1": "a"}, {}])
def test_vocabulary_of_another_kind(tokens, tmp_path):
    states = released.random_states("w2v-128-mean")
    directory = released.write(tmp_path, states, ["tag_encoder"])
    (tmp_path / "id2token_top_1000.json").write_text(json.dumps(tokens))
    with pytest.raises(InputError, match="must map each of 0, 1, ... to a tag of its own"):
        read_release(directory)


def test_one_directory_below_is_found_and_several_are_named(tmp_path):
    states = released.random_states("w2v-128-mean")
    released.write(tmp_path / "one", states, ["tag_encoder"])
    assert read_release(tmp_path).model.system.name == "w2v-128-mean"
    released.write(tmp_path / "two", states, ["tag_encoder"])
    with pytest.raises(InputError, match=r"holds several systems \(one, two\); give one"):
        read_release(tmp_path)


def test_systems_that_the_weights_fit(tmp_path):
    states = released.random_states("w2v-128-1h")
    directory = released.write(tmp_path, states, ["audio_encoder"])
    with pytest.raises(InputError, match="fit w2v-128-1h, w2v-128-4h, w2v-128-mean; name one"):
        read_release(directory)
    assert read_release(directory, system="w2v-128-mean").model.system.name == "w2v-128-mean"
    with pytest.raises(InputError, match="are not those of w2v-1152-1h .*; they fit w2v-128-1h"):
        read_release(directory, system="w2v-1152-1h")
    with pytest.raises(ConfigError, match="did you mean"):
        read_release(directory, system="w2v-128-1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("w_ks.weight"), "are not those of any released system"),
        (lambda s: s.pop("embeddings.weight"), "are not those of any released system"),
        (
            lambda s: s.update({"w_qs.bias": s.pop("w_qs.weight")}),
            "are not those of any released system",
        ),
        (
            lambda s: s.update({"embeddings.weight": torch.tensor(128)}),
            "are not those of any released system",
        ),
        (lambda s: s.update(extra=torch.zeros(1)), "are not those of any released system"),
        (lambda s: s.pop("layer_norm.bias"), r"\.pt lacks layer_norm.bias"),
        (
            lambda s: s.update({"layer_norm.gain": torch.zeros(128)}),
            r"\.pt holds layer_norm.gain, which",
        ),
        (
            lambda s: s.update({"fc.weight": torch.zeros(128, 64)}),
            r"fc.weight has shape \(128, 64\), not \(128, 128\)",
        ),
        (
            lambda s: s["embeddings.weight"].__setitem__(0, 1.0),
            "first row of embeddings.weight, the padding, is not zeros",
        ),
    ],
)
def test_every_name_and_shape_is_checked(tmp_path, change, message):
    states = released.random_states("w2v-128-1h")
    change(states["tag_encoder"])
    path = tmp_path / "tag_encoder_att_epoch_200.pt"
    torch.save(states["tag_encoder"], path)
    with pytest.raises(InputError, match=message) as error:
        read_release(tmp_path)
    assert "\n" not in str(error.value)


class Hostile:
    """A pickle that makes a file when it is read."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_no_code_in_the_files_is_run(tmp_path):
    trap = tmp_path / "trap"
    for save in (torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))):
        save({"w_qs.weight": Hostile(trap)}, tmp_path / "tag_encoder_att_epoch_200.pt")
        with pytest.raises(InputError, match="is not a PyTorch file of plain weights"):
            read_release(tmp_path)
        assert not trap.exists()


def test_files_that_are_no_release(tmp_path):
    with pytest.raises(InputError, match="is not a directory; give the one with"):
        read_release(tmp_path / "absent")
    with pytest.raises(InputError, match=r"holds no \.pt file"):
        read_release(tmp_path)
    path = tmp_path / "model.pt"
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="holds no file named as in the release"):
        read_release(tmp_path)
    path.rename(tmp_path / "audio_encoder_epoch_200.pt")
    with pytest.raises(InputError, match="is not a state dict"):
        read_release(tmp_path)
    states = released.random_states("w2v-128-mean")
    path = (
        released.write(tmp_path / "cut", states, ["tag_encoder"]) / "tag_encoder_att_epoch_200.pt"
    )
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="is not a PyTorch file of plain weights"):
        read_release(tmp_path / "cut")


@pytest.mark.parametrize("limits", [[0.0] * 95, ["low"] * 96, [[0.0], [0.0, 1.0]], "low", {}])
def test_scaler_of_another_kind(limits, tmp_path, scaler):
    states = released.random_states("w2v-128-mean")
    directory = released.write(tmp_path, states, ["audio_encoder"])
    (tmp_path / "scaler_top_1000.json").write_text(json.dumps(scaler | {"data_min": limits}))
    with pytest.raises(InputError, match="data_min must hold 96 numbers, one per column"):
        read_release(directory, system="w2v-128-mean")


def test_settings_are_those_of_the_reference_preset():
    """What an imported model stores about its making equals config/reference.yaml."""
    preset = config.load(ROOT / "config" / "reference.yaml")
    ours = config.resolve_sections(REFERENCE, REFERENCE)
    for name, section in ours.items():
        assert section == preset[name]
    assert preset["pairs"]["tag_order"] == "vocabulary"
    assert (preset["pairs"]["scaling"], preset["pairs"]["clip"]) == ("column", "low")


def test_verb(tmp_path):
    states = released.random_states("w2v-128-mean")
    directory = released.write(tmp_path / "weights", states, ["tag_encoder"])
    runner = CliRunner()
    arguments = ["import-release", str(directory), "-o", str(tmp_path / "model.h5")]
    result = runner.invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "system w2v-128-mean, from:" in result.output
    shutil.copy(tmp_path / "model.h5", tmp_path / "first.h5")
    assert runner.invoke(cli, arguments).exit_code == 0
    assert (tmp_path / "model.h5").read_bytes() == (tmp_path / "first.h5").read_bytes()
    result = runner.invoke(
        cli, ["embed-tags", str(tmp_path / "model.h5"), "dogs, bass", "-o", str(tmp_path / "e.h5")]
    )
    assert result.exit_code == 0, result.output
