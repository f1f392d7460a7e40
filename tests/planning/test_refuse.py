"""A run that could not end is refused before it starts."""

import pytest

from tagalign.config import load as config
from tagalign.planning.layout import Layout
from tagalign.planning.refuse import lost_shards, why_not

PAPER = config.resolve({"run": "paper", "source": {"kind": "freesound", "shard_size": 500}})
PATCHES = {"waiting": {"patches", "pairs"}, "arrays": "patches"}


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"jobs": 379}, True),
        ({"jobs": 479}, True),
        ({"jobs": 480}, False),  # 380 shards and a hundred others
        ({"jobs": 30, "arrays": ""}, False),
        ({"jobs": 30, "waiting": {"train"}}, False),
        ({"jobs": 30, "waiting": {"catalogue"}}, True),
    ],
)
def test_an_array_has_to_be_submitted_as_a_whole(changes, refused):
    told = lost_shards(PAPER, 190_000, **(PATCHES | changes))
    assert (told is not None) == refused
    if refused:
        assert "380 shards" in told
        assert "480 or more" in told


def test_what_no_disk_holds_is_refused_if_there_is_something_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    huge = config.merge(PAPER, {"patches": {"n_frames": 10_000_000}})
    options = {"arrays": "", "jobs": 0}
    assert "make room" in why_not(huge, Layout(huge), waiting={"tags"}, **options)
    assert why_not(huge, Layout(huge), waiting=set(), **options) is None
    unchecked = config.merge(huge, {"compute": {"check_disk": False}})
    assert why_not(unchecked, Layout(unchecked), waiting={"tags"}, **options) is None
