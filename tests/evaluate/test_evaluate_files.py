"""From task and embedding files to scores: joins, faults, leaks."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import stage_files
from tagalign import store
from tagalign.cli import cli
from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.errors import InputError
from tagalign.evaluate.leaks import check_leaks
from tagalign.evaluate.stage_files import Leaks, ScoreFile
from tagalign.tasks.stage_files import TaskClips

N = 24


def write_task(path, freesound_ids=None, tested=(1, 2), groups=None):
    TaskClips(
        task="esc10",
        title="ESC-10",
        split="folds",
        tested_folds=np.array(tested, np.int32),
        multi_label=np.bool_(False),
        unscored="wrong",
        clip_id=[f"clip{i}" for i in range(N)],
        freesound_id=freesound_ids or [str(100 + i // 2) for i in range(N)],
        group=groups or [""] * N,
        classes=["cat", "dog"],
        labels=np.eye(2, dtype=bool)[np.arange(N) % 2],
        fold=1 + np.arange(N) // 2 % 2,
        failed=[],
    ).write(path)
    return path


def write_embeddings(path, ids=None, vectors=None):
    ids = [f"clip{i}" for i in range(N)] if ids is None else ids
    if vectors is None:
        random = np.random.default_rng(0)
        vectors = random.normal(size=(len(ids), 3)) + 3 * (np.arange(len(ids))[:, None] % 2)
    ClipEmbeddings(task="esc10", clip_id=ids, embedding=vectors, failed=[]).write(path)
    return path


@pytest.fixture
def evaluate(tmp_path):
    def run_verb(*arguments, output="scores.h5", **section):
        section = {"repetitions": 2, "hidden": 8} | section
        arguments = ["evaluate", tmp_path / "task.h5", tmp_path / "e.h5", *arguments]
        arguments += ["--system", "mfcc", "-o", tmp_path / output]
        arguments += ["--params", json.dumps({"evaluate": section})]
        CliRunner().invoke(
            cli, list(map(str, arguments)), catch_exceptions=False, standalone_mode=False
        )
        return tmp_path / output

    return run_verb


def test_same_inputs_give_the_same_bytes(tmp_path, evaluate):
    write_task(tmp_path / "task.h5")
    write_embeddings(tmp_path / "e.h5")
    first, second = evaluate(output="1.h5"), evaluate("--jobs", 2, output="2.h5")
    assert store.digest(first) == store.digest(second)
    found = ScoreFile.read(first)
    assert found.metrics[0] == "accuracy"
    assert found.values.shape == (len(found.metrics), 2, 2)
    assert found.class_scores.shape == (2, N, 2)
    assert (found.system, found.pretraining_seed) == ("mfcc", 0)
    right = (found.class_scores.argmax(2) == found.labels.argmax(1)).mean()
    assert right == pytest.approx(found.values[0].mean())


def test_clips_of_one_group_are_one_recording(tmp_path, evaluate):
    """Else of one Freesound sound, else each is one of its own."""
    groups = ["bass_001", "bass_001", *[""] * (N - 2)]
    write_task(tmp_path / "task.h5", ["7", "8", "9", *[""] * (N - 3)], groups=groups)
    write_embeddings(tmp_path / "e.h5")
    recording = dict(zip(*ScoreFile.read_fields(evaluate(), "clip_id", "recording"), strict=True))
    assert [recording[f"clip{i}"] for i in range(4)] == ["bass_001", "bass_001", "9", "clip3"]


def test_order_of_the_embeddings_does_not_matter(tmp_path, evaluate):
    write_task(tmp_path / "task.h5")
    write_embeddings(tmp_path / "e.h5")
    ids, vectors = ClipEmbeddings.read_fields(tmp_path / "e.h5", "clip_id", "embedding")
    (straight,) = ScoreFile.read_fields(evaluate(output="1.h5"), "class_scores")
    write_embeddings(tmp_path / "e.h5", ids[::-1], vectors[::-1])
    (turned,) = ScoreFile.read_fields(evaluate(output="2.h5"), "class_scores")
    np.testing.assert_array_equal(turned, straight)


@pytest.mark.parametrize(
    ("ids", "value", "message"),
    [
        (["stranger"], 0.0, "clip 'stranger', which .* does not have"),
        (None, np.nan, "clip 'clip3' holds NaN or infinity"),
        (None, np.inf, "clip 'clip3' holds NaN or infinity"),
    ],
)
def test_embeddings_that_do_not_fit(tmp_path, evaluate, ids, value, message):
    write_task(tmp_path / "task.h5")
    vectors = np.zeros((len(ids or range(N)), 3))
    if ids is None:
        vectors[3, 1] = value
    write_embeddings(tmp_path / "e.h5", ids, vectors)
    with pytest.raises(InputError, match=message):
        evaluate()
    assert not (tmp_path / "scores.h5").exists()


def test_files_of_another_stage(tmp_path, evaluate):
    write_embeddings(tmp_path / "task.h5")
    write_embeddings(tmp_path / "e.h5")
    with pytest.raises(InputError, match="a file of stage 'task' is needed"):
        evaluate()


def write_pairs(path, train, validation):
    return stage_files.write_training_file(path, train, validation)


def write_tags(path, ids):
    return stage_files.write_tags(path, {identifier: [0] for identifier in ids}, ["dog"])


def leaks(task, output, *pretraining, allowed=()):
    params = json.dumps({"evaluate": {"allow_leaks": list(allowed)}})
    arguments = ["leaks", task, *pretraining, "-o", output, "--params", params]
    CliRunner().invoke(
        cli, list(map(str, arguments)), catch_exceptions=False, standalone_mode=False
    )
    return Leaks.read(output).id


def test_leak_stops_unless_it_is_allowed(tmp_path):
    task, output = write_task(tmp_path / "task.h5"), tmp_path / "leaks.h5"
    clean = write_pairs(tmp_path / "clean.h5", ["1", "2"], ["3"])
    assert leaks(task, output, clean) == []
    for leaky in (
        write_pairs(tmp_path / "train.h5", ["1", "103"], ["3"]),
        write_pairs(tmp_path / "validation.h5", ["1"], ["103"]),
        write_tags(tmp_path / "tags.h5", ["1", "103"]),
    ):
        output.unlink()
        with pytest.raises(InputError, match=r"1 of 12 test recordings of esc10 .*: 103; exclude"):
            leaks(task, output, clean, leaky)
        with pytest.raises(InputError, match="test recordings"):
            leaks(task, output, leaky, allowed=["us8k"])
        assert not output.exists()
        assert leaks(task, output, leaky, allowed=["esc10"]) == ["103"]


def test_leak_looks_at_tested_folds_only(tmp_path):
    task = write_task(tmp_path / "task.h5", tested=(2,))
    in_fold_1, in_fold_2 = "100", "101"
    assert check_leaks(task, [write_tags(tmp_path / "1.h5", [in_fold_1])], []).id == []
    with pytest.raises(InputError, match="1 of 6 test recordings"):
        check_leaks(task, [write_tags(tmp_path / "2.h5", [in_fold_2])], [])


@pytest.mark.parametrize("dress", ["{}.0", "000{}", "freesound-{}", "https://freesound.org/s/{}/"])
def test_a_leak_is_found_in_any_dress_of_its_id(tmp_path, dress):
    pretraining = [write_tags(tmp_path / "tags.h5", ["1", dress.format(103)])]
    for ids in (None, [f"{100 + index // 2}.0" for index in range(N)]):
        task = write_task(tmp_path / "task.h5", **({"freesound_ids": ids} if ids else {}))
        with pytest.raises(InputError, match=r"1 of 12 test recordings of esc10 .*: 103; exclude"):
            check_leaks(task, pretraining, [])


def test_a_copy_under_another_name_is_a_leak(tmp_path):
    task = write_task(tmp_path / "task.h5", freesound_ids=[""] * N)
    dataset, catalogue = tmp_path / "dataset.h5", tmp_path / "catalogue.h5"
    for path, stage, name, ids, sums in [
        (
            dataset,
            "dataset",
            "clip_id",
            [f"clip{i}" for i in range(N)],
            [f"sum{i}" for i in range(N)],
        ),
        (catalogue, "catalogue", "id", ["a", "b", "c"], ["sum3", "other", ""]),
    ]:
        with store.create(path, stage=stage, config={}) as file:
            store.write_strings(file, name, ids)
            store.write_strings(file, "sha256", sums)
    clean = write_tags(tmp_path / "clean.h5", ["b", "c"])
    found = check_leaks(task, [clean], [], dataset, catalogue)
    assert found.id == []
    assert found.compared == (f"compared by Freesound id: 0 of {N} test clips; by content: {N}")
    leaky = write_tags(tmp_path / "leaky.h5", ["a", "b"])
    with pytest.raises(
        InputError, match=rf"1 of {N} test clips of esc10 are, byte for byte, .*clip3"
    ):
        check_leaks(task, [clean, leaky], [], dataset, catalogue)
    assert check_leaks(task, [leaky], ["esc10"], dataset, catalogue).id == ["clip3"]
    assert "by content: 0" in check_leaks(task, [leaky], []).compared


def test_unknown_recordings_are_no_leak(tmp_path):
    task = write_task(tmp_path / "task.h5", freesound_ids=[""] * N)
    assert check_leaks(task, [write_tags(tmp_path / "t.h5", ["", "100"])], []).id == []


def test_pretraining_file_without_ids(tmp_path):
    task = write_task(tmp_path / "task.h5")
    with store.create(tmp_path / "w.h5", stage="word2vec", config={}):
        pass
    with pytest.raises(InputError, match="holds no sound ids"):
        check_leaks(task, [tmp_path / "w.h5"], [])
