"""Word2Vec on tag sets: continuous bag of words (stage `word2vec`)."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from gensim.models import Word2Vec

from tagalign.errors import InputError
from tagalign.tags.file import TagSets
from tagalign.tags.vectors import WordVectors


def run(
    output: str | os.PathLike, tags: str | os.PathLike, dimension: int, sections: Mapping
) -> WordVectors:
    """Train word vectors on a file of tags and write them.

    Parameters
    ----------
    output
        The file to write.
    tags
        File of stage ``tags``.
    dimension
        Length of a vector, F_w.
    sections
        Holds the resolved section ``word2vec``.

    Returns
    -------
    WordVectors
        What was written.

    Raises
    ------
    InputError
        As `train_word2vec`.
    """
    vocabulary, rows = TagSets.read_fields(tags, "vocabulary", "tags")
    vectors = train_word2vec(rows, len(vocabulary), dimension, sections["word2vec"])
    made = WordVectors(config=sections, vocabulary=vocabulary, vectors=vectors)
    made.write(
        output, inputs={"tags": tags}, seed=sections["word2vec"]["seed"], packages=["gensim"]
    )
    return made


def train_word2vec(
    rows: Sequence[Sequence[int]], size: int, dimension: int, settings: Mapping
) -> np.ndarray:
    """Train a vector for each tag of the vocabulary from the tags beside it.

    One worker and the seed make the result repeat bit for bit on one machine type. All sounds are
    used, those of the later validation split included, as in the paper.

    Parameters
    ----------
    rows
        Vocabulary indices of the tags of each sound.
    size
        Number of tags in the vocabulary, C.
    dimension
        Length of a vector, F_w (128 or 1152 in the paper).
    settings
        The configuration section ``word2vec``.

    Returns
    -------
    np.ndarray [shape=(size, dimension), dtype=float32]

    Raises
    ------
    InputError
        A tag of the vocabulary occurs in no row.
    """
    missing = set(range(size)) - {index for row in rows for index in row}
    if missing:
        raise InputError(
            f"tag number {min(missing)} of the vocabulary occurs in no sound; make tags.h5 again"
        )
    model = Word2Vec(
        [[str(index) for index in row] for row in rows],
        vector_size=dimension,
        window=settings["window"],
        epochs=settings["epochs"],
        negative=settings["negative"],
        alpha=settings["learning_rate"],
        sample=settings["subsampling"],
        seed=settings["seed"],
        sg=0,
        min_count=1,
        workers=1,
    )
    return np.stack([model.wv[str(index)] for index in range(size)]).astype(np.float32)
