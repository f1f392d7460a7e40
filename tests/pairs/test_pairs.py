"""The training file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stage_files
from tagalign import store
from tagalign.audio.file import PatchShard
from tagalign.config.load import resolve_sections
from tagalign.errors import InputError
from tagalign.pairs import build
from tagalign.pairs.file import TrainingFile

IDS = [f"s{number:02}" for number in range(40)]
ROWS = {identifier: [2, 0] if n % 3 else [1] for n, identifier in enumerate(IDS)}


def run(output, tags, *shards, **settings):
    return build.run(output, tags, shards, resolve_sections({"pairs": settings}, ["pairs"]))


@pytest.fixture
def inputs(write_tags, write_shard, random_patches):
    """A tag file and two shards; returns their paths and the unscaled patches."""
    patches = random_patches(IDS)
    shards = [
        write_shard({i: patches[i] for i in IDS[:25]}, "0000.h5"),
        write_shard({i: patches[i] for i in IDS[25:]}, "0001.h5"),
    ]
    return write_tags(ROWS), shards, patches


def contents(path):
    return TrainingFile.read(path)


@pytest.mark.parametrize("scaling", ["band", "column"])
def test_scaled_with_training_statistics_alone(tmp_path, inputs, scaling):
    tags, shards, patches = inputs
    out = tmp_path / "pairs.h5"
    run(out, tags, *shards, scaling=scaling, clip="none")
    found = contents(out)
    train, validation = found.train, found.validation
    assert len(validation.id) == 4
    assert sorted(train.id + validation.id) == IDS
    training = np.stack([patches[identifier] for identifier in train.id]).astype(np.float64)
    axes = (0, 2) if scaling == "band" else (0, 1)
    low, high = training.min(axis=axes, keepdims=True), training.max(axis=axes, keepdims=True)
    for part in (train, validation):
        assert part.patches.dtype == np.float16
        raw = np.stack([patches[identifier] for identifier in part.id])
        np.testing.assert_allclose(part.patches, (raw - low) / (high - low), atol=1e-3)
    assert (train.patches.min(), train.patches.max()) == (0, 1)


def test_validation_sounds_do_not_touch_the_statistics(tmp_path, inputs, write_shard):
    """An extreme value in a validation patch changes that patch alone."""
    tags, shards, patches = inputs
    held_out = tmp_path / "validation.json"
    held_out.write_text(json.dumps(IDS[:3]))
    settings = {"validation_ids": str(held_out)}
    run(tmp_path / "a.h5", tags, *shards, **settings)
    patches = {i: patches[i].copy() for i in IDS}
    patches["s01"][:] = 1000
    write_shard({i: patches[i] for i in IDS[:25]}, "0000.h5")
    run(tmp_path / "b.h5", tags, *shards, **settings)
    before, after = contents(tmp_path / "a.h5"), contents(tmp_path / "b.h5")
    assert before.validation.id == after.validation.id == IDS[:3]
    np.testing.assert_array_equal(before.train.patches, after.train.patches)
    np.testing.assert_array_equal(
        before.validation.patches[[0, 2]], after.validation.patches[[0, 2]]
    )
    assert after.validation.patches[1].min() == 1  # clipped
    for name in ("minimum", "maximum"):
        one, two = getattr(before.scaling, name), getattr(after.scaling, name)
        np.testing.assert_array_equal(one, two)


def test_tags_and_attributes(tmp_path, inputs):
    tags, shards, _ = inputs
    for order, expected in (("given", [2, 0]), ("vocabulary", [0, 2])):
        out = tmp_path / f"{order}.h5"
        run(out, tags, *shards, tag_order=order, tags_per_sound=1)
        found = contents(out)
        for part in (found.train, found.validation):
            for identifier, row in zip(part.id, part.tags, strict=True):
                assert row.tolist() == (expected if len(ROWS[identifier]) == 2 else [1])
        assert found.tags_per_sound == 1
        assert found.tag_order == order
        assert found.front_end["n_mels"] == 8
        assert found.cleaning["lemmatizer"] == "wordnet"
        assert found.vocabulary == ["rain", "dog", "wind"]
        assert found.scaling.axis == "band"


def test_same_bytes_in_any_order_of_the_shards(tmp_path, inputs):
    tags, shards, _ = inputs
    run(tmp_path / "a.h5", tags, *shards)
    run(tmp_path / "b.h5", tags, *shards[::-1])
    assert store.digest(tmp_path / "a.h5") == store.digest(tmp_path / "b.h5")


def test_sounds_in_one_input_only_are_listed_with_the_reason(
    tmp_path, write_tags, write_shard, random_patches
):
    tags = write_tags(
        {"a": [0], "b": [1], "c": [2], "silent": [0]}, failures=[("untagged", "no tags")]
    )
    shard = write_shard(
        random_patches(["a", "b", "c", "untagged", "foreign"]), failures=[("silent", "silent")]
    )
    other = write_tags({"a": [0], "b": [1], "c": [2], "lost": [0]}, name="other.h5")
    run(tmp_path / "pairs.h5", tags, shard)
    assert contents(tmp_path / "pairs.h5").failed == [
        ("foreign", "not in the file of tags"),
        ("silent", "no patch: silent"),
        ("untagged", "no tags"),
    ]
    run(tmp_path / "pairs.h5", other, shard)
    lost = ("lost", "no patch: in none of the shards")
    assert lost in contents(tmp_path / "pairs.h5").failed


def test_blocks_do_not_change_the_result(tmp_path, inputs, monkeypatch):
    tags, shards, _ = inputs
    run(tmp_path / "a.h5", tags, *shards)
    monkeypatch.setattr(build, "BLOCK", 3)
    run(tmp_path / "b.h5", tags, *shards)
    assert store.digest(tmp_path / "a.h5") == store.digest(tmp_path / "b.h5")


def test_bad_input(tmp_path, inputs, write_tags, write_shard, random_patches):
    tags, shards, patches = inputs
    broken = {i: patches[i].copy() for i in IDS[25:]}
    broken["s30"][2, 3] = np.nan
    twice = write_shard({"s00": patches["s00"]}, "twice.h5")
    settings = PatchShard.read(shards[0]).front_end | {"window": "hann"}
    cases = [
        ([tags, *shards, twice], "sound s00 is in .*0000.h5 and in .*twice.h5"),
        ([tags, shards[0], write_shard(broken, "nan.h5")], "patch of sound s30 holds values"),
        (
            [tags, shards[0], write_shard({"z": patches["s00"]}, "hann.h5", front_end=settings)],
            "hann.h5 was made with other `patches` settings than .*0000.h5",
        ),
        ([write_tags({"zz": [0]}, name="zz.h5"), *shards], "no sound has both a patch .40. and"),
        ([shards[0], tags], "made by stage 'patches', but a file of stage 'tags' is needed"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            run(tmp_path / "pairs.h5", *arguments)
        assert "\n" not in str(caught.value)
        assert not list(tmp_path.glob("*pairs*"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_sounds(tmp_path):
    """6,000 patches are 221 MB; the stage may take 60 MB above what it takes for 600."""
    script = tmp_path / "measure.py"
    script.write_text(MEASURE)
    peaks = []
    for sounds in (600, 6000):
        directory = tmp_path / str(sounds)
        directory.mkdir()
        result = subprocess.run(
            [sys.executable, script, directory, str(sounds)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(stage_files.__file__).parent)},
        )
        peaks.append(int(result.stdout) / 1024)  # MiB
    assert peaks[1] < peaks[0] + 60


MEASURE = """
import resource, sys
from pathlib import Path

import numpy as np

import stage_files
from tagalign.config import load as config
from tagalign.pairs.build import run

directory, n = Path(sys.argv[1]), int(sys.argv[2])
sections = config.resolve_sections({}, ["patches", "tags", "pairs"])
ids = [f"{i:06}" for i in range(n)]
stage_files.write_tags(
    directory / "tags.h5",
    {identifier: [i % 50, 50 + i % 7] for i, identifier in enumerate(ids)},
    [f"t{i}" for i in range(57)],
    cleaning=sections["tags"],
)
rng = np.random.default_rng(0)
for start in range(0, n, 300):
    patches = dict(zip(ids[start : start + 300], rng.random((300, 96, 96), np.float32)))
    stage_files.write_patches(directory / f"{start:06}.h5", patches, sections["patches"])
shards = sorted(directory.glob("0*.h5"))
run(directory / "pairs.h5", directory / "tags.h5", shards, {"pairs": sections["pairs"]})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
