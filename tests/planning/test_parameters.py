"""What of the configuration a rule gets, and what of it reruns the rule."""

import json

import pytest

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.planning import parameters


@pytest.fixture
def settings():
    return config.resolve({"run": "mine", "source": {"kind": "folder"}})


def test_a_section_is_split_into_what_is_compared_and_what_is_not(settings):
    settings["source"]["folder"]["csv"] = "mine/sounds.csv"
    compared = json.loads(parameters.sections(settings, "source"))
    others = json.loads(parameters.places(settings, "source"))
    assert "csv" not in compared["source"]["folder"]
    assert others["source"]["folder"]["csv"] == "mine/sounds.csv"
    assert "shard_size" in compared["source"]
    assert "shard_size" not in others["source"]


def test_keys_that_a_stage_does_not_read_are_left_out(settings):
    text = parameters.sections(settings, "pairs", "evaluate", without=["pairs.seed", "allow_leaks"])
    found = json.loads(text)
    assert "seed" not in found["pairs"]
    assert "seed" in found["evaluate"]
    assert "allow_leaks" not in found["evaluate"]
    assert parameters.other_sources(settings) == {"freesound", "coala"}


def test_contents_of_named_files_count_and_not_their_places(tmp_path):
    for name, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / name).write_text(text)
    one, same, other = parameters.contents(*(tmp_path / name for name in "abc"))
    assert one == same != other
    assert parameters.contents(None, "") == []
    with pytest.raises(InputError, match="nowhere.csv, named in the configuration"):
        parameters.contents("nowhere.csv")


def test_a_training_of_another_configuration_is_saved_elsewhere(settings):
    def place(**changes):
        changed = config.merge(settings, changes)
        return parameters.checkpoint_directory("results/mine", changed, "cnn", "0")

    assert place().startswith("results/mine/checkpoints/cnn/0-")
    assert place(train={"epochs": 3}) != place()
    assert place(evaluate={"hidden": 3}) == place()
