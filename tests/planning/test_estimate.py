"""The estimate of disk and time, against figures worked out by hand."""

import shutil
from types import SimpleNamespace

import pytest

from tagalign.config import load as config
from tagalign.planning.estimate import (
    Estimate,
    duration,
    estimate,
    in_words,
    shortage,
    size,
)
from tagalign.planning.sounds import PAPER_SOUNDS
from tagalign.tasks import find_task


def paper(**changes):
    given = {"run": "paper", "source": {"kind": "freesound"}}
    return config.resolve(config.merge(given, changes))


def test_paper_scale():
    needs = estimate(paper(), PAPER_SOUNDS, cores=16, gpu=True)
    # Training patches of 2 bytes stay below 4 GB, those of the shards are twice that.
    assert 190_000 * 96 * 96 * 6 < needs.results_bytes < 25e9
    # 190,000 previews of some 100 kB, US8K, GTZAN and NSynth.
    assert 40e9 < needs.data_bytes < 100e9
    assert needs.hours["train"] < 24
    # 1,267 requests of 150 sounds: within a day's 2,000, at most 60 a minute.
    assert needs.hours["catalogue"] == pytest.approx(190_000 / 150 / 60 / 60)


def test_a_narrower_limit_per_day_takes_days():
    settings = paper(source={"freesound": {"requests_per_day": 500}})
    assert estimate(settings, PAPER_SOUNDS, cores=2, gpu=True).hours["catalogue"] == 48


def test_temporary_audio_needs_less():
    kept = estimate(paper(), PAPER_SOUNDS, cores=2, gpu=True)
    settings = paper(source={"freesound": {"keep_audio": False}})
    assert estimate(settings, PAPER_SOUNDS, cores=2, gpu=True).data_bytes < kept.data_bytes - 15e9


def test_own_data_sets_are_not_downloaded():
    settings = paper(datasets={"nsynth": {"path": "/sets/nsynth"}})
    saved = estimate(paper(), 1000, cores=2, gpu=True).data_bytes
    saved -= estimate(settings, 1000, cores=2, gpu=True).data_bytes
    assert saved == pytest.approx(26e9)


def test_a_disk_that_is_too_small_is_named(tmp_path):
    needs = estimate(paper(), 10**9, cores=2, gpu=True)
    places = (tmp_path / "data" / "freesound", tmp_path / "data" / "datasets")
    told = shortage(needs, *places, tmp_path / "results" / "paper")
    assert told.count("\n") == 0
    assert str(tmp_path) in told
    assert size(shutil.disk_usage(tmp_path).free)[:2] in told
    own = paper(tasks=["birds"], datasets={"birds": {"csv": "x", "fold_column": "fold"}})
    small = estimate(own, 10, cores=2, gpu=True)
    assert shortage(small, *places, tmp_path / "results") is None


def test_a_shard_under_two_names_lies_on_the_disk_once(tmp_path):
    """A finished shard and the journal's copy of it are one file."""
    data, there = tmp_path / "data", 10**12
    (data / "journal").mkdir(parents=True)
    with open(data / "0000.h5", "wb") as file:
        file.truncate(there)  # takes no room
    (data / "journal" / "0000.h5").hardlink_to(data / "0000.h5")
    wanted = shutil.disk_usage(tmp_path).free + 1.5 * there
    needs = Estimate(10, wanted, 0, {})
    assert shortage(needs, data, tmp_path / "datasets", tmp_path / "results") is not None


@pytest.fixture
def nsynth_only(tmp_path, monkeypatch):
    """Where the data sets lie, and what is said of a run that needs NSynth; 20 GB are free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=20e9))
    needs = Estimate(10, 26e9, 0, {}, {"nsynth": find_task("nsynth")})
    datasets = tmp_path / "datasets"
    (datasets / "nsynth").mkdir(parents=True)
    return datasets, lambda: shortage(needs, tmp_path / "data", datasets, tmp_path / "results")


def test_a_set_whose_archives_were_deleted_is_there(nsynth_only):
    datasets, told = nsynth_only
    for archive in find_task("nsynth").archives:
        assert told() is not None  # the other one is still to come
        (datasets / "nsynth" / f".{archive.file}.unpacked").write_text('"5f3a"')
    assert told() is None


def test_another_set_on_the_disk_does_not_stand_for_one_that_is_missing(nsynth_only):
    datasets, told = nsynth_only
    (datasets / "us8k").mkdir()
    with open(datasets / "us8k" / "UrbanSound8K.tar.gz", "wb") as file:
        file.truncate(30 * 10**9)  # takes no room
    assert told() is not None


def test_tasks_of_one_set_download_it_once():
    settings = paper(tasks=["us8k", "us8k-tag", "esc10", "esc50"])
    needs = estimate(settings, 10, cores=2, gpu=True)
    sizes = {name: task.size for name, task in needs.sets.items()}
    assert sizes == {"us8k": 13e9, "esc": 1.5e9}


def test_jobs_of_a_cluster_run_side_by_side():
    alone = estimate(paper(), PAPER_SOUNDS, cores=4, gpu=True).hours
    spread = estimate(paper(), PAPER_SOUNDS, cores=4, gpu=True, jobs=1000).hours
    models = len([name for name in paper()["systems"] if name not in ("mfcc", "untrained")])
    models *= len(paper()["seeds"])
    assert spread["train"] == pytest.approx(alone["train"] / models)
    # No more jobs than shards.
    assert spread["patches"] == pytest.approx(alone["patches"] / (190_000 / 500))
    assert spread["catalogue"] == alone["catalogue"]


def test_words():
    assert size(3.46e9) == "3.5 GB"
    assert size(2e12) == "2.0 TB"
    assert duration(0.5) == "30 min"
    assert duration(5) == "5 hours"
    assert duration(100) == "4 days"
    text = in_words(estimate(paper(), PAPER_SOUNDS, cores=2, gpu=False))
    assert "190,000 sounds" in text
    assert "most of it train" in text
