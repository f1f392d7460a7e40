"""Training files made from the bundled sounds by the stages before training."""

import functools
import json
from pathlib import Path

import pytest

from running import SMALL, call, training
from tagalign.config import load as config


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, corpus) -> Path:
    """Directory with pairs.h5 and word vectors of both sizes, from real sounds."""
    folder = tmp_path_factory.mktemp("prepared")
    source = {
        "kind": "folder",
        "name": "test",
        "shard_size": 120,
        "exclude_target_tasks": False,
        "folder": {
            "csv": str(corpus / "sounds.csv"),
            "audio": str(corpus / "audio"),
            "id_column": "freesound_id",
            "tag_separator": " ",
            "drop": {"fold": [5]},
        },
    }
    catalogue, tags = folder / "catalogue.h5", folder / "tags.h5"
    call("catalogue", "--params", json.dumps({"source": source}), "-o", catalogue)
    section = json.dumps({"tags": {"minimum_count": 2, "vocabulary_size": 100}})
    call("tags", catalogue, "--params", section, "-o", tags)
    section = json.dumps({"patches": SMALL})
    where = ("--shard", 0, "--folder", corpus / "audio", "--jobs", 1)
    call("patches", catalogue, *where, "--params", section, "-o", folder / "0000.h5")
    call("pairs", tags, folder / "0000.h5", "-o", folder / "pairs.h5")
    for dimension in (128, 1152):
        out = folder / f"{dimension}.h5"
        call("word2vec", tags, "--dimension", dimension, "-o", out)
    return folder


@pytest.fixture(scope="session")
def reference_train() -> dict:
    """The section `train` of the preset `reference`."""
    path = Path(__file__).parents[2] / "config" / "reference.yaml"
    return config.load(path)["train"]


@pytest.fixture
def command(prepared, tmp_path):
    """`training` in a directory of the test's own."""
    return functools.partial(training, prepared, tmp_path)
