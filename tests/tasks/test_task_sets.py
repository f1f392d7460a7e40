"""Every data set in its real layout, from the download to the table."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.evaluate.stage_files import ScoreFile
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tiny_sets import make_esc, make_gtzan, make_nsynth, make_us8k, pack_tar, pack_zip


def serve_us8k(root, server):
    pack_tar(server.directory / "us8k.tar.gz", make_us8k(root))
    return {"url": f"{server.url}/us8k.tar.gz", "md5": None}


def serve_esc(root, server):
    pack_zip(server.directory / "esc.zip", make_esc(root))
    return {"url": f"{server.url}/esc.zip"}


def serve_gtzan(root, server):
    pack_tar(server.directory / "genres.tar.gz", make_gtzan(root))
    url = f"{server.url}/genres.tar.gz"
    return {"url": url, "md5": None, "lists": str(root / "lists")}


def serve_nsynth(root, server):
    make_nsynth(root)
    settings = {"list": str(root / "list.json")}
    for split in ("train", "test"):
        pack_tar(server.directory / f"{split}.tar.gz", root / f"nsynth-{split}")
        settings[f"{split}_url"] = f"{server.url}/{split}.tar.gz"
    return settings


SETS = {
    "us8k": (serve_us8k, 100, 100, 10, 80),
    "esc10": (serve_esc, 50, 50, 10, 80),
    "esc50": (serve_esc, 250, 250, 50, 50),
    "gtzan": (serve_gtzan, 20, 8, 4, 80),
    "nsynth": (serve_nsynth, 15, 6, 3, 80),
}


@pytest.mark.usefixtures("tiny_counts")
@pytest.mark.parametrize("task", SETS)
def test_from_the_download_to_the_table(task, tmp_path, server, run):
    serve, clips, tested, classes, least = SETS[task]
    section = {f"datasets.{task}": serve(tmp_path / "made", server)}
    data, out = tmp_path / "data", tmp_path / "out"
    run("dataset", "--task", task, "--data", data, "-o", out / "dataset.h5", params=section)
    asked = len(server.requests)
    run("dataset", "--task", task, "--data", data, "-o", out / "again.h5", params=section)
    assert len(server.requests) == asked, "a whole download is not fetched again"
    assert store.digest(out / "again.h5") == store.digest(out / "dataset.h5")
    archives = [*data.rglob("*.tar.gz"), *data.rglob("*.zip")]
    assert len(archives) == asked
    for archive in archives:
        archive.unlink()
    run("dataset", "--task", task, "--data", data, "-o", out / "again.h5", params=section)
    assert len(server.requests) == asked, "an archive is not needed once it is unpacked"
    assert store.digest(out / "again.h5") == store.digest(out / "dataset.h5")

    arguments = ["--task", task, "--data", data, "--dataset", out / "dataset.h5"]
    run("task", *arguments, "-o", out / "task.h5", params=section)
    with store.read(out / "task.h5", stage="task") as file:
        assert store.count_strings(file["clip_id"]) == clips
        assert store.count_strings(file["classes"]) == classes
        assert np.diff(file["patches/offsets"][()]).min() == 1
        assert len(store.read_failures(file)) == 0

    run("embed-task", out / "task.h5", "--mfcc", "-o", out / "mfcc.h5")
    few = {"evaluate": {"repetitions": 2}}
    arguments = [out / "task.h5", out / "mfcc.h5", "--system", "mfcc"]
    run("evaluate", *arguments, "-o", out / "scores.h5", params=few)
    printed = run("report", out / "scores.h5", "--count", out / "task.h5", "--directory", out)
    row = pd.read_csv(out / "table.csv").iloc[0]
    assert (row["task"], row["clips"], row["repetitions"]) == (task, tested, 2)
    assert row["mean"] > least, "tones of different pitch are told apart"
    assert f"{row['mean']:.1f}" in printed
    assert (out / "figures" / f"confusion-{task}.png").stat().st_size > 5000


# One tag per class of UrbanSound8K; the model's vocabulary.
WORDS = ("fan", "horn", "child", "dog", "drill", "engine", "gun", "hammer", "siren", "guitar")


def write_tag_model(path):
    """A model with a random tag encoder and nothing else, as an import of only that part."""
    torch.manual_seed(0)
    sections = config.resolve_sections({}, ["patches", "tags", "model"])
    system, vectors = SYSTEMS["w2v-128-1h"], torch.randn(len(WORDS), 128)
    settings = sections["model"]
    network = Network(system, settings, 96, 96, len(WORDS), vectors, {"tag_encoder"})
    model = Model(
        system=system,
        network=network,
        settings=settings,
        vocabulary=list(WORDS),
        front_end=sections["patches"],
        cleaning=sections["tags"],
        scaling=None,
        tags_per_sound=10,
    )
    model.save(path, stage="import-release", config={}, inputs={})
    return path


def write_tags(path):
    """Tags of the tiny UrbanSound8K: of one recording unknown, of one none, of one no word."""
    tags = {
        str(1000 * fold + number): [word.title(), "field recording"]
        for fold in range(1, 11)
        for number, word in enumerate(WORDS)
    }
    del tags["1000"]
    tags |= {"2001": [], "3002": ["zoom h4n"]}
    path.write_text(json.dumps(tags))
    return path


@pytest.mark.usefixtures("tiny_counts")
def test_us8k_from_tags_from_the_download_to_the_table(tmp_path, server, run):
    out = tmp_path / "out"
    settings = serve_us8k(tmp_path / "made", server)
    settings["tags"] = str(write_tags(tmp_path / "tags.json"))
    section = {"datasets.us8k-tag": settings}
    arguments = ["--task", "us8k-tag", "--data", tmp_path / "data"]
    run("dataset", *arguments, "-o", out / "dataset.h5", params=section)
    arguments += ["--dataset", out / "dataset.h5"]
    run("task", *arguments, "-o", out / "task.h5", params=section)
    model = write_tag_model(tmp_path / "model.h5")
    run("embed-task", out / "task.h5", "--model", model, "-o", out / "embeddings.h5")
    with store.read(out / "embeddings.h5", stage="embed-task") as file:
        assert file["embedding"].shape == (97, 128)
        assert dict(store.read_failures(file)) == {
            "1000-0-0-1": "no tags",
            "2001-1-0-2": "no tags",
            "3002-2-0-3": "no tag in the vocabulary of the model",
        }
    with pytest.raises(InputError, match="holds tags, not sounds"):
        run("embed-task", out / "task.h5", "--mfcc", "-o", out / "mfcc.h5")

    for unscored, clips, accuracy in (("wrong", 100, 97), ("drop", 97, 100)):
        scores, directory = out / f"{unscored}.h5", out / unscored
        few = {"evaluate": {"repetitions": 2, "unscored": unscored}}
        arguments = [out / "task.h5", out / "embeddings.h5", "--system", "w2v-128-1h"]
        run("evaluate", *arguments, "-o", scores, params=few)
        (found,) = ScoreFile.read_fields(scores, "class_scores")
        assert found.shape == (2, clips, 10)
        counted = ("--count", out / "task.h5", "--count", out / "embeddings.h5")
        run("report", scores, *counted, "--directory", directory)
        row = pd.read_csv(directory / "table.csv").iloc[0]
        assert (row["task"], row["clips"], row["repetitions"]) == ("us8k-tag", clips, 2)
        assert row["mean"] == accuracy, "a tag of its own tells each class"
        assert (row["missing"], row["unscored"], row["unscored_are"]) == (2, 1, unscored)
        assert row["coverage"] == 0.97
        page = (directory / "report.md").read_text()
        assert f"| 2 | 1 | {'as wrong' if unscored == 'wrong' else 'left out'} | 97.0 |" in page
        losses = pd.read_csv(directory / "losses.csv").set_index("stage")["lost"]
        assert losses["embed-task us8k-tag"].max() == 3


@pytest.mark.usefixtures("tiny_counts")
def test_two_tasks_share_one_download(tmp_path, server, run):
    section = serve_esc(tmp_path / "made", server)
    for task in ("esc10", "esc50"):
        output = tmp_path / f"{task}.h5"
        arguments = ["--task", task, "--data", tmp_path / "data", "-o", output]
        run("dataset", *arguments, params={f"datasets.{task}": section})
    assert len(server.requests) == 1


@pytest.mark.usefixtures("tiny_counts")
def test_nsynth_unpacks_only_the_listed_training_notes(tmp_path, server, run):
    section = {"datasets.nsynth": serve_nsynth(tmp_path / "made", server)}
    arguments = ["--task", "nsynth", "--data", tmp_path / "data", "-o", tmp_path / "n.h5"]
    run("dataset", *arguments, params=section)
    root = tmp_path / "data" / "nsynth"
    assert len(list((root / "nsynth-train").rglob("*.wav"))) == 9
    assert len(list((root / "nsynth-test").rglob("*.wav"))) == 6


@pytest.mark.usefixtures("tiny_counts")
def test_own_copy_is_used_untouched(tmp_path, run):
    root = make_us8k(tmp_path / "mine")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    section = {"datasets.us8k": {"path": str(root)}}
    nowhere = tmp_path / "never-made"
    arguments = ["--task", "us8k", "--data", nowhere]
    run("dataset", *arguments, "-o", tmp_path / "d.h5", params=section)
    run("task", *arguments, "-o", tmp_path / "t.h5", params=section)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert not nowhere.exists()


@pytest.mark.usefixtures("tiny_counts")
def test_unreadable_sound_keeps_its_place_and_is_counted(tmp_path, run):
    root = make_us8k(tmp_path / "mine")
    name = "3005-5-0-3"
    (root / "audio" / "fold3" / f"{name}.wav").write_text("this is no sound")
    section = {"datasets.us8k": {"path": str(root)}}
    run("task", "--task", "us8k", "-o", tmp_path / "t.h5", params=section)
    with store.read(tmp_path / "t.h5") as file:
        ((failed, reason),) = store.read_failures(file)
        row = store.read_strings(file["clip_id"]).index(name)
        assert failed == name
        assert "not a readable sound" in reason
        assert str(tmp_path) not in reason
        assert np.isnan(file["mfcc"][row]).all()
        offsets = file["patches/offsets"][()]
        assert offsets[row] == offsets[row + 1]
    run("embed-task", tmp_path / "t.h5", "--mfcc", "-o", tmp_path / "m.h5")
    for unscored, clips in (("wrong", 100), ("drop", 99)):
        output = tmp_path / f"{unscored}.h5"
        few = {"evaluate": {"repetitions": 1, "unscored": unscored}}
        arguments = [tmp_path / "t.h5", tmp_path / "m.h5", "--system", "mfcc"]
        run("evaluate", *arguments, "-o", output, params=few)
        (found,) = ScoreFile.read_fields(output, "class_scores")
        assert found.shape == (1, clips, 10)
        assert np.isnan(found).any(axis=2).sum() == (unscored == "wrong")


@pytest.mark.usefixtures("tiny_counts")
def test_a_clip_of_huge_samples_has_a_reason(tmp_path, run):
    root = make_us8k(tmp_path / "mine")
    path = root / "audio" / "fold3" / "3005-5-0-3.wav"
    signal, rate = soundfile.read(path, dtype="float32")
    soundfile.write(path, signal * np.float32(1e30), rate, subtype="FLOAT")
    section = {"datasets.us8k": {"path": str(root)}}
    run("task", "--task", "us8k", "-o", tmp_path / "t.h5", params=section)
    run("embed-task", tmp_path / "t.h5", "--mfcc", "-o", tmp_path / "m.h5")
    with store.read(tmp_path / "t.h5") as task, store.read(tmp_path / "m.h5") as embedded:
        for file in (task, embedded):
            ((failed, reason),) = store.read_failures(file)
            assert failed == path.stem
            assert reason.startswith("samples far above full scale")
        assert store.count_strings(embedded["clip_id"]) == 99


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_counts")
def test_task_files_do_not_depend_on_place_or_processes(tmp_path, run):
    make_us8k(tmp_path / "a")
    make_us8k(tmp_path / "b" / "elsewhere")
    sums = set()
    for root, jobs in ((tmp_path / "a", 1), (tmp_path / "b" / "elsewhere", 2)):
        output = root / "task.h5"
        section = {"datasets.us8k": {"path": str(root / "UrbanSound8K")}}
        run("task", "--task", "us8k", "--jobs", jobs, "-o", output, params=section)
        sums.add(store.digest(output))
    assert len(sums) == 1
