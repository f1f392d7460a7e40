"""The model file: complete, repeatable, and what is embedded does not depend on the batch."""

import dataclasses

import numpy as np
import pytest
import torch

from tagalign import store
from tagalign.errors import ConfigError, InputError
from tagalign.model.device import choose_device
from tagalign.model.file import Model, load_model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling

VOCABULARY = ["dog", "bark", "rain", "field-recording", "bass", "drum", "loop"]
SIZE = 32


def make(name, settings, tag_order="given"):
    system = SYSTEMS[name]
    torch.manual_seed(1)
    vectors = None if system.width is None else torch.randn(len(VOCABULARY), system.width)
    network = Network(system, settings | {"channels": 8}, SIZE, SIZE, len(VOCABULARY), vectors)
    # Not the statistics that batch norm starts with.
    network.audio_encoder(torch.rand(8, 1, SIZE, SIZE))
    minimum = np.linspace(-16, -12, SIZE, dtype=np.float32)
    return Model(
        system=system,
        network=network,
        settings=settings | {"channels": 8},
        vocabulary=VOCABULARY,
        front_end={"n_mels": SIZE, "n_frames": SIZE, "sample_rate": 22050},
        cleaning={"lemmatizer": "wordnet"},
        scaling=Scaling(minimum, minimum + 10, "band", "both"),
        tags_per_sound=3,
        tag_order=tag_order,
        history={"loss": np.array([3.0, 2.5])},
    )


@pytest.fixture
def patches() -> np.ndarray:
    return np.random.default_rng(0).uniform(-18, 0, (37, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_model_file_gives_back_the_model(name, settings, tmp_path, patches):
    model = make(name, settings)
    model.save(tmp_path / "a.h5", stage="train", config={"model": settings}, inputs={}, seed=1)
    loaded = load_model(tmp_path / "a.h5")
    for field in dataclasses.fields(Model):
        if field.name not in ("network", "scaling", "history"):
            assert getattr(loaded, field.name) == getattr(model, field.name)
    assert loaded.history["loss"].tolist() == [3.0, 2.5]
    assert np.array_equal(loaded.embed_patches(patches), model.embed_patches(patches))
    if model.network.tag_encoder is not None:
        sets = [["dog", "bark"], ["loop"]]
        assert np.array_equal(loaded.embed_tags(sets), model.embed_tags(sets))
        assert (
            loaded.project(loaded.embed_patches(patches)).shape[1]
            == loaded.embed_tags(sets).shape[1]
        )


def test_equal_models_give_equal_bytes(settings, tmp_path):
    for name in ("a", "b"):
        make("w2v-128-4h", settings).save(tmp_path / name, stage="train", config={}, inputs={})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_patches_are_scaled_with_the_statistics_of_the_file(settings, patches):
    model = make("untrained", settings)
    scaled = np.clip((patches - model.scaling.minimum[:, None]) / 10, 0, 1)
    with torch.no_grad():
        network = model.network.eval()
        truth = network.audio_encoder(torch.from_numpy(scaled)[:, None]).numpy()
    np.testing.assert_allclose(model.embed_patches(patches), truth, atol=1e-4)


def test_an_embedding_does_not_depend_on_what_is_embedded_beside_it(settings, patches):
    model = make("w2v-128-4h", settings)
    together = model.embed_patches(patches)
    assert together.dtype == np.float32
    assert together.shape == (37, model.network.audio_encoder.size)
    for row in (0, 5, 20, 36):
        assert np.array_equal(model.embed_patches(patches[row : row + 1])[0], together[row])
    shuffled = model.embed_patches(patches[::-1])[::-1]
    assert np.array_equal(shuffled, together)
    sets = [["dog"], ["bark", "rain", "bass"], ["loop", "drum"]]
    alone = [model.embed_tags([tags])[0] for tags in sets]
    assert np.array_equal(model.embed_tags(sets), alone)


def test_no_patches_give_no_embeddings(settings, patches):
    assert make("untrained", settings).embed_patches(patches[:0]).shape == (0, 8)


def test_a_set_uses_its_first_tags_as_given_or_by_vocabulary(settings):
    tags = [["loop", "drum", "bass", "dog"]]
    given, by_vocabulary = (
        make("w2v-128-mean", settings, order) for order in ("given", "vocabulary")
    )
    assert given.tag_indices(tags).tolist() == [[6, 5, 4]]
    assert by_vocabulary.tag_indices(tags).tolist() == [[0, 4, 5]]
    assert make("coala", settings).tag_indices(tags).tolist() == [[6, 5, 4, 0]]


def test_bad_input_to_a_model_names_the_value(settings, patches, tmp_path):
    model = make("w2v-128-1h", settings)
    with pytest.raises(InputError, match="tag set 1: tag 'cat' is not in the vocabulary"):
        model.embed_tags([["dog"], ["dog", "cat"]])
    with pytest.raises(InputError, match="tag set 0: no tag is in the vocabulary"):
        model.embed_tags([[]])
    with pytest.raises(InputError, match=r"\(37, 32, 16\) do not fit"):
        model.embed_patches(patches[:, :, :16])
    with pytest.raises(InputError, match="system cnn has no tag encoder"):
        make("cnn", settings).embed_tags([["dog"]])
    with pytest.raises(InputError, match="untrained has no map from audio to tags"):
        make("untrained", settings).project(np.zeros((1, 8), np.float32))
    with store.create(tmp_path / "tags.h5", stage="tags", config={}):
        pass
    with pytest.raises(InputError, match=r"tags\.h5 holds no model \(stage 'tags'\)"):
        load_model(tmp_path / "tags.h5")


def test_a_file_without_audio_encoder_still_embeds_tags(settings, tmp_path, patches):
    model = make("w2v-128-1h", settings)
    for part in ("audio_encoder", "projection", "audio_decoder"):
        setattr(model.network, part, None)
    model.scaling = None
    model.save(tmp_path / "tags-only.h5", stage="import-release", config={}, inputs={})
    loaded = load_model(tmp_path / "tags-only.h5")
    assert np.array_equal(loaded.embed_tags([["dog"]]), model.embed_tags([["dog"]]))
    with pytest.raises(InputError, match="has no audio encoder"):
        loaded.embed_patches(patches)


def test_a_gpu_that_is_not_there_is_refused():
    assert choose_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        pytest.skip("there is a GPU, so asking for one is right")
    assert choose_device("auto").type == "cpu"
    with pytest.raises(
        ConfigError, match=r"'cuda' was asked for .*, but .*; set it to cpu or auto"
    ):
        choose_device("cuda")
