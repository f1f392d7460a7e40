"""Shard files change exactly when something that the audio of their rows depends on changes."""

import pytest

import stage_files
from tagalign import store
from tagalign.errors import InputError
from tagalign.sources.shards import write_shards


def write_catalogue(path, rows):
    """Write a catalogue of (id, file, name, shard) rows."""
    sounds = [dict(zip(("id", "file", "name", "shard"), row, strict=True)) for row in rows]
    stage_files.write_catalogue(path, sounds, {"note": str(len(rows))})


ROWS = [("7", "a.ogg", "dog", 0), ("30", "b.ogg", "cat", 0), ("4", "long name.ogg", "cow", 1)]


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_each_shard_holds_its_rows(tmp_path):
    write_catalogue(tmp_path / "catalogue.h5", ROWS)
    assert write_shards(tmp_path / "catalogue.h5", tmp_path / "shards") == 2
    with store.read(tmp_path / "shards" / "0000.h5", stage="catalogue") as file:
        assert store.read_strings(file["id"]) == ["7", "30"]
        assert store.read_strings(file["file"]) == ["a.ogg", "b.ogg"]
        assert file["shard"][()].tolist() == [0, 0]
        assert "name" not in file
    with store.read(tmp_path / "shards" / "0001.h5") as file:
        assert store.read_strings(file["file"]) == ["long name.ogg"]


def test_new_sounds_and_names_leave_other_shards_alone(tmp_path):
    write_catalogue(tmp_path / "catalogue.h5", ROWS)
    write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")
    before = contents(tmp_path / "shards")
    grown = [("7", "a.ogg", "renamed", 0), *ROWS[1:]]
    grown += [("5", "a much longer name than any before.ogg", "pig", 1), ("6", "d.ogg", "ox", 2)]
    write_catalogue(tmp_path / "catalogue.h5", grown)
    write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")
    after = contents(tmp_path / "shards")
    assert after["0000.h5"] == before["0000.h5"]
    assert after["0001.h5"] != before["0001.h5"]
    assert sorted(after) == ["0000.h5", "0001.h5", "0002.h5"]


def test_shards_that_no_longer_exist_are_removed(tmp_path):
    write_catalogue(tmp_path / "catalogue.h5", ROWS)
    write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")
    for name in ("model.h5", "7.h5", "2024-takes.h5"):
        (tmp_path / "shards" / name).write_bytes(b"the user's own")
    write_catalogue(tmp_path / "catalogue.h5", ROWS[:2])
    write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")
    kept = ["0000.h5", "2024-takes.h5", "7.h5", "model.h5"]
    assert sorted(contents(tmp_path / "shards")) == kept


def test_a_shard_that_lost_all_its_sounds_has_no_file(tmp_path):
    write_catalogue(tmp_path / "catalogue.h5", [*ROWS, ("9", "e.ogg", "hen", 2)])
    write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")
    write_catalogue(tmp_path / "catalogue.h5", [*ROWS[:2], ("9", "e.ogg", "hen", 2)])
    assert write_shards(tmp_path / "catalogue.h5", tmp_path / "shards") == 2
    assert sorted(contents(tmp_path / "shards")) == ["0000.h5", "0002.h5"]


def test_another_stage_file_is_refused(tmp_path):
    with store.create(tmp_path / "tags.h5", stage="tags", config={}):
        pass
    with pytest.raises(InputError, match="catalogue"):
        write_shards(tmp_path / "tags.h5", tmp_path / "shards")
