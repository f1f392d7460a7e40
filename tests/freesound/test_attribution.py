"""Every sound that was downloaded is credited, and no other."""

import csv

import pytest

import stage_files
from tagalign.errors import InputError
from tagalign.freesound import audio
from tagalign.sources.attribution import run
from tagalign.sources.freesound import write_catalogue
from tagalign.sources.shards import Shard


@pytest.fixture
def downloaded(tmp_path, freesound, source):
    sections = source(freesound, shard_size=20)
    write_catalogue(sections["source"], tmp_path / "catalogue.h5", tmp_path / "journal")
    ids = [int(i) for shard in (0, 1) for i in Shard.select(tmp_path / "catalogue.h5", shard).id]
    freesound.sounds.by_id[ids[3]]["path"] = tmp_path / "catalogue.h5"  # no sound: not credited
    for shard in (0, 1):
        path, settings = tmp_path / f"{shard}.h5", sections["source"]["freesound"]
        audio.run(path, tmp_path / "catalogue.h5", shard, settings, tmp_path / "journal")
    return [identifier for identifier in ids if identifier != ids[3]]


def test_author_licence_and_url_of_all(tmp_path, freesound, downloaded):
    paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
    count = run(tmp_path / "attribution.csv", tmp_path / "catalogue.h5", paths)
    with open(tmp_path / "attribution.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["id"]) for row in rows] == downloaded
    assert count == len(downloaded) == 39
    for row in rows:
        sound = freesound.sounds.by_id[int(row["id"])]
        assert row["username"] == sound["username"]
        assert row["license"] == sound["license"]
        assert row["name"] == sound["name"]
        assert row["url"] == f"https://freesound.org/s/{row['id']}/"


def test_a_sound_without_a_known_author_is_an_error(tmp_path, downloaded):
    stage_files.write_audio(tmp_path / "other.h5", {"1": b"sound"})
    with pytest.raises(InputError, match="1 sounds of the shards are not in"):
        run(tmp_path / "attribution.csv", tmp_path / "catalogue.h5", [tmp_path / "other.h5"])
    assert not (tmp_path / "attribution.csv").exists()
