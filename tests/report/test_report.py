"""The report of a run: its files, its numbers, its bytes."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import stage_files
from tagalign.cli import cli
from tagalign.errors import InputError
from tagalign.evaluate.metrics import metrics_for
from tagalign.evaluate.stage_files import Leaks, ScoreFile
from tagalign.model.layout import ModelFile
from tagalign.report import paper
from tagalign.report.losses import count_losses
from tagalign.tasks.stage_files import TaskClips

CLASSES = ["cat", "dog", "drilling"]


def write_scores(path, system, task="us8k", seed=0, p=0.7, n=60, unscored=0, drop=False):
    random = np.random.default_rng([seed, len(system), len(task)])
    fold = np.repeat([1, 2], n // 2)
    label = np.arange(n) % 3
    predicted = np.where(random.random((10, n)) < p, label, (label + 1) % 3)
    labels, scores = np.eye(3, dtype=bool)[label], np.eye(3, dtype=np.float32)[predicted]
    scores[:, :unscored] = np.nan
    metrics = metrics_for(multi_label=False)
    ScoreFile(
        system=system,
        pretraining_seed=seed,
        task=task,
        title=task.upper(),
        multi_label=np.bool_(False),
        unscored_are="drop" if drop else "wrong",
        missing=0,
        unscored=unscored,
        fold=np.array([1, 2]),
        metrics=[metric.name for metric in metrics],
        values=np.array(
            [
                [
                    [metric.compute(labels[fold == f], one[fold == f]) for f in (1, 2)]
                    for one in scores
                ]
                for metric in metrics
            ]
        ),
        clip_id=[f"c{i}" for i in range(n)],
        clip_fold=fold,
        recording=[f"r{i // 2}" for i in range(n)],
        classes=CLASSES,
        labels=labels,
        class_scores=scores,
        failed=[(f"c{i}", "no tags") for i in range(unscored)],
    ).write(path)
    return path


def write_model(path, system, seed):
    epochs = np.arange(5)
    history = {
        f"{part}contrastive": (6 + len(part) / 9) / (1 + epochs + seed)
        for part in ("", "validation_")
    }
    ModelFile(
        system={"name": system},
        network={},
        front_end={},
        cleaning={},
        tags_per_sound=5,
        tag_order="given",
        vocabulary=["dog"],
        weights={},
        history=history | {"retrieval": epochs / 10.0},
    ).write(path, seed=seed)
    return path


@pytest.fixture
def files(tmp_path):
    scores = [
        write_scores(tmp_path / "s" / "mfcc.h5", "mfcc", p=0.5),
        write_scores(tmp_path / "s" / "tag.h5", "w2v-128-1h", task="us8k-tag", unscored=3),
    ]
    models = []
    for seed in (0, 1):
        for system in ("w2v-128-4h", "w2v-128-mean"):
            name = f"{system}-{seed}.h5"
            scores.append(write_scores(tmp_path / "s" / name, system, seed=seed, p=0.75))
            models.append(write_model(tmp_path / "m" / name, system, seed))
    return scores, models


def report(scores, directory, *options):
    arguments = ["report", *scores, "--directory", directory, *options]
    result = CliRunner().invoke(
        cli, list(map(str, arguments)), catch_exceptions=False, standalone_mode=False
    )
    return result.output


def models_of(models):
    return [option for model in models for option in ("--model", model)]


def test_files_and_numbers(files, tmp_path, monkeypatch):
    for task in ("us8k", "us8k-tag"):
        monkeypatch.setitem(paper.TEST_CLIPS, task, 60)
    scores, models = files
    out = tmp_path / "out"
    printed = report(scores, out, *models_of(models), "--title", "demo")
    table = pd.read_csv(out / "table.csv")
    assert list(zip(table["task"], table["system"], strict=True)) == [
        ("us8k", "mfcc"),
        ("us8k", "w2v-128-4h"),
        ("us8k", "w2v-128-mean"),
        ("us8k-tag", "w2v-128-1h"),
    ]
    row = table.iloc[1]
    every = [ScoreFile.read(tmp_path / "s" / f"w2v-128-4h-{seed}.h5") for seed in (0, 1)]
    runs = 100 * np.concatenate([file.values[0] for file in every]).mean(axis=1)
    assert row["mean"] == pytest.approx(runs.mean(), abs=0.006)
    assert row["standard_deviation"] == pytest.approx(runs.std(ddof=1), abs=0.006)
    assert (row["pretraining_seeds"], row["repetitions"], row["clips"]) == (2, 10, 60)
    assert row["low"] < row["mean"] < row["high"]
    assert row["paper"] == 73.5
    assert row["difference"] == pytest.approx(row["mean"] - 73.5, abs=0.006)
    assert row["difference_low"] < row["difference"] < row["difference_high"]
    assert row["verdict"] in ("reproduced", "differs", "inconclusive")
    assert table.iloc[3]["unscored"] == 3
    assert table.iloc[3]["verdict"] == "other clips"

    every = pd.read_csv(out / "scores.csv")
    assert len(every) == 6 * 10 * 2
    assert len(pd.read_csv(out / "comparisons.csv")) == 3
    page = (out / "report.md").read_text()
    assert page.startswith("# demo\n")
    for name in ("accuracy", "training", "confusion-us8k", "confusion-us8k-tag"):
        assert f"(figures/{name}.png)" in page
        assert (out / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert f"{out}/figures/{name}.png" in printed
    assert (out / "table.md").read_text() in page


def test_same_inputs_give_the_same_bytes(files, tmp_path):
    scores, models = files
    for name, order in (("a", scores), ("b", scores[::-1])):
        report(order, tmp_path / name, *models_of(sorted(models)))
    made = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(made) == 22
    for name in made:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for figure in (tmp_path / "a" / "figures").iterdir():
        assert b"Matplotlib" not in figure.read_bytes()


def test_one_system_without_a_number_of_the_paper(tmp_path):
    scores = [write_scores(tmp_path / "s.h5", "my-own", task="my-task")]
    printed = report(scores, tmp_path / "out")
    assert "Paper" not in printed
    assert "my-task" in printed
    assert pd.read_csv(tmp_path / "out" / "table.csv")["paper"].isna().all()
    assert not (tmp_path / "out" / "figures" / "training.png").exists()


def test_same_seed_twice(tmp_path):
    scores = [write_scores(tmp_path / f"{i}.h5", "mfcc") for i in range(2)]
    with pytest.raises(InputError, match="mfcc on us8k from seed 0 are given twice"):
        report(scores, tmp_path / "out")


def test_seeds_scored_on_different_clips(tmp_path):
    scores = [
        write_scores(tmp_path / f"{seed}.h5", "w2v-128-1h", seed=seed, n=n)
        for seed, n in ((0, 60), (1, 30))
    ]
    with pytest.raises(InputError, match="with different clips, classes, folds"):
        report(scores, tmp_path / "out")


def test_seeds_scored_with_different_classes(tmp_path):
    scores = [write_scores(tmp_path / f"{s}.h5", "w2v-128-1h", seed=s) for s in (0, 1)]
    with stage_files.edited(scores[1]) as file:
        file["labels"][...] = file["labels"][()][::-1]
    with pytest.raises(InputError, match="with different clips, classes, folds"):
        report(scores, tmp_path / "out")


def test_losses_are_counted_by_reason_over_all_shards(tmp_path):
    paths = []
    for shard, failures in enumerate(
        [[("1", "silent"), ("2", "truncated: 50% are there")], [("3", "truncated: 9% are there")]]
    ):
        paths.append(tmp_path / f"{shard}.h5")
        patches = dict.fromkeys(["7", "8"], np.zeros((4, 4)))
        stage_files.write_patches(paths[-1], patches, {"n_mels": 4, "n_frames": 4}, failures)
    paths.append(tmp_path / "pairs.h5")
    stage_files.write_training_file(paths[-1], ["7"], ["8"])
    lost = count_losses(paths)
    assert lost.to_numpy().tolist() == [
        ["patches", 4, 3, "truncated", 2],
        ["patches", 4, 3, "silent", 1],
        ["pairs", 2, 0, "", 0],
    ]
    scores = [write_scores(tmp_path / "s.h5", "mfcc")]
    options = [option for path in paths for option in ("--count", path)]
    report(scores, tmp_path / "out", *options)
    page = (tmp_path / "out" / "report.md").read_text()
    assert "| patches | 4 | 3 | truncated | 2 |" in page


def test_clips_without_sound_are_rows_of_a_task_and_not_kept(tmp_path):
    clips = TaskClips(
        task="birds",
        title="Birds",
        split="folds",
        tested_folds=np.array([1, 2], np.int32),
        multi_label=False,
        unscored="wrong",
        clip_id=["a", "b", "c"],
        freesound_id=[""] * 3,
        group=[""] * 3,
        classes=["robin"],
        labels=np.ones((3, 1), bool),
        fold=np.array([1, 2, 2]),
        failed=[("b", "not a readable sound: b.wav"), ("d", "left out by the list")],
    )
    clips.write(tmp_path / "task.h5")
    lost = count_losses([tmp_path / "task.h5"])
    assert lost.to_numpy().tolist() == [
        ["task birds", 2, 2, "left out by the list", 1],
        ["task birds", 2, 2, "not a readable sound", 1],
    ]


def test_published_numbers(shared):
    """The table's numbers are the means of the published runs."""
    runs = json.loads((shared / "reference/performances_ae_w2v_attention.json").read_text())
    tasks = {"us8k": "US8K", "gtzan": "GTZAN", "nsynth": "NSynth"}
    names = {
        "w2v-128-1h": "w2v_128_self_1h",
        "w2v-128-4h": "w2v_128_self_4h",
        "w2v-1152-1h": "w2v_1152_self_1h",
        "w2v-1152-4h": "w2v_1152_self_4h",
        "w2v-128-mean": "w2v_128_mean",
        "w2v-1152-mean": "w2v_1152_mean",
    }
    for system, name in names.items():
        for task, key in tasks.items():
            assert paper.published(system, task, paper.TEST_CLIPS[task]) == pytest.approx(
                100 * np.mean(runs[key][f"ae_{name}"]), abs=0.06
            )
        tag = 100 * np.mean(runs["US8K"][f"tag_{name}"])
        assert paper.published(system, "us8k-tag", 8251) == pytest.approx(tag, abs=0.06)
    assert paper.published("mfcc", "us8k-tag", 8251) is None
    assert paper.published("untrained", "us8k", 8732) is None
    assert paper.published("mfcc", "us8k", 1761) is None, "two folds are not the task"


def test_allowed_leak_is_said(tmp_path):
    for task, ids in (("us8k", ["12", "34"]), ("esc10", [])):
        Leaks(task=task, id=ids, compared="all").write(tmp_path / f"leaks-{task}.h5")
    scores = [write_scores(tmp_path / "s.h5", "mfcc")]
    leaks = [x for task in ("us8k", "esc10") for x in ("--count", tmp_path / f"leaks-{task}.h5")]
    printed = report(scores, tmp_path / "out", *leaks)
    for text in (printed, (tmp_path / "out" / "report.md").read_text()):
        assert "pretraining has seen 2 test recordings of us8k" in text
        assert "of esc10" not in text


def test_unscored_clips_as_errors_are_not_in_the_accuracy_of_the_paper(tmp_path, monkeypatch):
    monkeypatch.setitem(paper.TEST_CLIPS, "us8k-tag", 60)
    rows = {}
    for what, unscored in (("wrong", 3), ("wrong", 0), ("drop", 3)):
        scores, out = [], tmp_path / f"{what}-{unscored}"
        for seed in (0, 1):
            path = out / f"{seed}.h5"
            write_scores(path, "w2v-128-1h", "us8k-tag", seed, drop=what == "drop")
            with stage_files.edited(path) as file:
                file.attrs["unscored"] = unscored
            scores.append(path)
        report(scores, out)
        rows[what, unscored] = pd.read_csv(out / "table.csv").iloc[0]
        page = (out / "report.md").read_text()
        assert ("(other clips)" in page) == ((what, unscored) == ("wrong", 3))
    row = rows.pop(("wrong", 3))
    assert row["paper"] == 79.2
    assert row[["difference", "difference_low"]].isna().all()
    assert row["verdict"] == "other clips"
    for row in rows.values():
        assert row[["difference", "difference_low"]].notna().all()
        assert row["verdict"] in ("reproduced", "differs", "inconclusive")


def test_one_seed_is_no_difference_between_systems(tmp_path):
    """However far apart: another pretraining might have turned it round."""
    scores = [
        write_scores(tmp_path / "mfcc.h5", "mfcc", p=0.1),
        write_scores(tmp_path / "one.h5", "cnn", p=0.95),
    ]
    for seed in (0, 1):
        scores.append(write_scores(tmp_path / f"{seed}.h5", "coala", seed=seed, p=0.95))
    report(scores, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "comparisons.csv").set_index(["system_a", "system_b"])
    assert table["significant"].to_dict() == {
        ("mfcc", "coala"): "yes",
        ("mfcc", "cnn"): "unknown",
        ("coala", "cnn"): "unknown",
    }
    assert table["p_holm"].notna().tolist() == table["p"].notna().tolist() == [True, False, False]
    page = (tmp_path / "out" / "report.md").read_text()
    assert "1 of 1 differences are significant" in page
    assert "2 differences are not tested" in page


PLANTED = "<script>alert(1)</script>|`x`[a](b)"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A report whose titles, names, tags, authors and licences are markup."""
    directory = tmp_path_factory.mktemp("planted")
    scores = [
        write_scores(directory / f"{system}.h5", system, p=p)
        for system, p in (("mfcc", 0.5), (PLANTED, 0.97))
    ]
    model = write_model(directory / "model.h5", "w2v-128-4h", 0)
    catalogue, tags = directory / "catalogue.h5", directory / "tags.h5"
    sound = {"name": PLANTED, "username": PLANTED, "license": PLANTED, "tags": [PLANTED]}
    stage_files.write_catalogue(catalogue, [{"id": "a"} | sound])
    stage_files.write_tags(tags, {"a": [0]}, [PLANTED])
    counted = ["--count", catalogue, "--count", tags]
    report(scores, directory / "out", *models_of([model]), *counted, "--title", PLANTED)
    return directory / "out"


def test_planted_markup_stays_text(planted):
    page = (planted / "report.html").read_text()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 5
    markdown = (planted / "report.md").read_text()
    assert re.search(r"(?<!\\)<script>", markdown) is None
    assert r"\<script>alert(1)\</script>\|\`x\`\[a\](b)" in markdown


def test_the_page_in_a_browser(planted):
    """It asks the network for nothing, has no error, fits both widths, and its table sorts."""
    webdriver = pytest.importorskip("selenium.webdriver")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        for width in (1280, 390):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            page.get((planted / "report.html").as_uri())
            sections = page.find_elements("css selector", "section")
            assert len(sections) == 15
            assert all(len(section.text.splitlines()) > 1 for section in sections)
            assert page.execute_script("return document.documentElement.scrollWidth") <= width
            asked = page.execute_script(
                "return performance.getEntriesByType('resource').map(entry => entry.name)"
            )
            assert [name for name in asked if not name.startswith("data:")] == []
            assert all(
                page.execute_script("return [...document.images].map(i => i.naturalWidth > 0)")
            )
        cells = "#scores tbody td:nth-child(2)"
        head = page.find_element("css selector", "#scores th:nth-child(2) button")
        orders = []
        for _ in range(2):
            page.execute_script("arguments[0].click()", head)
            orders.append([cell.text for cell in page.find_elements("css selector", cells)])
        assert sorted(orders[0]) == sorted(["mfcc", PLANTED])
        assert orders[0] == orders[1][::-1]
        assert page.get_log("browser") == []
    finally:
        page.quit()
