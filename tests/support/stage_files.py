"""Small stage files for tests, written by the types that own them."""

from tagalign.sources.catalogue import Catalogue


def write_catalogue(path, sounds, config=None):
    """Write a catalogue of mappings: ``id``, and what else of a folder's sound matters."""
    plain = {"shard": 0, "tags": [], "file": "", "sha256": ""}
    plain |= {"name": "", "username": "", "license": "", "url": ""}
    rows = [plain | sound for sound in sounds]
    names = ["file", "sha256", "name", "username", "license", "url"]
    Catalogue.write_rows(path, rows, names=names, failed=[], config=config or {})
    return path
