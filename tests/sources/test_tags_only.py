"""Rows of a folder's CSV without a file: tags for the vocabulary, no patch."""

import shutil

import pytest

from tagalign.audio.file import PatchShard
from tagalign.audio.patches import run
from tagalign.config.load import resolve_sections
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.folder import write_catalogue


@pytest.fixture
def source(tmp_path, corpus):
    shutil.copy(corpus / "audio" / "100065_drum_tom_lo_soft.ogg", tmp_path / "tom.ogg")
    (tmp_path / "sounds.csv").write_text("id,file,tags\n1,tom.ogg,drum tom\n2,,dog bark\n")
    folder = {"csv": str(tmp_path / "sounds.csv"), "audio": str(tmp_path)}
    section = {"kind": "folder", "folder": folder}
    return resolve_sections({"source": section}, ["source"])["source"]


def test_a_row_without_a_file_gives_tags_and_no_patch(tmp_path, source):
    write_catalogue(source, tmp_path / "catalogue.h5")
    assert Catalogue.read(tmp_path / "catalogue.h5").tags == [["drum", "tom"], ["dog", "bark"]]
    settings = resolve_sections({}, ["patches"])["patches"]
    run(tmp_path / "patches.h5", tmp_path / "catalogue.h5", 0, settings, folder=tmp_path)
    made = PatchShard.read(tmp_path / "patches.h5")
    assert made.id == ["1"]
    assert made.failed == [("2", "no sound file, only tags")]
