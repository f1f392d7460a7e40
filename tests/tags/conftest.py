"""A catalogue with the tags of the bundled corpus."""

import csv

import pytest

from tagalign import store


@pytest.fixture
def write_catalogue(tmp_path):
    """Write (id, tags) pairs as the stage `catalogue` does, tags alone."""

    def write(rows):
        path = tmp_path / "catalogue.h5"
        with store.create(path, stage="catalogue", config={}) as file:
            store.write_strings(file, "id", [identifier for identifier, _ in rows])
            store.write_ragged(file, "tags", [tags for _, tags in rows])
        return path

    return write


@pytest.fixture
def catalogue(write_catalogue, corpus):
    """Catalogue of the 345 sounds of the bundled corpus."""
    with open(corpus / "sounds.csv", newline="") as file:
        rows = [(row["file"], row["tags"].split()) for row in csv.DictReader(file)]
    return write_catalogue(rows)
