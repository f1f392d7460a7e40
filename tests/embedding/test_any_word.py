"""A model whose word model knows more than its vocabulary embeds any word that has a vector."""

import dataclasses

import numpy as np
import pytest
import torch

import tagalign
from small_model import SECTIONS
from tagalign.errors import InputError
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling
from tagalign.tags.words import MoreWords

VOCABULARY = ["dog", "bark", "rain", "zzyzx"]
MORE = ["thunder", "storm", "cat"]


@pytest.fixture(params=["w2v-128-4h", "w2v-128-mean"])
def model(request, tmp_path):
    """Vectors of 10 values in a system of 128; "zzyzx" has none."""
    torch.manual_seed(1)
    system, settings = SYSTEMS[request.param], SECTIONS["model"] | {"channels": 8}
    random = np.random.default_rng(0)
    vectors = random.normal(size=(4, 10)).astype(np.float32)
    vectors[3] = 0
    more = MoreWords(MORE, random.normal(size=(3, 10)).astype(np.float32), [], np.zeros((0, 10)))
    network = Network(system, settings, 96, 96, 4, torch.from_numpy(vectors))
    made = Model(
        system=system,
        network=network,
        settings=settings,
        vocabulary=VOCABULARY,
        front_end=SECTIONS["patches"],
        cleaning=SECTIONS["tags"],
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32)),
        tags_per_sound=10,
        more=more,
    )
    made.save(tmp_path / "model.h5", stage="train", config={}, inputs={})
    return tagalign.load(tmp_path / "model.h5")


def test_words_beyond_the_vocabulary(model):
    found = model.embed_tags(["thunder", "dog, cat", "thunder storm"])
    assert found.shape == (3, 128)
    assert np.isfinite(found).all()
    alone = np.stack([model.embed_tags(tags) for tags in ("thunder", "dog, cat", "thunder storm")])
    assert np.array_equal(found, alone)


def test_a_word_beyond_is_embedded_as_one_of_the_vocabulary_would_be(model):
    """The same vector gives the same embedding, wherever the word model keeps it."""
    more = model.model.more
    vectors = more.vectors.copy()
    vectors[0] = model.model.words.vectors[0]
    twin = dataclasses.replace(model.model, more=dataclasses.replace(more, vectors=vectors))
    twin = tagalign.Embedder(twin, "0")
    assert np.array_equal(twin.embed_tags("thunder, rain"), twin.embed_tags("dog, rain"))


def test_a_tag_of_several_words_has_their_mean(model):
    words = model.model.words
    mean = (words.vector("thunder") + words.vector("storm")) / 2
    assert np.allclose(words.vector("thunder-storm"), mean)
    assert tagalign.embedding.tags.read_tags(model.model, "Thunder Storms").tags == [
        "thunder-storm"
    ]


def test_a_word_without_a_vector_is_named_with_its_neighbours(model):
    with pytest.raises(InputError, match="'thundr' has no vector.*nearest: thunder"):
        model.embed_tags("thundr")
    with pytest.raises(InputError, match="'zzyzx' has no vector"):
        model.embed_tags("zzyzx")


def test_a_tag_without_a_vector_counts_as_little_as_an_empty_place(model):
    encoder = model.model.network.tag_encoder
    with torch.inference_mode():
        alone, beside = encoder(torch.tensor([[0, 4, 4], [0, 3, 4]]))
    assert torch.allclose(alone, beside, atol=1e-6)


def test_only_what_has_a_vector_is_near(model):
    signal = np.random.default_rng(0).uniform(-1, 1, size=44100).astype(np.float32)
    assert {tag for tag, _ in model.nearest_tags(signal, rate=22050)} == {"dog", "bark", "rain"}
