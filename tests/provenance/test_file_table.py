"""The tables of stage files in config/README.md: complete, current, and true of a file."""

import importlib
import pkgutil

import h5py
import numpy as np

import tagalign
from tagalign.provenance.file_table import FILES, file_table, replace_table
from tagalign.store.fields import StageFile
from tagalign.tags.file import TagSets
from tiny_project import ROOT


def test_the_page_has_the_tables_of_the_classes():
    page = (ROOT / "config" / "README.md").read_text()
    assert file_table() in page, "run `make docs`"
    assert page == replace_table(page)


def test_every_stage_file_of_the_package_has_a_table():
    for module in pkgutil.walk_packages(tagalign.__path__, "tagalign."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    declared = {
        kind for kind in StageFile.__subclasses__() if kind.__module__.startswith("tagalign.")
    }
    assert set(FILES) == declared


def test_h5py_finds_what_the_table_says(tmp_path):
    tags = TagSets(
        id=["a", "b"],
        tags=[np.array([1, 0]), np.array([1])],
        vocabulary=["dog", "rain"],
        counts=np.array([1, 2]),
        dropped_tag=[],
        dropped_reason=[],
        dropped_count=np.array([]),
        failed=[("c", "no tag")],
    )
    tags.write(tmp_path / "tags.h5")
    section = file_table().split("### `tags.h5`")[1].split("###")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    names = [name.strip("| `") for name, *_, meaning in rows if "(optional)" not in meaning]
    assert {"id", "tags", "dropped/count", "failed/id", "failed/reason"} < set(names)
    with h5py.File(tmp_path / "tags.h5") as file:
        assert all(name in file for name in names)
        start, stop = file["tags/offsets"][:2]
        assert file["tags/values"][start:stop].tolist() == [1, 0]
        start, stop = file["vocabulary/offsets"][1:3]
        assert bytes(file["vocabulary/values"][start:stop]).decode() == "rain"
