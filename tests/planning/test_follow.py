"""A file whose inputs are not those that it was made from is found and has to be made again."""

from pathlib import Path

import numpy as np
import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.planning.digests import digest_files
from tagalign.planning.follow import Repairs, not_following
from tagalign.planning.layout import Layout

SETTINGS = {
    "run": "mine",
    "systems": ["w2v-128-mean"],
    "seeds": [0],
    "tasks": ["esc10"],
    "source": {"kind": "folder", "name": "sounds"},
}
SHARDS = (0, 1, 2)


@pytest.fixture
def run(tmp_path, monkeypatch) -> Layout:
    """A finished run: every file with what it was made from, and else almost empty."""
    monkeypatch.chdir(tmp_path)
    layout = Layout(config.resolve(SETTINGS))
    for stage in layout.stages():
        for wildcards in layout.wildcards(stage):
            make(layout, stage, **wildcards)
    return layout


def make(layout, stage, *, value=0, **wildcards):
    path = layout.file(stage, **wildcards)
    inputs = layout.inputs(stage, wildcards)
    with store.create(path, stage=stage, config={}, inputs=inputs) as file:
        file["shard"] = np.array(SHARDS, np.int32)
        file["value"] = value
    return path


def wrong(layout) -> set[str]:
    return set(not_following(layout, lambda paths: digest_files(paths, "memory.json")))


def test_a_finished_run_follows(run):
    assert len(run.files("patches")) == 3
    assert wrong(run) == set()


@pytest.mark.parametrize(
    ("stage", "wildcards", "expected"),
    [
        ("task", {"task": "esc10"}, {"leaks", "embed_task", "evaluate", "zeroshot"}),
        ("train", {"system": "w2v-128-mean", "seed": 0}, {"embed_task", "retrieve", "zeroshot"}),
        ("word2vec", {"dimension": 128}, {"train"}),
        ("patches", {"shard": "0001"}, {"pairs"}),
        ("catalogue", {}, {"tags", "leaks"}),
        ("evaluate", {"system": "w2v-128-mean", "seed": 0, "task": "esc10"}, set()),
    ],
)
def test_what_was_made_from_a_file_that_is_another_now_or_gone(run, stage, wildcards, expected):
    path = make(run, stage, value=1, **wildcards)
    assert wrong(run) == {file for name in expected for file in run.files(name)}
    Path(path).unlink()
    if stage != "catalogue":  # without it nobody knows which shards there are
        assert wrong(run) == {file for name in expected for file in run.files(name)}


def test_a_shard_that_is_missing_or_damaged_is_made_with_its_catalogue(run, tmp_path):
    shard = tmp_path / run.file("shard", shard="0001")
    shard.write_bytes(shard.read_bytes()[:100])
    assert run.file("catalogue") in wrong(run)
    shard.unlink()
    assert run.file("catalogue") in wrong(run)


def test_pairs_of_a_shard_that_the_catalogue_no_longer_lists(run):
    with store.create(run.file("catalogue"), stage="catalogue", config={}) as file:
        file["shard"] = np.array([0, 1], np.int32)
    assert run.file("pairs") in wrong(run)


def test_a_damaged_file_is_made_again(run, tmp_path):
    (tmp_path / run.file("tags")).write_bytes(b"")
    assert run.file("tags") in wrong(run)


def test_the_number_grows_once_and_stays_when_the_file_was_made_again(run):
    def number(**options):
        repairs = Repairs(run, **({"look": True, "write": True} | options))
        return repairs("train", system="w2v-128-mean", seed="0")

    first = number()
    make(run, "word2vec", value=1, dimension="128")
    planned = number(write=False)
    assert planned != first
    # A dry run writes nothing down, and a job of a run that has started does not look.
    assert number(look=False) == first
    assert number() == planned
    assert number(look=False) == planned
    make(run, "train", system="w2v-128-mean", seed="0")
    assert number() == planned


def test_the_number_of_a_catalogue_stands_with_the_data_that_runs_share(run, tmp_path):
    (tmp_path / run.file("shard", shard="0001")).unlink()
    found = Repairs(run, look=True, write=True)("catalogue")
    other = Layout(config.resolve(SETTINGS | {"run": "other"}))
    assert Repairs(other, look=False, write=False)("catalogue") == found
