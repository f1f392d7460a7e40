"""Clips are embedded many at once, and come back one by one."""

from typing import ClassVar

import numpy as np

from tagalign.embedding.sounds import embed_clips


def test_clips_are_drawn_as_needed_and_come_back_in_order(monkeypatch):
    monkeypatch.setattr("tagalign.embedding.sounds.PATCHES_AT_ONCE", 4)

    class Sums:
        front_end: ClassVar = {}

        def embed_patches(self, patches):
            sizes.append(len(patches))
            return patches.sum(axis=2)

    sizes, rng = [], np.random.default_rng(0)
    clips = [rng.random((k, 3, 5), dtype=np.float32) for k in (1, 2, 3, 9, 1)]
    vectors = list(embed_clips(Sums(), iter(clips), "equal"))
    assert sizes == [6, 9, 1]
    for clip, vector in zip(clips, vectors, strict=True):
        np.testing.assert_allclose(vector, clip.sum(axis=2).mean(axis=0), rtol=1e-6)
