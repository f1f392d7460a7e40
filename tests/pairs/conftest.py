"""Small tag files and patch shards, written as their stages write them."""

import numpy as np
import pytest

from tagalign import store
from tagalign.config import load as config

FRONT_END = config.resolve_sections({}, ["patches"])["patches"] | {"n_mels": 8, "n_frames": 12}
CLEANING = config.resolve_sections({}, ["tags"])["tags"]


@pytest.fixture
def write_tags(tmp_path):
    """Write {id: tag indices} as the stage `tags` does."""

    def write(rows, vocabulary=("rain", "dog", "wind"), failures=(), name="tags.h5"):
        with store.create(tmp_path / name, stage="tags", config={"tags": CLEANING}) as file:
            store.write_strings(file, "id", list(rows))
            store.write_ragged(file, "tags", list(rows.values()), "int32")
            store.write_strings(file, "vocabulary", list(vocabulary))
            store.write_failures(file, list(failures))
        return tmp_path / name

    return write


@pytest.fixture
def write_shard(tmp_path):
    """Write {id: patch} as the stage `patches` does."""

    def write(patches, name="0000.h5", failures=(), front_end=FRONT_END):
        path = tmp_path / name
        with store.create(path, stage="patches", config={"patches": front_end}) as file:
            store.write_strings(file, "id", list(patches))
            shape = (0, front_end["n_mels"], front_end["n_frames"])
            values = np.stack(list(patches.values())) if patches else np.zeros(shape)
            file.create_dataset("log_mel", data=values.astype(np.float32))
            store.write_failures(file, list(failures))
        return path

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
