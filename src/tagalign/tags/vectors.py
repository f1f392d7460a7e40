"""``word2vec/DIM.h5``: the word vectors of the vocabulary."""

import dataclasses

import numpy as np

from tagalign.store.fields import StageFile, field, part
from tagalign.tags.words import MoreWords


@dataclasses.dataclass(kw_only=True)
class WordVectors(StageFile, stage="word2vec", place="word2vec/DIM.h5"):
    """A vector for each tag of the vocabulary."""

    vocabulary: list[str] = field("text", "C", "the tags, as in `tags.h5`")
    vectors: np.ndarray = field(
        "float32", "C F_w", "their vectors, zeros for a tag without one; F_w is DIM if trained here"
    )
    more: MoreWords | None = part(MoreWords, optional=True)
