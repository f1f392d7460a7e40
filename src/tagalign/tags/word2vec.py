"""Word vectors (stage `word2vec`): Word2Vec or fastText on tag sets, or those of a file.

Both are trained as continuous bags of words: a tag is predicted from the others of its sound.
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from gensim.models import FastText, Word2Vec
from gensim.models.fasttext import ft_hash_bytes

from tagalign.errors import ConfigError, InputError
from tagalign.tags.file import TagSets
from tagalign.tags.pretrained import read_pretrained
from tagalign.tags.vectors import WordVectors
from tagalign.tags.words import LONGEST, SHORTEST, MoreWords, WordModel, ngrams

BUCKETS = 50_000  # n-grams that fastText tells apart; the rest share a vector


def run(
    output: str | os.PathLike, tags: str | os.PathLike, dimension: int, sections: Mapping
) -> WordVectors:
    """Train word vectors on a file of tags, or take those of a file, and write them.

    Parameters
    ----------
    output
        The file to write.
    tags
        File of stage ``tags``.
    dimension
        Length of a vector, F_w; those of a file keep their own.
    sections
        Holds the resolved section ``word2vec``.

    Returns
    -------
    WordVectors
        What was written.

    Raises
    ------
    ConfigError, InputError
        As `train_word2vec` and `tagalign.tags.pretrained.read_pretrained`; no file is named.
    """
    vocabulary, rows = TagSets.read_fields(tags, "vocabulary", "tags")
    settings, inputs = sections["word2vec"], {"tags": tags}
    if settings["kind"] == "word2vec":
        model = WordModel(vocabulary, train_word2vec(rows, len(vocabulary), dimension, settings))
    elif settings["kind"] == "fasttext":
        model = train_fasttext(rows, vocabulary, dimension, settings)
    elif settings["file"]:
        inputs["file"] = settings["file"]
        model = read_pretrained(settings["file"], vocabulary, settings["words"])
    else:
        raise ConfigError(
            "word2vec.kind = pretrained needs word2vec.file, a text file of word2vec or GloVe"
        )
    made = WordVectors(
        config=sections, vocabulary=vocabulary, vectors=model.vectors, more=model.more
    )
    made.write(output, inputs=inputs, seed=settings["seed"], packages=["gensim"])
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
    _check_all_occur(rows, size)
    model = Word2Vec(
        [[str(index) for index in row] for row in rows], **_options(dimension, settings)
    )
    return np.stack([model.wv[str(index)] for index in range(size)]).astype(np.float32)


def train_fasttext(
    rows: Sequence[Sequence[int]], vocabulary: Sequence[str], dimension: int, settings: Mapping
) -> WordModel:
    """Train a vector for each tag, and for the n-grams of its spelling.

    Parameters
    ----------
    rows, dimension, settings
        As for `train_word2vec`.
    vocabulary
        The C tags.

    Raises
    ------
    InputError
        A tag of the vocabulary occurs in no row.
    """
    _check_all_occur(rows, len(vocabulary))
    model = FastText(
        [[vocabulary[index] for index in row] for row in rows],
        min_n=SHORTEST,
        max_n=LONGEST,
        bucket=BUCKETS,
        **_options(dimension, settings),
    )
    parts = sorted({part for tag in vocabulary for part in ngrams(tag)})
    buckets = [ft_hash_bytes(part.encode()) % BUCKETS for part in parts]
    none = np.zeros((0, dimension), np.float32)
    more = MoreWords([], none, parts, model.wv.vectors_ngrams[buckets].astype(np.float32))
    vectors = np.stack([model.wv[tag] for tag in vocabulary]).astype(np.float32)
    return WordModel(list(vocabulary), vectors, more)


def _options(dimension: int, settings: Mapping) -> dict:
    """What both models of gensim take."""
    return {
        "vector_size": dimension,
        "window": settings["window"],
        "epochs": settings["epochs"],
        "negative": settings["negative"],
        "alpha": settings["learning_rate"],
        "sample": settings["subsampling"],
        "seed": settings["seed"],
        "sg": 0,
        "min_count": 1,
        "workers": 1,
    }


def _check_all_occur(rows: Sequence[Sequence[int]], size: int) -> None:
    missing = set(range(size)) - {index for row in rows for index in row}
    if missing:
        raise InputError(
            f"tag number {min(missing)} of the vocabulary occurs in no sound; make tags.h5 again"
        )
