"""`tagalign inspect` and `tagalign verify` on a finished run, sound and tampered with."""

from pathlib import Path

import pandas as pd
import pytest

import stage_files

pytestmark = pytest.mark.slow
MODEL = "results/tiny/models/w2v-128-mean/0.h5"


def verify(project):
    """Exit status, problems and last words of `tagalign verify`."""
    done = project.call("tagalign", "verify", "results/tiny", check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_sound_run_is_verified(project):
    status, out, _ = verify(project)
    assert status == 0, out
    assert "files in results/tiny follow from their inputs" in out


def test_inspect_shows_what_made_a_model_back_to_the_sources(project):
    text = project.call("tagalign", "inspect", "--all", MODEL).stdout
    for part in ("stage     train", "seed      0", "train.learning_rate = 0.001", "torch 2"):
        assert part in text
    lines = text[text.index("made from") :].splitlines()
    depth = {line.split()[2]: len(line) - len(line.lstrip()) for line in lines[1:]}
    chain = ["pairs.h5", "patches/0000.h5", "data/tiny/shards/0000.h5"]
    indents = [
        depth[name if "/" in name and name[0] == "d" else f"results/tiny/{name}"] for name in chain
    ]
    assert indents == sorted(set(indents))
    assert "corpus/sounds.csv" in depth
    assert "NOT FOUND" not in text


def test_inspect_answers_what_a_person_asks_of_a_model(project):
    text = project.call("tagalign", "inspect", MODEL).stdout
    lines = dict(line.strip().split(maxsplit=1) for line in text.splitlines()[1:-1])
    scores = pd.read_csv(project.root / "results/tiny/scores.csv")
    system, seed = Path(MODEL).parts[-2:]
    own = scores[(scores["system"] == system) & (scores["seed"] == int(Path(seed).stem))]
    assert f"accuracy {own['accuracy'].mean():.1f}" in text
    assert lines["seed"] == Path(seed).stem
    assert "run tiny, source folder" in lines["data"]
    assert "CC0 1.0 (" in lines["licences"]
    assert "weights" not in text


def test_inspect_and_verify_notice_an_input_that_changed(project):
    with stage_files.edited(project.root / "results/tiny/tags.h5") as file:
        file["counts"][0] += 1
    assert "NOT FOUND" in project.call("tagalign", "inspect", "results/tiny/pairs.h5").stdout
    status, out, error = verify(project)
    assert status == 1
    assert "results/tiny/pairs.h5: its input 'tags'" in out
    assert "results/tiny/word2vec/128.h5: its input 'tags'" in out
    assert "models" not in out
    assert error.strip().splitlines()[-1].startswith("tagalign: ")


def test_verify_notices_another_configuration(project):
    path = project.root / "results/tiny/config.yaml"
    path.write_text(path.read_text().replace("learning_rate: 0.001", "learning_rate: 0.002"))
    status, out, _ = verify(project)
    assert status == 1
    assert f"{MODEL}: made with train.learning_rate = 0.001, but" in out
    assert "patches" not in out


def test_verify_notices_changed_sounds_shards_and_tables(project):
    sounds = sorted((project.root / "corpus/audio").iterdir())
    used = next(path for path in sounds if path.name.endswith("ambi_choir.ogg"))
    used.write_bytes(used.read_bytes() + b"0")
    table = project.root / "results/tiny/table.csv"
    table.write_text(table.read_text().replace("mfcc", "MFCC"))
    (project.root / "data/tiny/shards/0001.h5").unlink()
    status, out, _ = verify(project)
    assert status == 1
    assert f"corpus/audio/{used.name}: has changed since" in out
    assert "table.csv: does not follow" in out
    assert "shards/0001.h5: does not hold" in out


def test_what_is_left_of_an_earlier_configuration_is_no_part_of_the_run(project):
    """Fewer systems: the report is made again, the files of the others stay and are passed over."""
    project.configure(systems=["mfcc", "untrained"])
    project.snakemake()
    assert (project.root / MODEL).exists()
    status, out, _ = verify(project)
    assert status == 0, out


def test_a_run_is_verified_where_its_data_are_now(project):
    """Moving them makes no result again, but the next run notes where they are."""
    (project.root / "corpus").rename(project.root / "elsewhere")
    place = {"csv": "elsewhere/sounds.csv", "audio": "elsewhere/audio"}
    project.configure(source={"folder": place}, datasets={"pets": place})
    assert verify(project)[0] == 1
    assert project.rules() == {"configuration"}
    project.snakemake()
    status, out, _ = verify(project)
    assert status == 0, out
    assert project.rules() == set()


def test_verify_notices_a_damaged_file(project):
    path = project.root / "results/tiny/scores/mfcc/0/pets.h5"
    path.write_bytes(path.read_bytes()[:100])
    status, out, _ = verify(project)
    assert status == 1
    assert "scores/mfcc/0/pets.h5 is not a readable HDF5 file" in out


def test_not_a_run(project):
    done = project.call("tagalign", "verify", "results", check=False)
    assert done.returncode == 1
    assert "no config.yaml" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    done = project.call("tagalign", "inspect", "corpus/sounds.csv", check=False)
    assert done.returncode == 1
    assert "not a readable HDF5 file" in done.stderr
