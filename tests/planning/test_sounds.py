"""The digest of a folder's sounds follows their contents and reads only what is new."""

import os
from pathlib import Path

import pytest

from tagalign import store
from tagalign.planning.sounds import digest_sounds

TABLE = "id,file,tags\n1,a.wav,x\n2,b.wav,x\n3,,only tags\n"


@pytest.fixture
def folder(tmp_path):
    """Two files; what they hold does not matter here."""
    (tmp_path / "a.wav").write_bytes(b"first")
    (tmp_path / "b.wav").write_bytes(b"second")
    return tmp_path


@pytest.fixture
def look(sections, folder, monkeypatch):
    """Digest of the sounds that a table lists, and the names of the files that were read."""
    read, digest = [], store.digest

    def digest_and_note(path):
        read.append(Path(path).name)
        return digest(path)

    monkeypatch.setattr(store, "digest", digest_and_note)

    def look(table=TABLE, memory="journal/sha256.json", **changes):
        read.clear()
        (folder / "sounds.csv").write_text(table)
        places = {"csv": str(folder / "sounds.csv"), "audio": str(folder)}
        source = sections["source"] | changes
        source["folder"] = source["folder"] | places
        return digest_sounds(source, folder / memory), read.copy()

    return look


def test_only_new_and_changed_sounds_are_read(folder, look):
    first, read = look()
    assert read == ["a.wav", "b.wav"]
    assert look() == (first, [])
    (folder / "b.wav").touch()
    assert look() == (first, ["b.wav"])
    (folder / "c.wav").write_bytes(b"third")
    more, read = look(TABLE + "4,c.wav,x\n")
    assert more != first
    assert read == ["c.wav"]
    assert look() == (first, [])


def test_a_sound_as_long_and_as_old_as_the_one_before_is_another(folder, look):
    first, _ = look()
    path = folder / "a.wav"
    before = path.stat()
    path.write_bytes(b"fifth")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    other, read = look()
    assert other != first
    assert read == ["a.wav"]
    path.write_bytes(b"first")
    assert look()[0] == first


def test_sounds_that_change_places_are_other_contents(folder, look):
    first, _ = look()
    (folder / "a.wav").write_bytes(b"second")
    (folder / "b.wav").write_bytes(b"first")
    assert look()[0] != first


def test_what_was_remembered_does_not_matter(folder, look):
    first, _ = look()
    (folder / "journal" / "sha256.json").write_text("{")
    assert look() == (first, ["a.wav", "b.wav"])
    assert look(memory="a.wav/sha256.json")[0] == first  # no directory


def test_sounds_that_cannot_be_listed_or_read_are_left_to_the_stage(folder, look):
    assert look("id,file,tags\n") == ("", [])
    assert look(TABLE + "4,absent.wav,x\n") == ("", [])
    (folder / "c.wav").symlink_to("/proc/self/mem")  # a file that not even root can read
    assert look(TABLE + "4,c.wav,x\n")[0] == ""
    assert look()[0] != ""
