"""Which files a run has, and where they lie."""

import numpy as np
import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import ConfigError
from tagalign.planning.layout import PATTERNS, Layout

SETTINGS = {
    "run": "mine",
    "systems": ["mfcc", "cnn", "w2v-128-mean", "w2v-1152-1h"],
    "seeds": [3, 4],
    "tasks": ["esc10", "us8k-tag"],
    "source": {"kind": "folder", "name": "sounds"},
}


def layout(**changes) -> Layout:
    return Layout(config.resolve(config.merge(SETTINGS, changes)))


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """A catalogue whose second shard has lost its last sound."""
    monkeypatch.chdir(tmp_path)
    with store.create("data/sounds/catalogue.h5", stage="catalogue", config={}) as file:
        file["shard"] = np.array([0, 2, 0, 11], np.int32)


def test_places_follow_the_names_of_run_and_source():
    assert layout().file("patches", shard="0007") == "results/mine/patches/0007.h5"
    assert layout().file("catalogue") == "data/sounds/catalogue.h5"
    assert layout(source={"name": None}).data == "data/mine"
    moved = Layout(config.resolve(SETTINGS), data="/d", results="/r")
    assert moved.file("audio", shard="0000") == "/d/audio/0000.h5"
    assert moved.file("train", system="cnn", seed=3) == "/r/models/cnn/3.h5"


@pytest.mark.usefixtures("catalogue")
def test_shards_are_those_that_the_catalogue_lists():
    assert layout().shards() == ["0000", "0002", "0011"]
    assert layout(source={"name": "other"}).shards() == []


def test_only_what_goes_together_is_embedded_and_scored():
    scores = {path.removeprefix("results/mine/scores/") for path in layout().files("evaluate")}
    assert scores == {
        "mfcc/0/esc10.h5",
        *(f"{name}/{seed}/esc10.h5" for name in SETTINGS["systems"][1:] for seed in (3, 4)),
        # Neither MFCC nor the network without a tag encoder can embed tags.
        *(f"{name}/{seed}/us8k-tag.h5" for name in SETTINGS["systems"][2:] for seed in (3, 4)),
    }
    assert layout().files("word2vec") == [f"results/mine/word2vec/{n}.h5" for n in (128, 1152)]


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("kind", ["folder", "freesound", "coala"])
def test_each_input_of_a_file_is_a_file_of_the_run(kind):
    """Nothing is made from a file that no stage of the run makes."""
    run = layout(source={"kind": kind})
    made = {path for stage in run.stages() for path in run.files(stage)}
    for stage in run.stages():
        for wildcards in run.wildcards(stage):
            assert set(run.inputs(stage, wildcards).values()) <= made
            assert run.match(run.file(stage, **wildcards)) == (stage, wildcards)
    assert set(run.everything()) >= {run.file("pairs"), run.file("tags")}


def test_every_stage_but_the_sources_has_inputs():
    run = layout(source={"kind": "freesound"})
    values = {"shard": "0000", "dimension": "128", "system": "w2v-128-mean", "seed": "3"}
    without = {stage for stage in PATTERNS if not run.inputs(stage, values | {"task": "esc10"})}
    assert without == {"catalogue", "shard", "dataset"}


def test_files_of_other_runs_match_no_stage():
    run = layout()
    for path in ("results/other/pairs.h5", "results/mine/checkpoints/cnn/0-a/b.h5", "pairs.h5"):
        assert run.match(path) is None


def test_figures_are_those_of_which_there_is_something_to_draw():
    assert layout().figures() == [
        *("accuracy", "training", "confusion-esc10", "confusion-us8k-tag"),
    ]
    plain = layout(systems=["mfcc", "untrained"])
    assert plain.figures() == ["accuracy", "confusion-esc10"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match=r"there is no task 'esc11'; did you mean 'esc10'\?"):
        Layout(config.resolve(SETTINGS | {"tasks": ["esc11"]}))
