"""Word vectors: same bytes, all tags, and neighbours that make sense."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.tags.vocabulary import build_vocabulary
from tagalign.tags.word2vec import train_word2vec

SETTINGS = config.resolve_sections({}, ["word2vec"])["word2vec"]


def run(arguments, hash_seed):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tagalign", *map(str, arguments)]
    subprocess.run(command, env=environment, check=True, capture_output=True)


def test_same_bytes_whatever_python_hashes(tmp_path, catalogue):
    params = '{"tags": {"vocabulary_size": 100}}'
    for seed in ("1", "2"):
        tags = tmp_path / f"tags{seed}.h5"
        run(["tags", catalogue, "--params", params, "-o", tags], seed)
        run(["word2vec", tags, "--dimension", 16, "-o", tmp_path / f"vectors{seed}.h5"], seed)
    assert store.digest(tmp_path / "tags1.h5") == store.digest(tmp_path / "tags2.h5")
    assert store.digest(tmp_path / "vectors1.h5") == store.digest(tmp_path / "vectors2.h5")
    with store.read(tmp_path / "vectors1.h5", stage="word2vec") as file:
        assert file["vectors"].shape == (100, 16)
        assert file["vectors"].dtype == np.float32
        assert file.attrs["seed"] == 0
        with store.read(tmp_path / "tags1.h5") as tags:
            assert store.read_strings(file["vocabulary"]) == store.read_strings(tags["vocabulary"])


@pytest.mark.parametrize("dimension", [1, 128, 1152])
def test_every_tag_gets_a_vector_of_any_dimension(dimension):
    rows = [[0, 1], [2], [1, 0], [3, 3]]  # tag 2 is never beside another
    vectors = train_word2vec(rows, 4, dimension, SETTINGS)
    assert vectors.shape == (4, dimension)
    assert np.isfinite(vectors).all()
    assert (np.abs(vectors).max(axis=1) > 0).all()


def test_the_seed_changes_the_vectors():
    rows = [[0, 1, 2], [2, 1], [1, 0]]
    one = train_word2vec(rows, 3, 8, SETTINGS)
    assert np.array_equal(one, train_word2vec(rows, 3, 8, SETTINGS))
    assert not np.array_equal(one, train_word2vec(rows, 3, 8, SETTINGS | {"seed": 1}))


def test_neighbours_on_real_tags(shared):
    """Tags that are used together come near each other, and far from the others."""
    rows = json.loads((shared / "data" / "tags" / "freesound_id_to_tags.json").read_text())
    tags = config.resolve_sections({}, ["tags"])["tags"] | {
        "minimum_count": 5,
        "vocabulary_size": 800,
    }
    found = build_vocabulary(list(rows.values()), tags)
    vectors = train_word2vec(found.rows, 800, 64, SETTINGS | {"epochs": 30})
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = {word: number for number, word in enumerate(found.words)}

    def rank(word, other):
        similarity = vectors @ vectors[index[word]]
        return int((similarity > similarity[index[other]]).sum())  # 0 is the word itself

    assert rank("dog", "bark") < 20
    assert rank("siren", "police") < 20
    assert rank("dog", "police") > 50


def test_a_tag_without_sounds_is_refused():
    with pytest.raises(InputError, match="tag number 1 of the vocabulary occurs in no sound"):
        train_word2vec([[0], [2]], 3, 8, SETTINGS)
