"""Small tag files and patch shards, written as their stages write them."""

import numpy as np
import pytest

import stage_files
from tagalign.config import load as config

FRONT_END = config.resolve_sections({}, ["patches"])["patches"] | {"n_mels": 8, "n_frames": 12}
CLEANING = config.resolve_sections({}, ["tags"])["tags"]


@pytest.fixture
def write_tags(tmp_path):
    """Write {id: tag indices} as the stage `tags` does."""

    def write(rows, vocabulary=("rain", "dog", "wind"), failures=(), name="tags.h5"):
        path = tmp_path / name
        return stage_files.write_tags(path, rows, vocabulary, failures, CLEANING)

    return write


@pytest.fixture
def write_shard(tmp_path):
    """Write {id: patch} as the stage `patches` does."""

    def write(patches, name="0000.h5", failures=(), front_end=FRONT_END):
        return stage_files.write_patches(tmp_path / name, patches, front_end, failures)

    return write


@pytest.fixture
def random_patches():
    """Make patches for ids, with bands and frames of different ranges."""

    def make(ids, seed=0):
        rng = np.random.default_rng(seed)
        bands, frames = np.arange(8)[:, None], np.arange(12)[None]
        return {
            identifier: (rng.normal(-8, 3, (8, 12)) + bands - 0.1 * frames).astype(np.float32)
            for identifier in ids
        }

    return make
