"""Names of files: composed or not, and never outside their folder."""

import unicodedata

import pytest

from tagalign.sources.names import find_file, leaves

NAME = "Café/Ångström ü.wav"


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_table", ["NFC", "NFD"])
def test_composed_and_decomposed_names_find_each_other(tmp_path, on_disk, in_table):
    there = unicodedata.normalize(on_disk, NAME)
    (tmp_path / there).parent.mkdir()
    (tmp_path / there).write_bytes(b"x")
    assert find_file(tmp_path, unicodedata.normalize(in_table, NAME)) == there
    assert find_file(tmp_path, unicodedata.normalize(in_table, "Café/e.wav")) is None
    assert find_file(tmp_path, "Cafe/Angstrom u.wav") is None
    assert find_file(tmp_path, unicodedata.normalize(in_table, "Café")) is None


def test_names_that_leave_the_folder():
    assert all(map(leaves, ["..", "../a.wav", "a/../../b.wav", "./../a"]))
    assert not any(map(leaves, ["a.wav", "a/../b.wav", "..a.wav", "...", "", "a/.../b"]))
