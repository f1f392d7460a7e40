"""What gives a word its vector: the vocabulary, and what a word model knows beyond it."""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np

from tagalign.store.fields import field

SHORTEST, LONGEST = 3, 6  # characters of an n-gram, as fastText's authors chose


@dataclasses.dataclass(eq=False)
class MoreWords:
    """What a word model knows beyond the vocabulary; part of its file and of a model file.

    fastText gives a word that it has not met the mean of its n-grams (Bojanowski et al.,
    "Enriching Word Vectors with Subword Information", TACL 2017). Those that occur in the
    vocabulary are kept; the others were never trained.
    """

    words: list[str] = field("text", "N", "words of a pretrained model beyond the vocabulary")
    vectors: np.ndarray = field("float32", "N F_w", "their vectors")
    ngrams: list[str] = field("text", "G", "parts of the words of a fastText model")
    ngram_vectors: np.ndarray = field("float32", "G F_w", "their vectors")


@dataclasses.dataclass(eq=False)
class WordModel:
    """Vectors of words.

    Attributes
    ----------
    vocabulary
        The C tags.
    vectors
        float32 [shape=(C, F_w)]; zeros for a tag without a vector.
    more
        What else has a vector, or None.
    """

    vocabulary: list[str]
    vectors: np.ndarray
    more: MoreWords | None = None

    def vector(self, tag: str) -> np.ndarray | None:
        """Of a cleaned tag [shape=(F_w,)], None where it has none.

        A tag of several words that the word model lacks has the mean of its words, if it has
        them all; what is left, the mean of its n-grams, if the word model has n-grams.
        """
        words = tag.split("-")
        found = self._word(tag)
        if found is None and len(words) > 1:
            parts = [part for word in words if (part := self._word(word)) is not None]
            if len(parts) == len(words):
                found = np.mean(parts, axis=0)
        return self._from_ngrams(tag) if found is None else found

    @functools.cached_property
    def known(self) -> list[str]:
        """All words with a vector of their own, those of the vocabulary first."""
        known = [tag for tag, there in zip(self.vocabulary, self._there, strict=True) if there]
        return list(dict.fromkeys([*known, *(self.more.words if self.more else ())]))

    @functools.cached_property
    def _there(self) -> np.ndarray:
        return np.any(self.vectors, axis=1)

    @functools.cached_property
    def _rows(self) -> dict[str, np.ndarray]:
        rows = dict(zip(self.more.words, self.more.vectors, strict=True)) if self.more else {}
        mine = zip(self.vocabulary, self.vectors, self._there, strict=True)
        return rows | {tag: vector for tag, vector, there in mine if there}

    @functools.cached_property
    def _ngrams(self) -> dict[str, np.ndarray]:
        if self.more is None:
            return {}
        return dict(zip(self.more.ngrams, self.more.ngram_vectors, strict=True))

    def _word(self, word: str) -> np.ndarray | None:
        return self._rows.get(word)

    def _from_ngrams(self, word: str) -> np.ndarray | None:
        found = [self._ngrams[part] for part in ngrams(word) if part in self._ngrams]
        return np.mean(found, axis=0) if found else None


def ngrams(word: str) -> Iterator[str]:
    """The parts of a word with its ends marked, ``<word>``, as fastText takes them."""
    marked = f"<{word}>"
    for length in range(SHORTEST, min(len(marked), LONGEST) + 1):
        for start in range(len(marked) - length + 1):
            yield marked[start : start + length]
