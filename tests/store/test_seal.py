"""The checksum at the end of a stage file."""

import h5py
import numpy as np
import pytest

import stage_files
from tagalign import store
from tagalign.errors import InputError
from tagalign.planning.run import read_attributes
from tagalign.sources.catalogue import Catalogue


@pytest.fixture
def catalogue(tmp_path):
    sounds = [{"id": str(n), "tags": ["rain"], "file": f"{n}.wav"} for n in range(5)]
    return stage_files.write_catalogue(tmp_path / "catalogue.h5", sounds)


def test_any_changed_byte_is_found_and_named(catalogue):
    content = catalogue.read_bytes()
    # Every seventh byte: attributes, data sets, HDF5's own records, the seal.
    for place in range(0, len(content), 7):
        catalogue.write_bytes(
            content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]
        )
        with pytest.raises(InputError, match=r"catalogue\.h5 .* delete it and run snakemake"):
            Catalogue.read(catalogue)
        with pytest.raises(InputError, match=r"catalogue\.h5 .* delete it and run snakemake"):
            read_attributes(catalogue)
    catalogue.write_bytes(content)
    assert Catalogue.read(catalogue).id == list("01234")


def test_a_file_that_is_cut_or_grown_is_damaged(catalogue):
    content = catalogue.read_bytes()
    for damaged in (b"", content[:-1], content[:-60], content[:200], content + b"\0"):
        catalogue.write_bytes(damaged)
        with pytest.raises(InputError, match=r"catalogue\.h5 is (damaged|not a readable HDF5)"):
            Catalogue.read(catalogue)


def test_a_large_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "large.h5"
    for value in (0, 1):
        with store.create(path, stage="tags", config={}) as file:
            file["numbers"] = np.full(5_000_000, value, np.float32)
        assert store.is_whole(path)
        with open(path, "rb") as file:
            assert store.is_whole(file)
    with open(path, "rb+") as file:
        file.seek(10_000_000)
        file.write(b"\xff")
    assert store.is_whole(path) is False


def test_other_tools_read_a_sealed_file(catalogue):
    with h5py.File(catalogue) as file:
        assert file.attrs["stage"] == "catalogue"


def test_the_hash_of_a_file_is_that_of_all_its_bytes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert store.digest(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert store.is_whole(tmp_path / "empty") is None
