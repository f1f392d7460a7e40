"""Groups of sounds, from the CSV of a folder to the pairs of a training."""

import csv
import json

import pytest

from running import SMALL, call
from tagalign.errors import InputError
from tagalign.train.data import read_pairs


def make(corpus, folder, column):
    """Pairs of forty bundled sounds, each listed with a recording that four of them share."""
    with open(corpus / "sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))[:40]
    table, catalogue, tags = (folder / name for name in ("s.csv", "catalogue.h5", "tags.h5"))
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "file", "tags", "recording"])
        for number, row in enumerate(rows):
            recording = f"r{number // 4}" if number else ""
            writer.writerow([row["freesound_id"], row["file"], row["tags"], recording])
    places = {"csv": str(table), "audio": str(corpus / "audio"), "group_column": column}
    source = {"kind": "folder", "exclude_target_tasks": False, "folder": places}
    call("catalogue", "--params", json.dumps({"source": source}), "-o", catalogue)
    section = {"vocabulary_size": 5, "maximum_share": 1}
    call("tags", catalogue, "--params", json.dumps({"tags": section}), "-o", tags)
    section = json.dumps({"patches": SMALL})
    where = ("--shard", 0, "--folder", corpus / "audio", "--jobs", 1)
    call("patches", catalogue, *where, "--params", section, "-o", folder / "0.h5")
    share = json.dumps({"pairs": {"validation_share": 0.2}})
    call("pairs", tags, folder / "0.h5", "--params", share, "-o", folder / "pairs.h5")
    recording = {row["freesound_id"]: f"r{number // 4}" for number, row in enumerate(rows)}
    return read_pairs(folder / "pairs.h5"), recording | {rows[0]["freesound_id"]: None}


def test_a_recording_is_on_one_side_of_the_split(corpus, tmp_path):
    data, recording = make(corpus, tmp_path, "recording")
    for pairs in (data.train, data.validation):
        assert pairs.ids
        # A sound without a recording is one of its own.
        assert pairs.groups == [recording[name] or name for name in pairs.ids]
    assert not set(data.train.groups) & set(data.validation.groups)


def test_without_a_column_there_are_no_groups(corpus, tmp_path):
    data, _ = make(corpus, tmp_path, None)
    assert data.train.groups is None


def test_a_column_that_is_not_there_is_named(corpus, tmp_path):
    with pytest.raises(InputError, match=r"'session'.*recording"):
        make(corpus, tmp_path, "session")
