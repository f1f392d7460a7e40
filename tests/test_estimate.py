"""The estimate of disk and time, against figures worked out by hand."""

import shutil

import pytest

from tagalign import config
from tagalign.estimate import PAPER_SOUNDS, Estimate, duration, estimate, in_words, shortage, size


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
    told = shortage(needs, [tmp_path / "data" / "freesound"], tmp_path / "results" / "paper")
    assert told.count("\n") == 0
    assert str(tmp_path) in told
    assert size(shutil.disk_usage(tmp_path).free)[:2] in told
    small = estimate(
        paper(tasks=["esc10"], datasets={"esc10": {"csv": "x"}}), 10, cores=2, gpu=True
    )
    assert shortage(small, [tmp_path / "data"], tmp_path / "results") is None


def test_a_shard_under_two_names_lies_on_the_disk_once(tmp_path):
    """A finished shard and the journal's copy of it are one file."""
    data, there = tmp_path / "data", 10**12
    (data / "journal").mkdir(parents=True)
    with open(data / "0000.h5", "wb") as file:
        file.truncate(there)  # takes no room
    (data / "journal" / "0000.h5").hardlink_to(data / "0000.h5")
    wanted = shutil.disk_usage(tmp_path).free + 1.5 * there
    needs = Estimate(10, wanted, 0, {})
    assert shortage(needs, [data], tmp_path / "results") is not None


def test_words():
    assert size(3.46e9) == "3.5 GB"
    assert size(2e12) == "2.0 TB"
    assert duration(0.5) == "30 min"
    assert duration(5) == "5 hours"
    assert duration(100) == "4 days"
    text = in_words(estimate(paper(), PAPER_SOUNDS, cores=2, gpu=False))
    assert "190,000 sounds" in text
    assert "most of it train" in text
