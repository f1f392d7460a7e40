"""`tagalign new`: a configuration for a folder of sounds that works at the first try."""

import csv
import os
import shlex
from pathlib import Path

import pytest

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.planning.new import run_name, sizes, words, write_new
from tagalign.sources.folder import read_folder
from tiny_project import fresh  # noqa: F401


@pytest.fixture
def rows(corpus) -> list[dict]:
    """The sounds of the bundled corpus."""
    with open(corpus / "sounds.csv", newline="") as file:
        return list(csv.DictReader(file))


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def lay_out(folder, corpus, rows):
    """Link real sounds into a folder, in directories by collection."""
    for row in rows:
        target = folder / (row["label"] or "samples") / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(corpus / "audio" / row["file"], target)
    return folder


def test_words_of_a_path():
    assert words("Dogs/big_dogs/REX-barks 01 (take2).wav") == [
        "dogs",
        "big",
        "rex",
        "barks",
        "take",
    ]
    assert words("ö/夜の音.ogg") == ["夜の音"]


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("my sounds", "my-sounds"),
        ("..", "sounds"),
        ("-x.", "x"),
        ("ö", "sounds"),
        ("a.b_c", "a.b_c"),
    ],
)
def test_the_name_of_a_run_is_one_that_the_schema_takes(name, run):
    assert run_name(name) == run
    assert config.resolve({"run": run, "source": {"kind": "folder"}})["run"] == run


@pytest.mark.parametrize("sounds", [2, 3, 8, 19, 20, 30, 300, 5000, 30_000, 190_000])
def test_a_batch_fits_the_training_set(sounds):
    found = sizes(sounds)
    training = sounds - round(found["pairs"]["validation_share"] * sounds)
    assert 2 <= found["train"]["batch_size"] <= training
    assert config.resolve({"run": "x", "source": {"kind": "folder"}} | found)


@pytest.mark.parametrize("number", [30, 300])
def test_tags_are_the_names_of_directories_and_files(tmp_path, monkeypatch, corpus, rows, number):
    lay_out(tmp_path / "my sounds", corpus, rows[:number])
    monkeypatch.chdir(tmp_path)
    made = write_new("my sounds", "mine.yaml")
    settings = config.load("mine.yaml")
    assert made.sounds == number
    sounds, failures = read_folder(settings["source"])
    assert (len(sounds), failures) == (number, [])
    assert settings["tasks"] == []
    assert settings["tags"]["vocabulary_size"] == made.tags > 1
    assert settings["source"]["folder"]["audio"] == "my sounds"


def test_a_csv_stays_where_it_is_and_its_columns_are_found(tmp_path, monkeypatch, corpus):
    monkeypatch.chdir(tmp_path)
    made = write_new(corpus / "audio", "mine.yaml", corpus / "sounds.csv")
    assert made.sounds + made.left_out == 345  # some are sounds of a target task
    assert made.left_out > 0
    assert files() == ["mine.yaml"]
    source = config.load("mine.yaml")["source"]
    assert source["folder"]["id_column"] == "freesound_id"
    assert source["exclude_target_tasks"] is True


def test_columns_with_other_names(tmp_path, monkeypatch, corpus, rows):
    monkeypatch.chdir(tmp_path)
    with open("list.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Recording", "Keywords"])
        writer.writerows([row["file"], row["tags"]] for row in rows[:40])
    write_new(corpus / "audio", "mine.yaml", "list.csv")
    folder = config.load("mine.yaml")["source"]["folder"]
    assert (folder["id_column"], folder["file_column"]) == ("Recording", "Recording")
    assert folder["tags_column"] == "Keywords"


def test_thirty_thousand_rows(tmp_path, monkeypatch):
    """Only the planning: the sounds are empty files."""
    monkeypatch.chdir(tmp_path)
    for number in range(30_000):
        directory = tmp_path / "sounds" / ("dogs", "rain", "street")[number % 3]
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{('loud', 'soft')[number % 2]}_{number}.wav").touch()
    made = write_new("sounds", "sounds.yaml")
    assert (made.sounds, made.tagged, made.tags) == (30_000, 30_000, 5)
    assert config.load("sounds.yaml")["train"]["batch_size"] == 128


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda: None, "sounds is not a directory"),
        (lambda: Path("sounds").mkdir(), "holds no sound"),
        (lambda: (Path("sounds").mkdir(), Path("sounds/1.wav").touch()), "has a tag"),
        (lambda: (Path("sounds").mkdir(), Path("mine.yaml").touch()), "mine.yaml exists"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, prepare, message):
    monkeypatch.chdir(tmp_path)
    prepare()
    before = files()
    with pytest.raises(InputError, match=message) as caught:
        write_new("sounds", "mine.yaml")
    assert "\n" not in str(caught.value)
    assert files() == before


@pytest.mark.slow
def test_the_printed_command_works(fresh, corpus, rows):  # noqa: F811
    """Thirty real sounds, from the folder to a model."""
    lay_out(fresh.root / "barks", corpus, [row for row in rows if row["label"]][:30])
    said = fresh.call("tagalign", "new", "barks").stdout
    command = shlex.split(said.splitlines()[-1].removeprefix("Next: "))
    assert command == ["snakemake", "--configfile", "barks.yaml"]
    quick = ["--config", "train={epochs: 1}", "model={channels: 4}", "compute={device: cpu}"]
    fresh.call(*command, "--cores", "2", *quick)
    assert (fresh.root / "results" / "barks" / "models" / "w2v-128-4h" / "0.h5").is_file()
