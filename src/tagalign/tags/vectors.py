"""``word2vec/DIM.h5``: the word vectors of the vocabulary."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, field


@dataclasses.dataclass(kw_only=True)
class WordVectors(StageFile, stage="word2vec", place="word2vec/DIM.h5"):
    """A vector for each tag of the vocabulary."""

    vocabulary: list[str] = field("text", "C", "the tags, as in `tags.h5`")
    vectors: np.ndarray = field("float32", "C F_w", "their vectors; F_w is DIM")
