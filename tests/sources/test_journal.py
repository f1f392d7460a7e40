"""The journal deals sounds into shards once and for all."""

import csv
import shutil

import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.freesound.limits import Budget
from tagalign.sources.folder import write_catalogue
from tagalign.sources.journal import deal, forget_others, open_journal, shard_of, transaction


def dealt(directory, ids, size=3):
    with open_journal(directory) as journal:
        deal(journal, ids, size)
        return [shard_of(journal, identifier) for identifier in ids]


def test_shards_fill_in_order(tmp_path):
    assert dealt(None, "abcdefg") == [0, 0, 0, 1, 1, 1, 2]


def test_what_was_dealt_stays_and_new_sounds_fill_new_shards(tmp_path):
    assert dealt(tmp_path, "bdfh") == [0, 0, 0, 1]
    assert dealt(tmp_path, "abcdefgh") == [2, 0, 2, 0, 2, 0, 3, 1]
    assert dealt(tmp_path, "hgfedcba") == [1, 3, 0, 2, 0, 2, 0, 2]


def test_another_source_begins_anew(tmp_path):
    dealt(tmp_path, "abcdefgh")
    with open_journal(tmp_path) as journal:
        forget_others(journal, "hxyz")
        assert shard_of(journal, "h") == 2
        forget_others(journal, "xyz")
        assert shard_of(journal, "h") is None
    assert dealt(tmp_path, "xyz") == [0, 0, 0]


def test_a_folder_does_not_take_over_the_journal_of_freesound(tmp_path):
    dealt(tmp_path, "abc")
    with open_journal(tmp_path) as journal:
        Budget(journal, 1, 1).spend()
        with pytest.raises(InputError, match=r"fetched from Freesound.*source\.name"):
            forget_others(journal, "xyz")
        assert shard_of(journal, "a") == 0


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    with open_journal(tmp_path) as journal:
        with pytest.raises(ZeroDivisionError), transaction(journal):
            journal.execute("INSERT INTO shard VALUES ('a', 0)")
            raise ZeroDivisionError
        assert shard_of(journal, "a") is None


def test_a_folder_that_grows_keeps_its_shards(tmp_path, corpus):
    with open(corpus / "sounds.csv", newline="") as file:
        header, *rows = list(csv.reader(file))
    (tmp_path / "audio").mkdir()
    for row in rows[:40]:
        shutil.copy(corpus / "audio" / row[1], tmp_path / "audio")

    def shards(chosen, name):
        with open(tmp_path / "sounds.csv", "w", newline="") as file:
            csv.writer(file).writerows([header, *chosen])
        folder = {
            "csv": str(tmp_path / "sounds.csv"),
            "audio": str(tmp_path / "audio"),
            "id_column": "freesound_id",
        }
        section = {"kind": "folder", "shard_size": 8, "exclude_target_tasks": False}
        sections = config.resolve_sections({"source": {**section, "folder": folder}}, ["source"])
        write_catalogue(sections["source"], tmp_path / name, tmp_path / "journal")
        with store.read(tmp_path / name, stage="catalogue") as file:
            ids, numbers = store.read_strings(file["id"]), file["shard"][()].tolist()
        assert numbers == sorted(numbers)
        return dict(zip(ids, numbers, strict=True))

    before = shards(rows[:40:2], "before.h5")
    after = shards(rows[:40], "after.h5")
    assert sorted(before.values()) == [0] * 8 + [1] * 8 + [2] * 4
    assert {identifier: after[identifier] for identifier in before} == before
    assert min(after[i] for i in after if i not in before) == 3
    # The same sounds again: the same bytes.
    shards(rows[:40], "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "after.h5").read_bytes()
