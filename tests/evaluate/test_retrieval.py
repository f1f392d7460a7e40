"""Ranks and precision by hand, chance by enumeration, and the stage on a small model."""

import itertools

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from small_model import write_model
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.evaluate.retrieval import chance_precision, chance_rank, chance_recall, search
from tagalign.evaluate.stage_files import RetrievalFile
from tagalign.pairs.build import choose_hidden, hide
from tagalign.pairs.file import Pairs, TrainingFile
from tagalign.pairs.scaling import Scaling
from tagalign.report.retrieval import retrieval_of

REPORT = config.resolve_sections({"report": {"draws": 200}}, ["report"])["report"]
VOCABULARY = ["dog", "bark", "rain"]


def test_rank_and_precision_by_hand():
    query = np.array([[1, 0]], np.float32)
    # Cosines 1, 0.8, 0.6, 0.6, 0: relevant are the second and one of the two that are equal.
    candidates = np.array([[2, 0], [4, 3], [3, 4], [3, -4], [0, 1]], np.float32) * 0.8
    candidates[1] = [0.8, 0.6]
    good = np.array([[False, True, True, False, False]])
    found = search(query, candidates, lambda rows: good[rows])
    assert found["rank"].tolist() == [2]
    assert found["candidates"].tolist() == [5]
    # Places 2 and 4: the irrelevant of two equal ones comes first.
    assert found["precision"][0] == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_equal_embeddings_find_nothing():
    same = np.ones((20, 3), np.float32)
    found = search(same, same, lambda rows: np.eye(20, dtype=bool)[rows])
    assert found["rank"].tolist() == [20] * 20
    assert not found["precision"].any()


def test_what_is_barred_is_no_candidate():
    vectors = np.eye(3, dtype=np.float32)
    eye = np.eye(3, dtype=bool)
    found = search(vectors, vectors, lambda rows: ~eye[rows] | eye[rows], lambda rows: eye[rows])
    assert found["candidates"].tolist() == [2, 2, 2]


@pytest.mark.parametrize(("n", "r"), [(5, 1), (5, 2), (6, 5), (4, 4)])
def test_chance_is_the_mean_over_all_orders(n, r):
    ranks, precisions = [], []
    for places in itertools.combinations(range(n), r):
        ranks.append(places[0] + 1)
        precisions.append(np.mean([(i + 1) / (place + 1) for i, place in enumerate(places)]))
    counts = np.array([n]), np.array([r])
    for k in (1, 3):
        assert chance_recall(*counts, k)[0] == pytest.approx(np.mean(np.array(ranks) <= k))
    assert chance_precision(*counts)[0] == pytest.approx(np.mean(precisions))
    assert chance_rank(*counts) == np.sort(ranks)[(len(ranks) - 1) // 2]


def test_hidden_tags_leave_training_and_stay_in_validation():
    settings = {"hidden_tags": 0.5, "seed": 3}
    hidden = choose_hidden(4, settings)
    assert len(hidden) == 2
    assert np.array_equal(hidden, choose_hidden(4, settings))
    assert len(choose_hidden(4, settings | {"hidden_tags": 0})) == 0
    seen = next(tag for tag in range(4) if tag not in hidden)
    rows = {
        "a": np.array([seen, hidden[0]]),
        "b": np.array([hidden[0], hidden[1]]),
        "c": np.array([hidden[1], seen]),
    }
    part_of, rows, failed = hide(hidden, {"a": False, "b": False, "c": True}, rows, [("x", "y")])
    assert part_of == {"a": False, "c": True}
    assert rows["a"].tolist() == [seen]
    assert rows["c"].tolist() == [hidden[1], seen]
    assert failed == [("b", "hidden tags only"), ("x", "y")]


@pytest.fixture
def pairs(tmp_path):
    """Twelve validation sounds of six recordings; "rain" is hidden."""
    random = np.random.default_rng(0)
    patches = random.random((12, 96, 96)).astype(np.float16)
    tags = [[n % 2, 2] if n % 3 else [n % 2] for n in range(12)]
    ids = [f"s{n:02}" for n in range(12)]
    TrainingFile(
        config={"pairs": {"tag_order": "given"}},
        tags_per_sound=10,
        front_end={"n_mels": 96, "n_frames": 96},
        cleaning={},
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32)),
        vocabulary=VOCABULARY,
        hidden=np.array([2], np.int32),
        train=Pairs(["t"], [[0]], patches[:1]),
        validation=Pairs(ids, tags, patches, [f"r{n // 2}" for n in range(12)]),
        failed=[],
    ).write(tmp_path / "pairs.h5")
    return tmp_path / "pairs.h5"


@pytest.mark.parametrize("system", ["w2v-128-4h", "coala", "untrained"])
def test_the_stage_and_its_table(pairs, tmp_path, system):
    model = write_model(tmp_path / "model.h5", system)
    paths = [tmp_path / f"{seed}.h5" for seed in range(2)]
    for seed, path in enumerate(paths):
        arguments = ["retrieve", model, pairs, "--pretraining-seed", seed, "-o", path]
        done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
    found = RetrievalFile.read(paths[0])
    assert found.sounds_to_sounds.query == [f"s{n:02}" for n in range(12)]
    assert set(found.sounds_to_sounds.candidates) == {10}  # not of its own recording
    table = retrieval_of(paths, REPORT).set_index(["direction", "metric"])
    assert table.loc[("sounds_to_sounds", "R@10"), "value"] == 100
    if system == "untrained":
        assert found.sounds_to_tags is None
        assert "hidden_tags" not in table.index.get_level_values(0)
        return
    # "rain" is no part of any tag set: two sets are left.
    assert found.tags_to_sounds.query == ["dog", "bark"]
    assert set(found.sounds_to_tags.candidates) == {2}
    hidden = table.loc[("hidden_tags", "mAP@10")]
    if system == "coala":
        assert pd.isna(hidden["value"])
        assert "an input for each tag" in hidden["note"]
    else:
        assert found.hidden_tags.query == ["rain"]
        assert found.hidden_tags.relevant.tolist() == [8]
        chance = 100 * chance_precision(np.array([12]), np.array([8]))[0]
        assert hidden["chance"] == pytest.approx(chance, abs=0.01)
        assert hidden["low"] <= hidden["value"] <= hidden["high"]


def test_the_report_of_retrieval_alone(pairs, tmp_path):
    model = write_model(tmp_path / "model.h5")
    for arguments in (
        ["retrieve", model, pairs, "-o", tmp_path / "0.h5"],
        ["report", tmp_path / "0.h5", "--directory", tmp_path / "out"],
    ):
        done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.md").read_text()
    assert "### Hidden tags to sounds" in page
    assert "chance" in page
    assert len(pd.read_csv(tmp_path / "out" / "retrieval.csv")) == 4 * 5
