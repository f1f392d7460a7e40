"""Whatever a user gives wrongly ends in one line that names it, exit status 1 and no output.

The commands run on the files of a finished run, in this process.
"""

import csv
import json
import shutil
import sys

import pytest

from tagalign.cli import main

pytestmark = pytest.mark.slow

RESULTS = "results/tiny"
PAIRS, VECTORS = f"{RESULTS}/pairs.h5", f"{RESULTS}/word2vec/128.h5"
CATALOGUE = "data/tiny/catalogue.h5"
EXACT = {"vocabulary_size": 900, "exact_vocabulary": True}
SMALL = {"train": {"epochs": 1, "batch_size": 8}, "model": {"channels": 4}}


def source(**changes) -> str:
    folder = {"csv": "corpus/sounds.csv", "audio": "corpus/audio", "id_column": "freesound_id"}
    section = {"kind": "folder", "exclude_target_tasks": False, "folder": folder | changes}
    return json.dumps({"source": section})


def training(**changes) -> str:
    return json.dumps(SMALL | {"train": SMALL["train"] | changes})


TRAIN = ["train", PAIRS, "--word2vec", VECTORS, "--system", "w2v-128-mean", "--device", "cpu"]
CASES = {
    "missing configuration": (
        ["catalogue", "--config", "mine.yaml"],
        ["cannot read", "mine.yaml"],
    ),
    "unknown key": (
        ["catalogue", "--params", '{"source": {"kind": "folder", "folders": {}}}'],
        ["unknown key 'source.folders'", "did you mean 'folder'"],
    ),
    "wrong type": (
        [*TRAIN, "--params", training(epochs="ten")],
        ['train.epochs = "ten"', "must be of type integer"],
    ),
    "key of another stage": (
        ["catalogue", "--params", '{"train": {"epochs": 3}}'],
        ["does not read section 'train'", "only source"],
    ),
    "a list for sections": (
        ["catalogue", "--params", "[1]"],
        ["--params must be a JSON object", "not [1]"],
    ),
    "key that is no text": (
        ["catalogue", "--config", "corpus/number.yaml"],
        ["corpus/number.yaml", "the key 1 is no text", "put it in quotes"],
    ),
    "key given twice": (
        ["catalogue", "--config", "corpus/twice.yaml"],
        ["corpus/twice.yaml, line 2", "'run' is in line 1 already"],
    ),
    "configuration in another encoding": (
        ["catalogue", "--config", "corpus/latin.yaml"],
        ["corpus/latin.yaml", "not text in UTF-8", "save it as such"],
    ),
    "missing CSV": (
        ["catalogue", "--params", source(csv="none.csv")],
        ["none.csv", "No such file", "source.folder.csv"],
    ),
    "missing CSV column": (
        ["catalogue", "--params", source(tags_column="words")],
        ["corpus/sounds.csv", "no column 'words'", "source.folder"],
    ),
    "missing sound files": (
        ["catalogue", "--params", source(audio="data")],
        ["data/", "does not exist", "add the file or remove the row"],
    ),
    "another stage's file": (
        ["pairs", f"{RESULTS}/patches/0000.h5", f"{RESULTS}/patches/0000.h5"],
        ["patches/0000.h5", "made by stage 'patches'", "stage 'tags' is needed"],
    ),
    "a text file for HDF5": (
        ["tags", "corpus/sounds.csv"],
        ["corpus/sounds.csv", "not a readable", "make it again"],
    ),
    "shard that is not there": (
        ["patches", CATALOGUE, "--shard", "70", "--folder", "corpus/audio"],
        [CATALOGUE, "shard 70"],
    ),
    "vocabulary smaller than needed": (
        ["tags", CATALOGUE, "--params", json.dumps({"tags": EXACT})],
        ["tags.vocabulary_size is 900", "or less", "or the other to false"],
    ),
    "no tag frequent enough": (
        ["tags", CATALOGUE, "--params", '{"tags": {"minimum_count": 900}}'],
        ["no tag is left after cleaning", "lower tags.minimum_count"],
    ),
    "no GPU where one was asked for": (
        ["train", PAIRS, "--system", "cnn", "--device", "cuda"],
        ["'cuda' was asked for", "compute.device", "set it to cpu or auto"],
    ),
    "batch larger than the data set": (
        [*TRAIN, "--params", training(batch_size=500, exact_batch=True)],
        ["train.batch_size = 500", PAIRS, "set it to at most"],
    ),
    "NaN loss": (
        [*TRAIN, "--params", training(learning_rate=1e30, epochs=3)],
        ["diverged in step", "nan", "lower train.learning_rate (now 1e+30)"],
    ),
    "unknown system": (
        ["train", PAIRS, "--system", "w2v-7"],
        ["no system 'w2v-7'", "known: w2v-128-1h"],
    ),
    "no word vectors": (
        ["train", PAIRS, "--system", "w2v-128-4h", "--params", training()],
        ["w2v-128-4h", "give --word2vec"],
    ),
    "a text file for a model": (
        ["embed", "corpus/sounds.csv", "corpus/audio"],
        ["corpus/sounds.csv is not a model", "tagalign train"],
    ),
    "data that is not there yet": (
        ["task", "--task", "us8k"],
        ["data/datasets/us8k is not a directory", "run `tagalign dataset --task us8k`"],
    ),
    "a configuration without a run": (
        ["catalogue", "--config", "corpus/nameless.yaml"],
        ["corpus/nameless.yaml: run is missing: Name of the run"],
    ),
    "a model that is none": (
        ["embed", PAIRS, "corpus/audio"],
        [PAIRS, "holds no model"],
    ),
    "scores of another task": (
        ["evaluate", PAIRS, f"{RESULTS}/embeddings/mfcc/0/pets.h5", "--system", "mfcc"],
        [PAIRS, "stage 'task' is needed"],
    ),
}
CONFIGURATIONS = {
    "number.yaml": b"1: {}\n",
    "nameless.yaml": b"source: {kind: folder}\n",
    "twice.yaml": b"run: a\nrun: b\n",
    "latin.yaml": "run: café\n".encode("latin-1"),
}


@pytest.fixture
def here(finished_run, tmp_path, monkeypatch):
    """A directory with the files of a finished run, which may be changed."""
    for part in ("corpus", "data", "results"):
        shutil.copytree(finished_run / part, tmp_path / part)
    for name, content in CONFIGURATIONS.items():
        (tmp_path / "corpus" / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(arguments, monkeypatch, capsys) -> str:
    """Run a command that must fail with exit status 1; its last line."""
    monkeypatch.setattr(sys, "argv", ["tagalign", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("tagalign: ") for line in lines].count(True) == 1
    assert lines[-1].startswith("tagalign: ")
    return lines[-1]


def files(directory) -> set:
    return {path for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_named_and_nothing_is_written(case, here, monkeypatch, capsys):
    import torch

    if case.startswith("no GPU") and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    arguments, fragments = CASES[case]
    before = files(here)
    line = refuse([*arguments, "-o", "out.h5"], monkeypatch, capsys)
    assert [fragment for fragment in fragments if fragment not in line] == []
    assert files(here) == before


def change_table(edit) -> None:
    with open("corpus/sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    edit(rows)
    with open("corpus/sounds.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_duplicate_id_names_both_lines(here, monkeypatch, capsys):
    change_table(lambda rows: rows.append(rows[3]))
    line = refuse(["catalogue", "--params", source(), "-o", "out.h5"], monkeypatch, capsys)
    assert "corpus/sounds.csv" in line
    assert "lines 5 and" in line
    assert "must be unique" in line
    assert not (here / "out.h5").exists()


def test_a_missing_sound_file_is_named_with_its_id(here, monkeypatch, capsys):
    change_table(lambda rows: rows[2].update(file="gone.ogg"))
    line = refuse(["catalogue", "--params", source(), "-o", "out.h5"], monkeypatch, capsys)
    assert "corpus/audio/gone.ogg does not exist" in line
    assert "add the file or remove the row" in line


def test_a_corpus_without_tags_is_refused(here, monkeypatch, capsys):
    change_table(lambda rows: [row.update(tags="") for row in rows])
    monkeypatch.setattr(sys, "argv", ["tagalign", "catalogue", "--params", source(), "-o", "c.h5"])
    main_returns()
    line = refuse(["tags", "c.h5", "-o", "out.h5"], monkeypatch, capsys)
    assert "has a tag" in line
    assert "check the tags column" in line
    assert not (here / "out.h5").exists()


def main_returns() -> None:
    with pytest.raises(SystemExit) as exit_:
        main()
    assert not exit_.value.code
