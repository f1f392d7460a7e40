"""Make users' tags ready for a model: clean them as its training data were, keep the known."""

from collections.abc import Sequence

import h5py
import numpy as np

from tagalign import store
from tagalign.errors import InputError
from tagalign.tags.clean import explain_tag


def known_tags(model, tags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Clean tags and split them into those that the model knows and the others.

    Parameters
    ----------
    model
        A `tagalign.model.file.Model`; its `cleaning` and `vocabulary` are read.
    tags
        Tags as a user wrote them.

    Returns
    -------
    known : list of str
        Tags of the vocabulary, in the given order, without repetition.
    dropped : list of str
        The other tags as they were given, in the given order.
    """
    vocabulary = set(model.vocabulary)
    known, dropped = [], []
    for tag in tags:
        result = explain_tag(tag, model.cleaning).result
        if result not in vocabulary:
            dropped.append(tag)
        elif result not in known:
            known.append(result)
    return known, dropped


def embed_tagged_clips(
    file: h5py.File, model
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str]]]:
    """Embed the clips of a task file from their tags.

    Parameters
    ----------
    file
        An open task file with ``tags``, as the users wrote them.
    model
        A `tagalign.model.file.Model`.

    Returns
    -------
    rows : int [shape=(m,)]
        The clips with a tag that the model knows.
    embeddings : float32 [shape=(m, W)]
        phi_w of each.
    failures : list of (clip id, reason)
        The clips that have tags, but none that the model knows.

    Raises
    ------
    InputError
        The model has no tag encoder, or knows no tag of any clip.
    """
    clip_ids, given = store.read_strings(file["clip_id"]), store.read_ragged(file["tags"])
    known = [known_tags(model, tags)[0] for tags in given]
    rows = np.array([row for row, tags in enumerate(known) if tags], np.int64)
    if not len(rows):
        raise InputError(
            f"the model of system {model.system.name} knows none of the tags of the {len(known)}"
            " clips; its vocabulary is of another kind of sounds"
        )
    failures = [
        (clip_ids[row], "no tag in the vocabulary of the model")
        for row, tags in enumerate(known)
        if given[row] and not tags
    ]
    return rows, model.embed_tags([known[row] for row in rows]), failures
