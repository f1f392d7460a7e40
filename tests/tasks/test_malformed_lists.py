"""Metadata and lists that were cut off or are of another kind: the error names the place."""

import pytest

from tagalign.errors import InputError
from tiny_sets import make_esc, make_gtzan, make_us8k, read

pytestmark = pytest.mark.usefixtures("tiny_counts")


@pytest.mark.parametrize("cut", ["slice_file_name", "fold", "classID"])
def test_us8k_metadata_cut_inside_the_last_row(tmp_path, cut):
    root = make_us8k(tmp_path)
    metadata = root / "metadata" / "UrbanSound8K.csv"
    header, *rows = metadata.read_text().splitlines()
    kept = ",".join(rows[-1].split(",")[: header.split(",").index(cut) + 1])
    metadata.write_text("\n".join([header, *rows[:-1], kept]))
    for task in ("us8k", "us8k-tag"):
        with pytest.raises(InputError, match=r"line 101: the number of fields \(\d\) is not"):
            read(task, root)


def test_blanks_around_a_class_make_no_second_class(tmp_path):
    meta = make_esc(tmp_path) / "meta" / "esc50.csv"
    meta.write_text(meta.read_text().replace(",class_00,", ", class_00 ,", 1))
    assert read("esc50", tmp_path).classes == [f"class_{number:02}" for number in range(50)]


@pytest.mark.parametrize("name", ["dog.wav", "1-1000.wav"])
def test_esc_name_without_its_parts(tmp_path, name):
    meta = make_esc(tmp_path) / "meta" / "esc50.csv"
    meta.write_text(meta.read_text().replace("1-1000-A-0.wav", name))
    with pytest.raises(InputError, match=f"gives {name} fold 1, .*its name says otherwise"):
        read("esc50", tmp_path)


def test_gtzan_list_that_is_no_text(tmp_path):
    root = make_gtzan(tmp_path)
    (tmp_path / "lists" / "train_filtered.txt").write_bytes(b"blues/\xff")
    with pytest.raises(InputError, match=r"train_filtered\.txt is not text in UTF-8"):
        read("gtzan", root, lists=str(tmp_path / "lists"))


@pytest.mark.parametrize(
    "text", ['["bass_acoustic_000-060-100"]', '{"bass": "x"}', '{"bass": [1]}']
)
def test_nsynth_list_of_another_kind(tmp_path, text):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(InputError, match=r"list\.json must map instrument families to lists"):
        read("nsynth", tmp_path, list=str(tmp_path / "list.json"))
