"""A shard gets every sound that can be had, once, and says why it lacks the others."""

import contextlib
import sqlite3
from collections import deque
from pathlib import Path

import pytest

import stage_files
from tagalign.errors import InputError
from tagalign.freesound import audio
from tagalign.freesound.api import FreesoundError
from tagalign.freesound.file import AudioShard
from tagalign.sources.freesound import write_catalogue
from tagalign.sources.shards import Shard, write_shards


@pytest.fixture
def make(tmp_path, freesound, source):
    """Make a catalogue and download one of its shards."""

    class Make:
        def __init__(self):
            self.catalogue()

        def catalogue(self, **options):
            sections = source(freesound, shard_size=30)
            write_catalogue(
                sections["source"], tmp_path / "catalogue.h5", tmp_path / "journal", **options
            )
            write_shards(tmp_path / "catalogue.h5", tmp_path / "shards")

        def ids(self, shard=0):
            return Shard.select(tmp_path / "catalogue.h5", shard).id

        def audio(self, name="audio.h5", shard=0, journal="journal", **changes):
            settings = source(freesound, **changes)["source"]["freesound"]
            return audio.run(
                tmp_path / name,
                tmp_path / "shards" / f"{shard:04d}.h5",
                shard,
                settings,
                journal and tmp_path / journal,
            )

        def fail(self, *positions, shard=0):
            """Let the previews of these sounds of a shard fail for good; their ids."""
            ids = [self.ids(shard)[position] for position in positions]
            statuses = {int(identifier): deque([500] * 999) for identifier in ids}
            freesound.faults.preview_statuses |= statuses
            return ids

        def read(self, name="audio.h5"):
            made = AudioShard.read(tmp_path / name)
            sounds = zip(made.id, made.audio, strict=True)
            return {i: sound.tobytes() for i, sound in sounds}, dict(made.failed)

    return Make()


def test_the_bytes_of_every_sound(make, freesound):
    assert make.audio() == []
    sounds, failures = make.read()
    assert list(sounds) == make.ids()
    assert len(sounds) == 30
    for identifier, sound in sounds.items():
        assert sound == Path(freesound.sounds.by_id[int(identifier)]["path"]).read_bytes()
    assert failures == {}
    assert set(freesound.log.previews.values()) == {1}
    assert set(freesound.log.preview_headers) == {None}  # previews need no key and get none


def test_politeness(make, freesound):
    make.audio(downloads=3)
    assert 1 < freesound.log.most_at_once <= 3


def test_cut_answers_go_on_where_they_were_cut(make, freesound):
    freesound.faults.truncate_every = 2
    make.audio("cut.h5", journal="cut")
    assert freesound.log.ranges > 10
    freesound.reset()
    make.audio("whole.h5", journal="whole")
    assert make.read("cut.h5") == make.read("whole.h5")


def test_a_short_sound_that_claims_to_be_whole(make, freesound):
    short = int(make.ids()[4])
    freesound.faults.silently_short = {short}
    assert make.audio() == []
    assert freesound.log.previews[short] == 2
    assert make.read()[0][str(short)] == Path(freesound.sounds.by_id[short]["path"]).read_bytes()


def test_answers_that_say_they_are_zipped_and_are_not(make, freesound):
    freesound.faults.badly_zipped = 5
    assert make.audio() == []
    assert sum(freesound.log.previews.values()) == 35


def test_failures_pass_or_are_recorded(make, freesound, tmp_path):
    ids = list(map(int, make.ids()))
    (tmp_path / "broken.ogg").write_bytes(b"OggS and then nothing of the kind" * 40)
    freesound.sounds.by_id[ids[1]]["path"] = tmp_path / "broken.ogg"
    statuses = freesound.faults.preview_statuses
    statuses[ids[2]] = deque([404])
    statuses[ids[3]] = deque([500, 503, 429])  # passes
    statuses[ids[4]] = deque([503] * 99)  # never passes
    statuses[ids[5]] = deque([403, 401, 451])  # passes: it says something of the host alone
    failures = dict(make.audio(attempts=4))
    assert set(failures) == {str(ids[1]), str(ids[2]), str(ids[4])}
    assert "not a readable sound" in failures[str(ids[1])]
    assert failures[str(ids[2])].startswith("404")
    assert failures[str(ids[4])] == "503 Service Unavailable, after 8 attempts"
    sounds, recorded = make.read()
    assert recorded == failures
    assert list(sounds) == [i for i in make.ids() if i not in failures]


def test_a_host_that_is_down_ends_the_job_and_keeps_what_came(make, freesound, tmp_path):
    ids = list(map(int, make.ids()))
    for identifier in ids[10:]:
        freesound.faults.preview_statuses[identifier] = deque([503] * 99)
    with pytest.raises(FreesoundError, match=r"503.*kept"):
        make.audio(attempts=2)
    assert not (tmp_path / "audio.h5").exists()
    freesound.reset()
    make.audio()
    assert set(freesound.log.previews) == set(ids[10:])


SPREAD = (1, 6, 11, 16, 21, 26)  # more than may fail in a row
CLUSTER = (5, 6, 7, 8, 9, 10)


def test_sounds_that_never_come_do_not_block_their_shard(make, freesound, tmp_path):
    never = make.fail(*SPREAD)
    failures = make.audio(attempts=2)
    reason = "500 Internal Server Error, after 4 attempts"
    assert failures == sorted((identifier, reason) for identifier in never)
    sounds, recorded = make.read()
    assert recorded == dict(failures)
    assert list(sounds) == [i for i in make.ids() if i not in never]
    # Made again with the same journal, they are tried again, and fail again.
    before = (tmp_path / "audio.h5").read_bytes()
    for _ in range(2):
        freesound.log.previews.clear()
        assert make.audio(attempts=2) == failures
        assert (tmp_path / "audio.h5").read_bytes() == before
        assert set(freesound.log.previews) == set(map(int, never))
    # Those that come after all are taken.
    freesound.reset()
    assert make.audio() == []
    assert list(make.read()[0]) == make.ids()


def test_a_finished_shard_can_be_made_again_while_the_host_is_down(make, freesound, tmp_path):
    make.fail(*SPREAD)
    failures = make.audio(attempts=2)
    before = (tmp_path / "audio.h5").read_bytes()
    for identifier in freesound.sounds.by_id:
        freesound.faults.preview_statuses[identifier] = deque([503] * 999)
    assert make.audio(attempts=3) == failures
    assert (tmp_path / "audio.h5").read_bytes() == before


def test_sounds_in_a_row_that_never_come(make, freesound):
    """So it looks where the host went down: a later run finds out that it did not."""
    never = make.fail(*CLUSTER)
    with pytest.raises(FreesoundError, match="does not give its previews"):
        make.audio(attempts=2)
    assert [identifier for identifier, _ in make.audio(attempts=2)] == sorted(never)


def test_only_sounds_that_never_come_are_left(make, freesound):
    """What other sounds of the shard were kept says that the host gives previews."""
    for identifier in make.ids()[25:]:
        freesound.faults.preview_statuses[int(identifier)] = deque([503] * 99)
    with pytest.raises(FreesoundError):
        make.audio(attempts=2, downloads=1)
    freesound.log.previews.clear()
    assert [identifier for identifier, _ in make.audio(attempts=2)] == sorted(make.ids()[25:])
    # One of those that are kept was asked for again, to see whether the host is up.
    assert len(set(freesound.log.previews) - set(map(int, make.ids()[25:]))) == 1


def test_a_host_that_stays_down_loses_no_sound(make, freesound):
    ids = make.ids()
    make.fail(*range(10, 30))
    with pytest.raises(FreesoundError, match=r"500.*kept"):
        make.audio(attempts=2)
    make.fail(*range(30))
    for _ in range(2):
        with pytest.raises(FreesoundError, match=r"500.*kept"):
            make.audio(attempts=2)
    freesound.reset()
    assert make.audio() == []
    assert set(freesound.log.previews) == set(map(int, ids[10:]))


def test_a_host_that_goes_down_at_the_end_loses_no_sound(make, freesound):
    """Too few are left to be a long row, so one that came is asked for again."""
    last = make.ids()[-2:]
    make.fail(-2, -1)
    for identifier in make.ids()[:-2]:
        freesound.faults.preview_statuses[int(identifier)] = deque([None] + [500] * 99)
    with pytest.raises(FreesoundError, match=r"500.*kept"):
        make.audio(attempts=2)
    freesound.reset()
    assert make.audio() == []
    assert set(freesound.log.previews) == set(map(int, last))


def test_a_host_that_gives_nothing(make, freesound, tmp_path):
    make.fail(*range(30))
    for _ in range(2):
        with pytest.raises(FreesoundError, match=r"does not give its previews: 500.*30 of"):
            make.audio(attempts=2)
    assert not (tmp_path / "audio.h5").exists()
    freesound.reset()
    assert make.audio() == []


@pytest.mark.parametrize("status", [403, 404, 410, 429])
def test_a_host_that_refuses_all_loses_no_sound(make, freesound, tmp_path, status):
    """As after a move of the files, or where a gateway takes us for a robot."""
    for identifier in freesound.sounds.by_id:
        freesound.faults.preview_statuses[identifier] = deque([status] * 999)
    for _ in range(2):
        with pytest.raises(FreesoundError, match=f"does not give its previews: {status}"):
            make.audio(attempts=2)
    assert not (tmp_path / "audio.h5").exists()
    freesound.reset()
    assert make.audio() == []


def test_a_page_in_the_place_of_sounds(make, freesound, tmp_path):
    ids = list(map(int, make.ids()))
    freesound.faults.pages = set(ids[12:])
    with pytest.raises(FreesoundError, match="a page in the place of a sound"):
        make.audio(attempts=2)
    freesound.reset()
    assert make.audio() == []
    assert set(freesound.log.previews) == set(ids[12:])


def test_an_output_that_is_deleted_is_not_downloaded_again(make, freesound, tmp_path):
    make.audio()
    before = (tmp_path / "audio.h5").read_bytes()
    assert (tmp_path / "audio.h5").stat().st_nlink == 2  # kept without a second copy
    (tmp_path / "audio.h5").unlink()
    freesound.reset()
    make.audio()
    assert (tmp_path / "audio.h5").read_bytes() == before
    assert not freesound.log.previews
    assert not list((tmp_path / "journal" / "audio").glob("*.sqlite"))


def test_a_changed_shard_downloads_only_what_is_new_in_it(make, freesound, tmp_path):
    make.audio()
    gone = make.ids()[7]
    freesound.sounds.remove(int(gone))
    make.catalogue(refresh=True)
    freesound.reset()
    make.audio()
    assert not freesound.log.previews
    assert list(make.read()[0]) == make.ids()
    assert gone not in make.ids()


def test_growth_downloads_only_new_shards(make, freesound, tmp_path):
    shards = {path.name: path.read_bytes() for path in (tmp_path / "shards").iterdir()}
    model = next(iter(freesound.sounds.by_id.values()))
    for new in (3, 5, 999_999):
        freesound.sounds.add({**model, "id": new})
    make.catalogue(refresh=True)
    grown = {path.name: path.read_bytes() for path in (tmp_path / "shards").iterdir()}
    assert {name: grown[name] for name in shards} == shards
    (new,) = set(grown) - set(shards)
    make.audio(shard=int(Path(new).stem))
    assert sorted(map(int, make.read()[0])) == [3, 5, 999_999]


def test_nothing_is_kept_if_the_user_says_so(make, tmp_path):
    make.audio(keep_audio=False)
    assert not list((tmp_path / "journal" / "audio").glob("*.h5"))
    assert not list((tmp_path / "journal" / "audio").glob("*.sqlite"))
    assert (tmp_path / "audio.h5").stat().st_nlink == 1


def test_without_a_journal(make, tmp_path):
    before = set(tmp_path.rglob("*"))
    make.audio(journal=None)
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "audio.h5"}


def test_a_shard_that_lost_all_its_sounds(make, freesound, source, tmp_path):
    make.audio()
    gone = make.ids()
    for identifier in gone:
        freesound.sounds.remove(int(identifier))
    make.catalogue(refresh=True)
    assert make.ids() == []
    assert make.ids(1)  # the others keep their numbers
    settings = source(freesound)["source"]["freesound"]
    catalogue, journal = tmp_path / "catalogue.h5", tmp_path / "journal"
    freesound.reset()
    assert audio.run(tmp_path / "audio.h5", catalogue, 0, settings, journal) == []
    assert make.read() == ({}, {})
    assert not freesound.log.previews


def test_a_catalogue_of_another_source(make, tmp_path, freesound, source):
    stage_files.write_catalogue(tmp_path / "folder.h5", [{"id": "1"}])
    settings = source(freesound)["source"]["freesound"]
    with pytest.raises(FreesoundError, match="lists no previews"):
        audio.run(tmp_path / "audio.h5", tmp_path / "folder.h5", 0, settings, None)


def test_a_journal_that_another_program_has_open_or_is_none(make, tmp_path):
    path = tmp_path / "journal" / "audio" / "0000.sqlite"
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match=r"0000\.sqlite cannot be locked .*another program"):
            make.audio()
    path.write_bytes(b"no database" * 99)
    with pytest.raises(InputError, match="file is not a database"):
        make.audio()
    path.unlink()
    assert make.audio() == []
