"""Read word vectors that others trained: text files of word2vec and of GloVe."""

import gzip
import os
from collections.abc import Iterator, Sequence

import numpy as np

from tagalign.errors import InputError
from tagalign.tags.words import MoreWords, WordModel


def read_pretrained(path: str | os.PathLike, vocabulary: Sequence[str], most: int) -> WordModel:
    """Take the vectors of a vocabulary, and of the first words of the file beside it.

    A tag of several words that the file lacks has the mean of its words. Words are compared in
    lower case, with hyphens between those of a compound.

    Parameters
    ----------
    path
        A line per word: the word and its numbers, between spaces. word2vec's first line, two
        counts, may be there or not. May be compressed with gzip.
    vocabulary
        The C tags.
    most
        How many other words are kept: the first ones, which are the most frequent.

    Returns
    -------
    WordModel
        A tag without a vector has zeros.

    Raises
    ------
    InputError
        The file cannot be read, is not such a text, or has no word of the vocabulary.
    """
    wanted = {*vocabulary, *(word for tag in vocabulary for word in tag.split("-"))}
    found: dict[str, np.ndarray] = {}
    room = most
    for word, vector in _lines(path):
        if word not in found and (word in wanted or room > 0):
            found[word] = vector
            room -= word not in wanted
    if not found:
        raise InputError(f"{path} holds no word vectors; give a text file of word2vec or GloVe")
    size = len(next(iter(found.values())))
    tags = set(vocabulary)
    others = [word for word in found if word not in tags]
    none = np.zeros((0, size), np.float32)
    more = MoreWords(others, np.array([found[word] for word in others] or none), [], none)
    own = np.array([found.get(tag, np.zeros(size, np.float32)) for tag in vocabulary])
    model = WordModel(list(vocabulary), own, more)
    vectors = [model.vector(tag) for tag in vocabulary]
    if all(vector is None for vector in vectors):
        raise InputError(
            f"{path} has none of the {len(vocabulary)} tags; is it of another language?"
        )
    return WordModel(
        list(vocabulary),
        np.stack([np.zeros(size) if v is None else v for v in vectors]).astype(np.float32),
        more,
    )


def _lines(path: str | os.PathLike) -> Iterator[tuple[str, np.ndarray]]:
    """Word and vector of each line."""
    opener = gzip.open if str(path).endswith(".gz") else open
    size = None
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                fields = line.rstrip().split(" ")
                if number == 1 and len(fields) == 2:
                    continue  # the counts of words and of values
                size = size or len(fields) - 1
                # A word may hold spaces itself.
                word = " ".join(fields[:-size])
                try:
                    vector = np.array(fields[-size:], np.float32)
                except ValueError:
                    vector = np.zeros(0, np.float32)
                if len(vector) != size or not word or not np.isfinite(vector).all():
                    raise InputError(
                        f"{path}, line {number}: not a word and {size} numbers; give a text file"
                        " of word2vec or GloVe"
                    )
                yield word.lower().replace("_", "-").replace(" ", "-"), vector
    except OSError as error:
        raise InputError(f"cannot read word2vec.file {path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, EOFError):
        raise InputError(
            f"{path} is not text in UTF-8, or cut off; give a text file of word2vec or GloVe"
        ) from None
