"""A catalogue with the tags of the bundled corpus."""

import csv

import pytest

import stage_files


@pytest.fixture
def write_catalogue(tmp_path):
    """Write (id, tags) pairs as the stage `catalogue` does, tags alone."""

    def write(rows):
        sounds = [{"id": identifier, "tags": tags} for identifier, tags in rows]
        return stage_files.write_catalogue(tmp_path / "catalogue.h5", sounds)

    return write


@pytest.fixture
def catalogue(write_catalogue, corpus):
    """Catalogue of the 345 sounds of the bundled corpus."""
    with open(corpus / "sounds.csv", newline="") as file:
        rows = [(row["file"], row["tags"].split()) for row in csv.DictReader(file)]
    return write_catalogue(rows)
