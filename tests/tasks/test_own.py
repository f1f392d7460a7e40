"""Labelled sounds of the user's own, under a name of theirs."""

import csv

import pytest
import yaml

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import ConfigError, InputError
from tagalign.tasks import find_task
from tagalign.tasks.protocol import TEST, TRAIN, VALIDATION
from tiny_project import fresh  # noqa: F401
from tiny_sets import run, settings_of, write_tone  # noqa: F401

HEADER = ["file", "label", "fold", "part"]
ROWS = [
    ["b/1.wav", "robin", "1", "train"],
    ["b/2.wav", "wren", "1", "Train"],
    ["b/3.wav", "robin", "2", "test"],
    ["b/4.wav", "wren", "2", "eval"],
    ["b/5.wav", "wren", "3", "val"],
    ["b/6.wav", "wren", "", ""],
]


@pytest.fixture
def write(tmp_path):
    """Write the sounds and a CSV of these rows, and give its path."""

    def write_rows(rows, header=HEADER):
        for number, row in enumerate(ROWS):
            write_tone(tmp_path / row[0], len(row[1]), number)
        path = tmp_path / "birds.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    return write_rows


def read(path, **values):
    return find_task("birds").read(path.parent, settings_of("birds", csv=str(path), **values))


def test_folds(write):
    listing = read(write(ROWS), fold_column="fold", title="Birds")
    assert [clip.file for clip in listing.clips] == [f"b/{number}.wav" for number in range(1, 6)]
    assert [clip.fold for clip in listing.clips] == [1, 1, 2, 2, 3]
    assert listing.tested_folds == [1, 2, 3]
    assert not listing.fixed_split
    assert (listing.title, listing.classes) == ("Birds", ["robin", "wren"])


def test_several_labels(write):
    rows = [
        [file, text, fold, part]
        for (file, _, fold, part), text in zip(
            ROWS, ["robin; wren", "wren", "", "robin;robin", ";wren;", "owl"], strict=True
        )
    ]
    listing = read(write(rows), fold_column="fold", label_separator=";")
    assert listing.multi_label
    assert listing.classes == ["robin", "wren"]
    assert listing.label_matrix().tolist() == [
        [True, True],
        [False, True],
        [False, False],
        [True, False],
        [False, True],
    ]


def test_a_split(write):
    listing = read(write(ROWS), split_column="part")
    assert [clip.fold for clip in listing.clips] == [TRAIN, TRAIN, TEST, TEST, VALIDATION]
    assert listing.fixed_split
    assert listing.tested_folds == [TEST]


@pytest.mark.parametrize(
    ("rows", "values", "message"),
    [
        (ROWS, {}, r"datasets\.birds: set one of fold_column and split_column"),
        (ROWS, {"fold_column": "fold", "split_column": "part"}, "set one of fold_column"),
        (ROWS, {"fold_column": "folds"}, "has no column 'folds'"),
        ([["b/1.wav", "robin", "one", ""]], {"fold_column": "fold"}, "'one', which is not a whole"),
        ([["b/1.wav", "robin", "", "later"]], {"split_column": "part"}, "'later' in column part"),
        (ROWS[:2], {"split_column": "part"}, "must say train of some clips and test of others"),
        (ROWS[:2], {"fold_column": "fold"}, "a second fold is needed"),
        ([["b/9.wav", "robin", "1", ""]], {"fold_column": "fold"}, r"1 of 1 clips are missing .*9"),
        ([["../1.wav", "robin", "1", ""]], {"fold_column": "fold"}, "is not inside"),
        ([["/1.wav", "robin", "1", ""]], {"fold_column": "fold"}, "is not inside"),
        ([["b/1.wav", "", "1", ""], *ROWS], {"fold_column": "fold"}, "have no label; fill it in"),
        (ROWS[-1:], {"fold_column": "fold"}, "has no row with a fold"),
        (ROWS, {"fold_column": "fold", "test_folds": [7]}, "names fold 7"),
    ],
)
def test_a_mistake_is_one_line(write, rows, values, message):
    with pytest.raises(InputError, match=message) as caught:
        read(write(rows), **values)
    assert "\n" not in str(caught.value)


def test_the_configuration_takes_the_name_of_a_set():
    minimal = {"run": "x", "source": {"kind": "folder"}, "tasks": ["birds"]}
    given = {"datasets": {"birds": {"csv": "birds.csv"}}}
    assert config.resolve(minimal | given)["datasets"]["birds"]["label_column"] == "label"
    with pytest.raises(ConfigError, match=r"no task 'birds'.* datasets: \{birds: \{csv: \.\.\.\}"):
        config.resolve(minimal)
    with pytest.raises(ConfigError, match=r"datasets\.birds\.csv is missing"):
        config.resolve(minimal | {"datasets": {"birds": {}}})
    with pytest.raises(ConfigError, match="small letters, digits and dashes"):
        config.resolve(minimal | given | {"datasets": {"My Birds": {"csv": "birds.csv"}}})


def test_paths_of_an_own_set_rerun_nothing():
    section = {"datasets.birds": settings_of("birds", csv="birds.csv", audio="a", title="Birds")}
    assert set(config.only_places(section)["datasets.birds"]) == {"csv", "audio"}
    assert config.without_places(section)["datasets.birds"]["title"] == "Birds"


def test_the_stage_file_bears_the_title(write, tmp_path, run):  # noqa: F811
    section = {"csv": str(write(ROWS)), "fold_column": "fold", "title": "Birds"}
    output = tmp_path / "t.h5"
    run("task", "--task", "birds", "-o", output, params={"datasets.birds": section})
    with store.read(output, stage="task") as file:
        assert (file.attrs["task"], file.attrs["title"]) == ("birds", "Birds")


def test_a_set_of_several_labels_reaches_the_table(tmp_path, run):  # noqa: F811
    """Two tones, alone, together or neither: scored by mean average precision."""
    rows = []
    for number in range(16):
        present = [name for bit, name in enumerate(("low", "high")) if number >> bit & 1]
        write_tone(tmp_path / f"{number}.wav", number % 4, number)
        rows.append([f"{number}.wav", "; ".join(present), 1 + number // 8])
    with open(tmp_path / "tones.csv", "w", newline="") as file:
        csv.writer(file).writerows([["file", "label", "fold"], *rows])
    section = {"csv": str(tmp_path / "tones.csv"), "fold_column": "fold", "label_separator": ";"}
    names = ("task", "mfcc", "scores")
    task, mfcc, scores = (tmp_path / f"{name}.h5" for name in names)
    run("task", "--task", "tones", "-o", task, params={"datasets.tones": section})
    run("embed-task", task, "--mfcc", "-o", mfcc)
    params = {"evaluate": {"repetitions": 1, "hidden": 4}}
    run("evaluate", task, mfcc, "--system", "mfcc", "-o", scores, params=params)
    run("report", scores, "--directory", tmp_path)
    with open(tmp_path / "table.csv", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["task"], row["clips"]) == ("tones", "16")
    assert "mAP" in (tmp_path / "table.md").read_text()
    assert 0 < float(row["mean"]) <= 100


@pytest.mark.slow
def test_the_workflow_scores_an_own_set(fresh):  # noqa: F811
    """From the labelled CSV to the table, without a line of code."""
    settings = fresh.config | {"systems": ["mfcc"], "tasks": ["birds"]}
    birds = {"csv": "corpus/sounds.csv", "audio": "corpus/audio", "fold_column": "fold"}
    settings["datasets"] = {"birds": birds | {"title": "My birds", "test_folds": [5]}}
    (fresh.root / "tiny.yaml").write_text(yaml.safe_dump(settings))
    fresh.snakemake()
    table = (fresh.root / "results" / "tiny" / "table.md").read_text()
    assert "| birds | mfcc |" in table
