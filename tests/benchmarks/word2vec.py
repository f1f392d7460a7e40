"""Word2Vec: the stage's single worker against gensim's default of three, which do not repeat."""

import numpy as np
from gensim.models import Word2Vec
from rows import Row, rates

from tagalign.config import load as config
from tagalign.tags.word2vec import train_word2vec

SOUNDS, TAGS = 20_000, 5  # five tags a sound, as on Freesound; the paper has ten times as many
VOCABULARY = 1000
DIMENSIONS = (128, 1152)


def run() -> list[Row]:
    """Tag sets drawn from Zipf's law, about as frequent as real tags are."""
    settings = config.resolve_sections({}, ["word2vec"])["word2vec"]
    generator = np.random.default_rng(0)
    frequency = 1 / np.arange(1, VOCABULARY + 1)
    drawn = generator.choice(VOCABULARY, (SOUNDS, TAGS), p=frequency / frequency.sum())
    drawn[: VOCABULARY // TAGS] = np.arange(VOCABULARY).reshape(-1, TAGS)  # each tag occurs
    sounds = drawn.tolist()
    return [row for dimension in DIMENSIONS for row in measure(sounds, dimension, settings)]


def measure(sounds: list[list[int]], dimension: int, settings: dict) -> list[Row]:
    """The row of one dimension."""

    def ours() -> int:
        train_word2vec(sounds, VOCABULARY, dimension, settings)
        return len(sounds)

    def plain() -> int:
        words = [[str(tag) for tag in tags] for tags in sounds]
        Word2Vec(words, vector_size=dimension, window=settings["window"], min_count=1)
        return len(sounds)

    one, three = rates(ours, plain)
    name = f"word2vec, {dimension} dimensions"
    return [
        Row(
            name, one, "sounds/s", three, "gensim's default: three workers, another result each run"
        )
    ]
