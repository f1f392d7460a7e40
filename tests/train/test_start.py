"""Training from a model: its weights, its scaling, its vocabulary kept or extended."""

import json

import h5py
import numpy as np
import pytest
import torch

from running import NARROW, SMALL, TRAIN, call
from tagalign.errors import InputError
from tagalign.model.file import load_model
from tagalign.train.data import read_pairs
from tagalign.train.start import _map, start_from


@pytest.fixture(scope="session")
def trained(prepared, tmp_path_factory):
    """A model of the bundled sounds without fold 5."""
    path = tmp_path_factory.mktemp("trained") / "model.h5"
    sections = json.dumps({"model": NARROW, "train": TRAIN})
    words = ("--word2vec", prepared / "128.h5", "--system", "w2v-128-4h")
    call("train", prepared / "pairs.h5", *words, "--params", sections, "-o", path)
    return path


@pytest.fixture(scope="session")
def own(tmp_path_factory, corpus):
    """Pairs of other sounds with other tags: fold 5 and the samples, all tags."""
    folder = tmp_path_factory.mktemp("own")
    source = {
        "kind": "folder",
        "exclude_target_tasks": False,
        "folder": {
            "csv": str(corpus / "sounds.csv"),
            "audio": str(corpus / "audio"),
            "id_column": "freesound_id",
            "tag_separator": " ",
            "drop": {"fold": [1, 2, 3, 4]},
        },
    }
    catalogue, tags, patches = (folder / name for name in ("catalogue.h5", "tags.h5", "0.h5"))
    call("catalogue", "--params", json.dumps({"source": source}), "-o", catalogue)
    section = json.dumps({"tags": {"minimum_count": 1}})
    call("tags", catalogue, "--params", section, "-o", tags)
    where = ("--shard", 0, "--folder", corpus / "audio", "--jobs", 1)
    call("patches", catalogue, *where, "--params", json.dumps({"patches": SMALL}), "-o", patches)
    call("pairs", tags, patches, "-o", folder / "pairs.h5")
    call("word2vec", tags, "--dimension", 128, "-o", folder / "128.h5")
    return folder


def test_a_start_has_the_weights_the_scaling_and_the_vocabulary_of_its_model(trained, own):
    model, data = load_model(trained), read_pairs(own / "pairs.h5")
    start = start_from(trained, data, None, own / "pairs.h5")
    assert start.data.vocabulary == model.vocabulary
    for name, weights in start.network().state_dict().items():
        assert torch.equal(weights, model.network.state_dict()[name])
    assert all(weights.requires_grad for weights in start.network().parameters())

    with h5py.File(own / "0.h5") as file:
        log_mel = dict(zip(read_ids(file), file["log_mel"][()], strict=True))
    kept = start.data.train.ids
    expected = model.scaling.apply(np.stack([log_mel[identifier] for identifier in kept]))
    np.testing.assert_allclose(start.data.train.patches.float(), expected, atol=2e-3)

    tags = dict(zip(data.train.ids, data.train.tags.tolist(), strict=True))
    for identifier, row in zip(kept, start.data.train.tags.tolist(), strict=True):
        names = [data.vocabulary[tag] for tag in tags[identifier] if tag < len(data.vocabulary)]
        known = [tag for tag in names if tag in model.vocabulary]
        found = [model.vocabulary[tag] for tag in row if tag < len(model.vocabulary)]
        assert found == known != []
    left = len(data.train) + len(data.validation) - start.dropped
    assert len(start.data.train) + len(start.data.validation) == left
    assert start.dropped > 0


def read_ids(file):
    from tagalign import store

    return store.read_strings(file["id"])


def test_new_tags_are_added_behind_those_of_the_model(trained, own):
    model, data = load_model(trained), read_pairs(own / "pairs.h5")
    start = start_from(trained, data, own / "128.h5", own / "pairs.h5")
    count = len(model.vocabulary)
    assert start.dropped == 0
    assert start.data.vocabulary[:count] == model.vocabulary
    assert set(start.data.vocabulary[count:]) == set(data.vocabulary) - set(model.vocabulary)
    assert torch.equal(start.vectors[:count], model.network.tag_encoder.words.vectors)
    assert start.vectors.shape == (len(start.data.vocabulary), 128)
    # What the model knew it still says in the same way.
    before, network = model.embed_tags([[model.vocabulary[0]]]), start.network().eval()
    padded = torch.full((1, model.tags_per_sound), len(start.data.vocabulary))
    padded[0, 0] = 0
    with torch.no_grad():
        np.testing.assert_allclose(network.tag_encoder(padded), before, atol=1e-5)


def test_a_rotated_and_scaled_space_is_rotated_and_scaled_back():
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(40, 16, generator=generator)
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, generator=generator))
    theirs = 3 * ours @ rotation
    tags = [str(number) for number in range(40)]
    mapped = _map(theirs, tags, ours[:30], tags[:30], "model.h5")
    torch.testing.assert_close(mapped, ours, rtol=1e-4, atol=1e-4)


def test_a_tuned_model_begins_where_the_first_one_ended(trained, own, tmp_path):
    losses = {}
    for name, options in (
        ("fresh", ("--system", "w2v-128-4h")),
        ("tuned", ("--start", trained)),
    ):
        sections = json.dumps({"model": NARROW, "train": TRAIN | {"epochs": 1}})
        words = ("--word2vec", own / "128.h5", "--params", sections)
        call("train", own / "pairs.h5", *options, *words, "-o", tmp_path / f"{name}.h5")
        losses[name] = load_model(tmp_path / f"{name}.h5").history["reconstruction"][0]
    assert losses["tuned"] < losses["fresh"]
    tuned = load_model(tmp_path / "tuned.h5")
    assert tuned.settings == load_model(trained).settings
    new = set(tuned.vocabulary) - set(load_model(trained).vocabulary)
    assert np.isfinite(tuned.embed_tags([[min(new)]])).all()


def test_what_does_not_fit_is_refused(trained, own, prepared, tmp_path):
    data = read_pairs(own / "pairs.h5")
    data.front_end = data.front_end | {"window": "hann"}
    with pytest.raises(
        InputError, match=r"patches\.window = hann, but .* was trained with hamming"
    ):
        start_from(trained, data, None, own / "pairs.h5")
    data = read_pairs(own / "pairs.h5")
    data.vocabulary = [f"{tag}-x" for tag in data.vocabulary]
    with pytest.raises(InputError, match=r"no sound of .* has a tag that .*model\.h5 knows"):
        start_from(trained, data, None, own / "pairs.h5")
    with pytest.raises(InputError, match="shares 0 tags with .*, too few"):
        _map(torch.zeros(1, 2), ["a"], torch.zeros(1, 2), ["b"], "model.h5")
    arguments = ("train", own / "pairs.h5", "--start", trained, "-o", tmp_path / "x.h5")
    with pytest.raises(InputError, match="is of system w2v-128-4h, not coala; leave out --system"):
        call(*arguments, "--system", "coala")
