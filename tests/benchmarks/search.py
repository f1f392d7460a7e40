"""Search among 200,000 sounds, against a loop over them."""

import numpy as np
from rows import Row, rates

from tagalign.embedding.index import Index
from tagalign.embedding.spaces import ALIGNED, Embeddings

SOUNDS, SIZE = 200_000, 128
LOOPED = 20_000  # the loop is so slow that a tenth must do


def run() -> list[Row]:
    """Cosines with all sounds and the best ten, after loading."""
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(SOUNDS, SIZE)).astype(np.float32)
    index = Index(
        space=ALIGNED,
        system="",
        model="",
        ids=np.arange(SOUNDS).astype(str).tolist(),
        aligned_embedding=vectors,
        model_file=np.zeros(0, np.uint8),
        failed=[],
    )
    query = Embeddings(vectors[0], ALIGNED, "")

    def ours() -> int:
        index.nearest(query, 10)
        return SOUNDS

    def plain() -> int:
        part = vectors[:LOOPED]
        scores = [row @ query / np.linalg.norm(row) / np.linalg.norm(query) for row in part]
        np.argsort(scores)[-10:]
        return LOOPED

    one, base = rates(ours, plain, seconds=1)
    return [Row("search, after loading", one, "sounds/s", base, "a loop over the sounds")]
