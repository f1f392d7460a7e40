"""The whole workflow against the loopback Freesound, in one command."""

import csv
import json
import os
from collections import deque

import h5py
import numpy as np
import pytest

from served_sounds import corpus_sounds
from server import KEY, Loopback
from tagalign import store
from tagalign.release.reference import REFERENCE
from tagalign.sources.exclude import excluded_ids
from tiny_project import make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LATE = "2019-03-01T12:00:00.000000"


def held_out(corpus):
    """Sounds of the fold that the tiny run tests on."""
    with open(corpus / "sounds.csv", newline="") as file:
        return [int(r["freesound_id"]) for r in csv.DictReader(file) if r["fold"] == "5"]


@pytest.fixture
def server(corpus, key):
    """60 sounds, ten of them of the tested fold and some of target tasks, and 12 later ones."""
    sounds = corpus_sounds(corpus)
    tested = set(held_out(corpus))
    first = [s for s in sounds if s["id"] in tested][:10] + [
        s for s in sounds if s["id"] not in tested and s["duration"] <= 10
    ][:62]
    for number, sound in enumerate(first):
        sound["created"] = LATE if number >= 60 else f"2010-01-{1 + number % 28:02d}T10:00:00.5"
    with Loopback(first) as running:
        yield running


@pytest.fixture
def project(tmp_path, server, corpus):
    made = make_project(tmp_path / "project")
    (made.root / "tested.json").write_text(json.dumps(held_out(corpus)))
    freesound = {
        "url": server.url,
        "created_before": "2019-01-01",
        "requests_per_minute": 1000,
        "first_wait": 0.01,
        "throttled_wait": 0.05,
        "timeout": 10,
    }
    made.config["source"] = {
        "kind": "freesound",
        "name": "loopback",
        "shard_size": 40,
        "exclude_target_tasks": True,
        "exclude": ["tested.json"],
        "freesound": freesound,
    }
    made.configure(systems=["mfcc", "w2v-128-mean"])
    return made


def test_from_catalogue_to_table_in_one_command(project, server, corpus):
    server.faults.search_statuses = deque([500, 429, 503])
    server.faults.truncate_every = 9
    server.faults.echo_key = True
    done = project.snakemake()
    root = project.root
    with open(root / "results" / "tiny" / "table.csv", newline="") as file:
        systems = {row["system"] for row in csv.DictReader(file)}
    assert {"mfcc", "w2v-128-mean"} <= systems

    # Neither a sound of a target task nor one of the tested fold got in, at any stage.
    forbidden = set(excluded_ids({"exclude_target_tasks": True, "exclude": []}))
    forbidden |= set(map(str, held_out(corpus)))
    assert forbidden & set(map(str, server.sounds.by_id))
    for path in root.rglob("*.h5"):
        if not {"tasks", "embeddings", "scores"} & set(path.parts):
            with h5py.File(path, "r") as file:
                for name in ("id", "train/id", "validation/id"):
                    if name in file:
                        assert not forbidden & set(store.read_strings(file[name])), path
    assert not set(map(str, server.log.previews)) & forbidden

    # All that was downloaded is credited.
    with open(root / "results" / "tiny" / "attribution.csv", newline="") as file:
        credited = {int(row["id"]) for row in csv.DictReader(file)}
    assert credited == set(server.log.previews)

    # The key shows nowhere: neither on the screen nor in a file, Snakemake's own included.
    assert KEY not in done.stdout + done.stderr
    for path in root.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path

    # The files fit together, from the shards that the service gave to the scores.
    verified = project.call("tagalign", "verify", "results/tiny")
    assert "follow from their inputs" in verified.stdout

    # Nothing is left to do, and nothing is asked again.
    server.reset()
    again = project.snakemake()
    assert "Nothing to be done" in again.stdout + again.stderr
    assert not server.log.searches

    # Later sounds: only their shard is downloaded and cut.
    old = {path.name: path.stat().st_mtime_ns for path in (root / "data/loopback/audio").iterdir()}
    project.configure(source={"freesound": {"created_before": "2019-05-08"}})
    project.snakemake("--until", "catalogue")
    project.snakemake("--until", "patches")
    new = {i for i, sound in server.sounds.by_id.items() if sound["created"] == LATE}
    assert set(server.log.previews) == new
    now = {path.name: path.stat().st_mtime_ns for path in (root / "data/loopback/audio").iterdir()}
    assert {name: now[name] for name in old} == old
    assert len(now) == len(old) + 1

    # A rerun of the stage by force makes its files again without a download.
    server.reset()
    os.environ.pop("FREESOUND_API_KEY")
    project.snakemake("--until", "audio", "--forcerun", "audio")
    assert not server.log.previews


def test_audio_can_be_temporary(project, server, corpus):
    project.configure(source={"freesound": {"keep_audio": False}})
    (gone, *_) = (
        set(server.sounds.by_id)
        - set(held_out(corpus))
        - {int(i) for i in excluded_ids({"exclude_target_tasks": True, "exclude": []})}
    )
    server.faults.preview_statuses[gone] = deque([404] * 9)
    project.snakemake("--until", "catalogue")
    project.snakemake("--until", "patches")
    data = project.root / "data" / "loopback"
    assert server.log.previews
    assert not list(data.rglob("audio/*.h5"))
    server.reset()
    project.snakemake("results/tiny/attribution.csv")
    assert not server.log.previews
    # Deleting them is no damage, and what could not be downloaded is still known.
    project.snakemake("report")
    assert "follow from their inputs" in project.call("tagalign", "verify", "results/tiny").stdout
    losses = (project.root / "results" / "tiny" / "losses.csv").read_text()
    assert "404" in losses


def test_published_pairs_need_neither_key_nor_sounds(tmp_path, project, monkeypatch):
    monkeypatch.delenv("FREESOUND_API_KEY")
    generator = np.random.default_rng(0)
    for name, count in (("train", 40), ("validation", 8)):
        # All tags of the published vocabulary occur.
        labels = (np.arange(1000) % count == np.arange(count)[:, None]).astype(np.int16)
        with h5py.File(project.root / f"{name}.h5", "w") as file:
            first = {"train": 1_000_000, "validation": 2_000_000}[name]
            file["dataset/id"] = np.arange(first, first + count, dtype=np.int32)[:, None]
            file["dataset/data"] = generator.random((count, 96, 96), np.float32)
            file["dataset/label"] = labels
    project.config["source"] = {
        "kind": "coala",
        "name": "coala",
        "coala": {"train": "train.h5", "validation": "validation.h5"},
    }
    project.configure(
        patches=REFERENCE["patches"],
        pairs={"scaling": "frame", "clip": "low", "tag_order": "vocabulary"},
        frames={"pad_to_seconds": 10},
    )
    assert not project.rules() & {"catalogue", "audio", "patches", "tags", "pairs", "attribution"}
    project.snakemake("--until", "train")
    assert (project.root / "results" / "tiny" / "models" / "w2v-128-mean" / "0.h5").exists()
    assert not list((project.root / "data" / "coala").rglob("*.h5"))
    assert not project.rules() & {"coala", "catalogue", "word2vec", "train"}

    # The whole run follows from the published files, which are found where they are.
    project.snakemake()
    assert "follow from their inputs" in project.call("tagalign", "verify", "results/tiny").stdout
    found = project.call("tagalign", "inspect", "results/tiny/pairs.h5").stdout
    assert "train.h5" in found
    assert "NOT FOUND" not in found

    # Sounds that are excluded later go, and a file that is replaced is read again; a touch is not.
    (project.root / "train.h5").touch()
    assert "coala" not in project.rules()
    (project.root / "out.json").write_text("[1000001]")
    project.configure(source={"exclude": ["out.json"]})
    assert {"coala", "word2vec", "train"} <= project.rules()
    project.configure(source={"exclude": []})
    assert "coala" not in project.rules()
    with h5py.File(project.root / "train.h5", "r+") as file:
        file["dataset/data"][0, 0, 0] += 0.25
    assert {"coala", "train"} <= project.rules()
