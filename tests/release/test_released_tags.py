"""The released tag encoder gives what the released code gives, on real tags."""

import json

import numpy as np
import pytest

import released
from tagalign.embedding.tags import known_tags
from tagalign.model.file import load_model
from tagalign.release.build import read_release


@pytest.fixture(scope="module")
def models(reference):
    return {
        preset: read_release(reference, preset=preset).model for preset in ("reference", "paper")
    }


def cosine(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize(("preset", "padded"), [("reference", "summed"), ("paper", "masked")])
def test_against_a_direct_implementation(models, released_state, us8k_tag_ids, preset, padded):
    """All real tag sets of UrbanSound8K, in the order of the vocabulary."""
    model = models[preset]
    sets = list(us8k_tag_ids.values())
    found = model.embed_tags([[model.vocabulary[i] for i in ids] for ids in sets])
    expected = np.stack([released.attention(released_state, ids, 1, padded=padded) for ids in sets])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_padded_queries_matter_as_much_as_was_measured(models, us8k_tag_ids):
    """Removing the padded queries changes phi_w: cosine .96 in the mean, .60 at worst."""
    model = models["reference"]
    sets = [[model.vocabulary[i] for i in ids] for ids in us8k_tag_ids.values()]
    change = cosine(models["reference"].embed_tags(sets), models["paper"].embed_tags(sets))
    assert 0.95 < change.mean() < 0.97
    assert 0.55 < change.min() < 0.65


def test_users_tags_become_the_published_indices(models, reference, us8k_tag_ids):
    """Raw Freesound tags -> cleaned as the release -> the authors' own indices."""
    model = models["reference"]
    raw = json.loads((reference / "us8k_tags_raw.json").read_text())
    for identifier, tags in raw.items():
        known = known_tags(model, tags)
        indices = sorted(model.vocabulary.index(tag) for tag in known)
        assert indices == us8k_tag_ids.get(identifier, []), identifier


def test_of_more_than_ten_tags_the_preset_says_which_count(models, released_state):
    ids = [900, 3, 500, 7, 20, 31, 44, 58, 61, 77, 80, 12]
    tags = [models["paper"].vocabulary[i] for i in ids]
    np.testing.assert_allclose(
        models["reference"].embed_tags([tags])[0],
        released.attention(released_state, sorted(ids), 1),
        atol=2e-5,
    )
    np.testing.assert_allclose(
        models["paper"].embed_tags([tags])[0],
        released.attention(released_state, ids, 1, padded="masked"),
        atol=2e-5,
    )


def test_the_model_file_is_complete(models, tmp_path, us8k_tag_ids):
    model = models["reference"]
    sets = [[model.vocabulary[i] for i in ids] for ids in list(us8k_tag_ids.values())[:50]]
    for name in ("a.h5", "b.h5"):
        model.save(tmp_path / name, stage="import-release", config={}, inputs={})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    again = load_model(tmp_path / "a.h5")
    np.testing.assert_array_equal(again.embed_tags(sets), model.embed_tags(sets))
    assert again.cleaning["lemmatizer"] == "inflect"
    assert (again.tags_per_sound, again.tag_order) == (10, "vocabulary")
    assert again.system.name == "w2v-128-1h"
