"""What the files of a run say of themselves: settings, arithmetic, versions, tags, licences."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tagalign import store
from tagalign.config.load import resolve
from tagalign.config.paper import PAPER
from tagalign.model.arithmetic import Arithmetic
from tagalign.model.layout import ModelFile
from tagalign.sources.catalogue import Catalogue
from tagalign.tags.file import TagSets


@dataclass
class Recorded:
    """What the page tells of a run beside its scores; empty where no file tells it.

    Attributes
    ----------
    settings : list of (key, value, paper's value)
        The settings of the stages whose files were read; the last is None where they agree.
    trainings : list of (system, seed, arithmetic)
        One per model.
    versions : dict
        Package -> its versions.
    kept_tags, dropped_tags : list of (tag, count) and of (tag, count, reason)
        The vocabulary and what is not in it, the most frequent first.
    durations : float64 [shape=(n,)] or None
        Length of each sound of the catalogue, in seconds.
    licences : list of (licence, sounds, authors)
        How many sounds have each licence, and how many authors made them.
    words : (list of str, float32 [shape=(C, F_w)], list of int) or None
        Tags, their vectors and how many sounds have each.
    """

    settings: list[tuple[str, str, str | None]] = field(default_factory=list)
    trainings: list[tuple[str, str, str]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    kept_tags: list[tuple[str, int]] = field(default_factory=list)
    dropped_tags: list[tuple[str, int, str]] = field(default_factory=list)
    durations: np.ndarray | None = None
    licences: list[tuple[str, int, int]] = field(default_factory=list)
    words: tuple[list[str], np.ndarray, list[int]] | None = None


def read_recorded(
    scores: Sequence[str | os.PathLike],
    models: Sequence[str | os.PathLike],
    counted: Sequence[str | os.PathLike],
) -> Recorded:
    """Read it from the files that the report is made of."""
    found = Recorded()
    settings, versions = {}, {}
    for path in sorted(map(str, (*scores, *models, *counted))):
        with store.read(path) as file:
            attributes = store.attributes(file)
        settings |= attributes.get("config") or {}
        for name, version in (attributes.get("versions") or {}).items():
            versions.setdefault(name, set()).add(version)
    found.settings = compare_settings(settings)
    found.versions = {name: ", ".join(sorted(versions[name])) for name in sorted(versions)}
    for path in counted:
        stage = store.stage_of(path)
        if stage == "tags":
            found.kept_tags, found.dropped_tags = _tags(path)
        elif stage == "catalogue":
            found.durations, found.licences = _sounds(path)
    for path in models:
        system, arithmetic = ModelFile.read_fields(path, "system", "arithmetic")
        with store.read(path) as file:
            seed = str(file.attrs.get("seed", "-"))
        text = str(Arithmetic(**arithmetic)) if arithmetic else "not recorded"
        found.trainings.append((system["name"], seed, text))
    found.words = _words(models, dict(found.kept_tags))
    return found


def compare_settings(settings: Mapping) -> list[tuple[str, str, str | None]]:
    """Each setting as text, with the paper's value where that is another."""
    paper = dict(_leaves(resolve(PAPER)))
    rows = []
    for key, value in sorted(_leaves(settings)):
        differs = key in paper and paper[key] != value
        rows.append((key, str(value), str(paper[key]) if differs else None))
    return rows


def _leaves(settings: Mapping, prefix: str = "") -> Iterable[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _tags(path) -> tuple[list, list]:
    names = ("vocabulary", "counts", "dropped_tag", "dropped_count", "dropped_reason")
    vocabulary, counts, tag, count, reason = TagSets.read_fields(path, *names)
    kept = sorted(zip(vocabulary, map(int, counts), strict=True), key=_most_frequent)
    dropped = sorted(zip(tag, map(int, count), reason, strict=True), key=_most_frequent)
    return kept, dropped


def _most_frequent(row) -> tuple[int, str]:
    return -row[1], row[0]


def _sounds(path) -> tuple[np.ndarray | None, list]:
    (durations,) = Catalogue.read_fields(path, "duration")
    sounds, authors = Counter(), {}
    for licence, author in Catalogue.iterate(path, "license", "username"):
        sounds[licence] += 1
        authors.setdefault(licence, set()).add(author)
    licences = [
        (licence or "not stated", count, len(authors[licence] - {""}))
        for licence, count in sorted(sounds.items(), key=lambda item: (-item[1], item[0]))
    ]
    return durations, licences


def _words(models, counts: Mapping[str, int]):
    """Word vectors of the first model that has any; the systems share them."""
    for path in models:
        vocabulary, vectors = ModelFile.read_fields(path, "vocabulary", "word_vectors")
        if vectors is not None:
            return vocabulary, vectors, [counts.get(tag, 0) for tag in vocabulary]
    return None
