"""The source `folder`: what a change of its sounds reruns, and what is said of a wrong one."""

import csv
import json
import os

import pytest

from tagalign import store

pytestmark = pytest.mark.slow

MEMORY = "data/tiny/journal/sha256.json"


def listed(project) -> list[tuple[str, str]]:
    """(file, shard) of each sound of the catalogue."""
    with store.read(project.root / "data/tiny/catalogue.h5", stage="catalogue") as file:
        shards = [f"{shard:04d}" for shard in file["shard"][()]]
        return list(zip(store.read_strings(file["file"]), shards, strict=True))


def replace(project, position=15) -> str:
    """Overwrite one sound by another one, as long and as old; the number of its shard."""
    name, shard = listed(project)[position]
    other, _ = listed(project)[position - 1]
    path = project.root / "corpus" / "audio" / name
    before, size = path.stat(), path.stat().st_size
    data = (path.with_name(other).read_bytes() + path.read_bytes())[:size]
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return shard


def test_a_replaced_sound_reruns_its_shard_and_what_follows(project):
    assert project.rules() == set()
    shard = replace(project)
    assert {"catalogue", "tags"} <= project.rules()
    project.snakemake("catalogue")
    jobs = project.dry()
    assert [job.wildcards["shard"] for job in jobs if job.rule == "patches"] == [shard]
    assert {"pairs", "train", "embed_task", "evaluate", "report"} <= {job.rule for job in jobs}
    # The whole catalogue is up to date again, also for who has forgotten all that was read.
    assert "catalogue" not in {job.rule for job in jobs}
    (project.root / MEMORY).unlink()
    assert "catalogue" not in project.rules()


def test_a_touched_sound_reruns_nothing(project):
    for name, _ in listed(project):
        (project.root / "corpus" / "audio" / name).touch()
    assert project.rules() == set()


def test_sounds_that_no_catalogue_lists_rerun_nothing(project):
    """A file without a row reruns nothing, the row of a dropped fold what it is tested with."""
    audio = project.root / "corpus" / "audio"
    with open(project.root / "corpus" / "sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in {path.name for path in audio.iterdir()} - {row["file"] for row in rows}:
        (audio / name).write_bytes(b"other")
    assert project.rules() == set()
    for row in rows:
        if row["fold"] == "5":
            (audio / row["file"]).touch()
    assert project.rules() == set()
    clip = next(row["file"] for row in rows if row["fold"] == "5")
    (audio / clip).write_bytes(b"other")
    assert project.rules() == {"dataset", "task", "leaks", "embed_task", "evaluate", "report"}
    found = project.call("tagalign", "verify", "results/tiny", check=False)
    assert f"corpus/audio/{clip}: has changed since results/tiny/datasets/pets.h5" in found.stdout


def test_a_missing_sound_is_reported_by_the_stage(project):
    name, _ = listed(project)[0]
    (project.root / "corpus" / "audio" / name).unlink()
    assert "catalogue" in project.rules()
    done = project.snakemake("catalogue", check=False, merged=True)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert f"corpus/audio/{name} does not exist" in done.stdout


def test_a_dry_run_of_thousands_of_sounds_reads_none(fresh):
    """What was read once is only looked at: 20,000 sounds of 4 MB, but of no content on disk."""
    audio, count = fresh.root / "corpus" / "audio", 20_000
    remembered = {}
    for number in range(count):
        path = audio / f"{number}.wav"
        with path.open("wb") as file:
            file.truncate(2**22)
        found = path.stat()
        key = f"corpus/audio/{number}.wav"
        remembered[key] = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, f"{number:064d}"]
    rows = [f"{number},{number}.wav,dog\n" for number in range(count)]
    (fresh.root / "corpus" / "sounds.csv").write_text("freesound_id,file,tags\n" + "".join(rows))
    (fresh.root / MEMORY).parent.mkdir(parents=True)
    (fresh.root / MEMORY).write_text(json.dumps(remembered))
    fresh.config["source"]["folder"]["drop"] = {}
    fresh.configure()
    assert "read new" not in fresh.snakemake("catalogue", "--dry-run").stderr
    (audio / "7.wav").touch()
    assert "1/1 files" in fresh.snakemake("catalogue", "--dry-run").stderr


def refused(project) -> str:
    """Standard error of a dry run that ends without a traceback and with one line of ours."""
    done = project.snakemake("--dry-run", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("tagalign: ")]
    return line


def test_a_folder_without_a_table_is_refused_in_one_line(fresh):
    fresh.config["source"] = {"kind": "folder", "name": "mine"}
    fresh.configure()
    assert "source.folder.csv is not set" in refused(fresh)


def test_what_is_no_table_is_refused_in_one_line(fresh):
    (fresh.root / "corpus" / "sounds.csv").write_bytes(bytes(range(256)))
    assert "corpus/sounds.csv is not a text file" in refused(fresh)
