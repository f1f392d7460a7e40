"""Stage `retrieve`: search the validation pairs of a run, by sounds, by tags, by hidden tags.

Directions
----------
sounds_to_tags
    A sound finds its own tag set among the distinct ones.
tags_to_sounds
    A tag set finds the sounds that have it.
sounds_to_sounds
    A sound finds others, not of its own recording, that share a tag with it.
hidden_tags
    A tag that training has not seen finds the sounds that have it.

The first two compare aligned embeddings, of tags that training has seen; the third compares
embeddings z_a, which every system has.
"""

import os

import numpy as np

from tagalign.errors import InputError
from tagalign.evaluate.retrieval import search
from tagalign.evaluate.stage_files import Queries, RetrievalFile
from tagalign.model.file import Model, load_model
from tagalign.pairs.file import TrainingFile

BLOCK = 512  # patches in memory as 32-bit floats


def run(
    model: str | os.PathLike,
    pairs: str | os.PathLike,
    output: str | os.PathLike,
    *,
    pretraining_seed: int,
    device: str = "auto",
) -> RetrievalFile:
    """Search the validation pairs with a model.

    Parameters
    ----------
    model
        A model file.
    pairs
        The training file that it was made from.
    output
        The file to write, see `RetrievalFile`.
    pretraining_seed
        What the model was trained from, for the report.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    InputError
        There are fewer than two validation pairs, or they do not fit the model.
    """
    loaded, data = load_model(model, device=device), TrainingFile.read(pairs)
    if len(data.validation.id) < 2:
        raise InputError(
            f"{pairs} has {len(data.validation.id)} validation pairs, too few to search; raise"
            " pairs.validation_share"
        )
    embedding = _embed(loaded, data)
    sounds = _Sounds(loaded, data)
    found = RetrievalFile(
        system=loaded.system.name,
        pretraining_seed=pretraining_seed,
        words=loaded.word_model,
        hidden=0 if data.hidden is None else len(data.hidden),
        sounds_to_sounds=_sounds_to_sounds(sounds, embedding),
        failed=[],
    )
    if loaded.network.projection is not None and loaded.network.tag_encoder is not None:
        aligned = loaded.project(embedding)
        found.sounds_to_tags, found.tags_to_sounds = _sets(loaded, sounds, aligned)
        found.hidden_tags, found.failed = _hidden(loaded, sounds, aligned)
    found.write(output, inputs={"model": model, "pairs": pairs}, packages=("torch",))
    return found


def _embed(model: Model, data: TrainingFile) -> np.ndarray:
    """z_a of the validation patches [shape=(N, V)]."""
    patches = data.validation.patches
    assert patches is not None  # noqa: S101 - for mypy
    parts = (patches[start : start + BLOCK] for start in range(0, len(patches), BLOCK))
    return np.concatenate(
        [model.embed_patches(data.scaling.undo(part.astype(np.float32))) for part in parts]
    )


class _Sounds:
    """The validation sounds.

    Attributes
    ----------
    ids, groups : list of str
    has : float32 [shape=(N, C)]
        1 where a sound has a tag.
    visible : list of list of str
        Tags of each that training has seen and the model knows, sorted.
    hidden : list of str
        Tags that it has not seen.
    """

    def __init__(self, model: Model, data: TrainingFile):
        part, vocabulary = data.validation, data.vocabulary
        self.ids, self.groups = part.id, part.group or part.id
        self.has = np.zeros((len(part.id), len(vocabulary)), np.float32)
        for line, row in zip(self.has, part.tags, strict=True):
            line[row] = 1
        hidden = set() if data.hidden is None else set(data.hidden.tolist())
        self.hidden = [vocabulary[tag] for tag in sorted(hidden)]
        self.column = {tag: column for column, tag in enumerate(vocabulary)}
        known = {tag for tag in vocabulary if model.knows(tag)}
        self.visible = [
            sorted(vocabulary[t] for t in row if t not in hidden and vocabulary[t] in known)
            for row in map(np.ndarray.tolist, part.tags)
        ]


def _sounds_to_sounds(sounds: _Sounds, embedding: np.ndarray) -> Queries | None:
    _, group = np.unique(sounds.groups, return_inverse=True)
    found = search(
        embedding,
        embedding,
        lambda rows: sounds.has[rows] @ sounds.has.T > 0,
        lambda rows: group[rows, None] == group,
    )
    return _queries(sounds.ids, sounds.groups, found)


def _sets(
    model: Model, sounds: _Sounds, aligned: np.ndarray
) -> tuple[Queries | None, Queries | None]:
    """Sounds to tag sets, and tag sets to sounds."""
    rows = [row for row, tags in enumerate(sounds.visible) if tags]
    if not rows:
        return None, None
    sets: dict[tuple[str, ...], int] = {}
    own = np.array([sets.setdefault(tuple(sounds.visible[row]), len(sets)) for row in rows])
    vectors = model.embed_tags(list(sets))
    audio, number = aligned[rows], np.arange(len(sets))
    ids, groups = ([names[row] for row in rows] for names in (sounds.ids, sounds.groups))
    to_tags = search(audio, vectors, lambda part: own[part, None] == number)
    to_sounds = search(vectors, audio, lambda part: number[part, None] == own)
    # A tag set stands for the first sound that has it.
    _, first = np.unique(own, return_index=True)
    names = [", ".join(tags) for tags in sets]
    return (
        _queries(ids, groups, to_tags),
        _queries(names, [groups[row] for row in first], to_sounds),
    )


def _hidden(
    model: Model, sounds: _Sounds, aligned: np.ndarray
) -> tuple[Queries | None, list[tuple[str, str]]]:
    """Hidden tags to sounds, and the hidden tags that cannot be searched by."""
    if model.words is None:
        reason = f"system {model.system.name} has an input for each tag of training and no other"
        return None, [(tag, reason) for tag in sounds.hidden]
    failed = [(tag, "no word vector") for tag in sounds.hidden if not model.knows(tag)]
    tags = [tag for tag in sounds.hidden if model.knows(tag)]
    there = [tag for tag in tags if sounds.has[:, sounds.column[tag]].any()]
    failed += [(tag, "no validation sound has it") for tag in tags if tag not in set(there)]
    if not there:
        return None, failed
    relevant = sounds.has[:, [sounds.column[tag] for tag in there]].T > 0
    vectors = model.embed_tags([[tag] for tag in there])
    return _queries(there, there, search(vectors, aligned, lambda rows: relevant[rows])), failed


def _queries(names: list[str], groups: list[str], found: dict[str, np.ndarray]) -> Queries | None:
    """The queries that can be answered."""
    kept = np.flatnonzero(found["rank"])
    if not len(kept):
        return None
    values = {name: array[kept] for name, array in found.items()}
    return Queries([names[row] for row in kept], [groups[row] for row in kept], **values)
