"""The authors' published files as training pairs, from files of the documented layout."""

import hashlib
import json
from http.server import ThreadingHTTPServer

import h5py
import numpy as np
import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import ConfigError, InputError
from tagalign.release.reference import REFERENCE
from tagalign.sources.coala import run as make
from tagalign.sources.exclude import excluded_ids

TRAIN, VALIDATION = range(1_000_001, 1_000_600), range(1_000_900, 1_000_960)
TARGET = sorted(excluded_ids({"exclude_target_tasks": True, "exclude": []}))[0]


def write_published(path, ids, seed):
    """A file as published, with patches in [0, 1] and one to twelve tags for each sound."""
    generator = np.random.default_rng(seed)
    count = len(ids)
    labels = np.zeros((count, 1000), np.int16)
    for row in labels:
        row[generator.choice(1000, generator.integers(1, 13), replace=False)] = 1
    with h5py.File(path, "w") as file:
        group = file.create_group("dataset")
        group["id"] = np.array(ids, np.int32)[:, None]
        group["data"] = generator.random((count, 96, 96), np.float32)
        group["label"] = labels
    return path


@pytest.fixture
def published(tmp_path):
    return {
        "train": write_published(tmp_path / "spec_tags_top_1000", [*TRAIN, int(TARGET)], 0),
        "validation": write_published(tmp_path / "spec_tags_top_1000_val", VALIDATION, 1),
    }


@pytest.fixture
def sections(published):
    def make(**changes):
        given = {
            "source": {"kind": "coala", "coala": {k: str(v) for k, v in published.items()}},
            "patches": REFERENCE["patches"],
            "pairs": {"scaling": "column", "clip": "low", "tag_order": "vocabulary"},
        }
        given["source"]["coala"] |= changes
        return config.resolve_sections(given, ["source", "patches", "pairs"])

    return make


def run(tmp_path, sections):
    make(tmp_path / "pairs.h5", tmp_path / "tags.h5", sections, tmp_path / "downloads")


def test_pairs_hold_what_was_published(tmp_path, published, sections):
    with h5py.File(published["train"], "r+") as file:
        file["dataset/label"][7] = 0
    run(tmp_path, sections())
    with (
        store.read(tmp_path / "pairs.h5", stage="pairs") as pairs,
        h5py.File(published["train"]) as train,
        h5py.File(published["validation"]) as validation,
    ):
        assert store.read_strings(pairs["train/id"]) == [str(i) for i in TRAIN if i != TRAIN[7]]
        kept = np.array([row for row in range(599) if row != 7])
        assert pairs["train/patches"].dtype == np.float16
        wanted = train["dataset/data"][()][kept].astype(np.float16)
        assert np.array_equal(pairs["train/patches"][()], wanted)
        assert np.array_equal(
            pairs["validation/patches"][()], validation["dataset/data"][()].astype(np.float16)
        )
        tags = store.read_ragged(pairs["train/tags"])
        labels = train["dataset/label"][()][kept]
        assert all(
            np.array_equal(t, np.flatnonzero(label)) for t, label in zip(tags, labels, strict=True)
        )
        vocabulary = store.read_strings(pairs["vocabulary"])
        assert dict(store.read_failures(pairs)) == {
            str(TRAIN[7]): "no tag of the vocabulary",
            TARGET: "occurs in a target task (source.exclude_target_tasks)",
        }
        assert pairs["scaling"].attrs["axis"] == "column"
        assert pairs["scaling/minimum"][0] == np.float32(-14.110696792602539)
        front_end = json.loads(pairs.attrs["front_end"])
        assert (front_end["sample_rate"], front_end["window"]) == (22000, "hann")
    assert len(vocabulary) == 1000
    assert vocabulary[:3] == ["close", "closing", "drawer"]
    with store.read(tmp_path / "tags.h5", stage="tags") as file:
        assert store.read_strings(file["vocabulary"]) == vocabulary
        assert store.count_strings(file["id"]) == 598 + 60
        assert file["counts"][()].sum() == len(file["tags/values"])


def test_training_reads_them(tmp_path, sections):
    from tagalign.train.data import read_pairs

    run(tmp_path, sections())
    data = read_pairs(tmp_path / "pairs.h5")
    assert data.train.patches.shape == (599, 96, 96)
    assert data.tag_order == "vocabulary"
    assert data.tags_per_sound == 10


def test_the_same_bytes_again(tmp_path, sections):
    run(tmp_path, sections())
    before = [(tmp_path / name).read_bytes() for name in ("pairs.h5", "tags.h5")]
    run(tmp_path, sections())
    assert [(tmp_path / name).read_bytes() for name in ("pairs.h5", "tags.h5")] == before


def test_another_front_end_is_refused(tmp_path, sections):
    other = sections()
    other["patches"]["window"] = "hamming"
    with pytest.raises(ConfigError, match=r"patches.window = 'hamming'.*'hann'"):
        run(tmp_path, other)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: f["dataset/id"].__setitem__(3, TRAIN[0]), "1000001 occurs twice"),
        (lambda f: f["dataset/data"].__setitem__((5, 0, 0), np.nan), "sound 1000006 holds values"),
        (lambda f: f["dataset/data"].__setitem__((5, 0, 0), -800.0), "sound 1000006 holds values"),
        (lambda f: f["dataset/id"].__setitem__(0, VALIDATION[1]), "sound 1000901 is in"),
        (lambda f: f["dataset"].__delitem__("label"), "no group 'dataset'"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, published, sections, damage, message):
    with h5py.File(published["train"], "r+") as file:
        damage(file)
    with pytest.raises(InputError, match=message):
        run(tmp_path, sections())
    assert not (tmp_path / "pairs.h5").exists()


@pytest.mark.parametrize("name", ["label", "data"])
def test_a_file_with_damaged_bytes_is_named(tmp_path, published, sections, name):
    """Compressed blocks that do not decompress show only when they are read."""
    with h5py.File(published["train"], "r+") as file:
        values = file[f"dataset/{name}"][()]
        del file[f"dataset/{name}"]
        data = file.create_dataset(f"dataset/{name}", data=values, compression="gzip")
        place = data.id.get_chunk_info(1).byte_offset
    with open(published["train"], "r+b") as file:
        file.seek(place)
        file.write(b"damage")
    with pytest.raises(InputError, match=r"spec_tags_top_1000 is not a readable HDF5"):
        run(tmp_path, sections())
    assert not (tmp_path / "pairs.h5").exists()


def test_a_file_of_the_user_is_compared_with_the_published_sum(tmp_path, published, sections):
    right = hashlib.md5(published["train"].read_bytes()).hexdigest()
    run(tmp_path, sections(train_md5=right))
    with pytest.raises(InputError, match=rf"has MD5 {right}, published is 000"):
        run(tmp_path, sections(train_md5="0" * 32))


def test_a_missing_or_other_file(tmp_path, published, sections):
    with pytest.raises(InputError, match="does not exist"):
        run(tmp_path, sections(train=str(tmp_path / "nothing")))
    (tmp_path / "text").write_text("no HDF5")
    with pytest.raises(InputError, match="not a readable HDF5"):
        run(tmp_path, sections(train=str(tmp_path / "text")))


def test_a_download_that_was_cut_goes_on_and_is_checked(tmp_path, published, sections):
    from server import files_handler

    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), files_handler(tmp_path, asked)) as httpd:
        import threading

        threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{httpd.server_address[1]}"
        urls = {name: f"{url}/{path.name}?download=1" for name, path in published.items()}
        part = tmp_path / "downloads" / "spec_tags_top_1000.part"
        part.parent.mkdir()
        whole = published["train"].read_bytes()
        part.write_bytes(whole[:1000])
        run(tmp_path, sections(**urls))
        assert (tmp_path / "downloads" / "spec_tags_top_1000").read_bytes() == whole
        assert asked == [("/spec_tags_top_1000", "bytes=1000-"), ("/spec_tags_top_1000_val", None)]
        run(tmp_path, sections(**urls))
        assert len(asked) == 2
        with pytest.raises(InputError, match="MD5"):
            run(tmp_path, sections(**urls, train_md5="0" * 32))
        httpd.shutdown()
