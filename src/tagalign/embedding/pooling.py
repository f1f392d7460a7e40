"""From the embeddings of a clip's patches to that of the clip."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

ABOVE_FLOOR = 1e-3  # nepers of mel energy; less is the rounding of the logarithm


class PatchEmbeddings(NamedTuple):
    """The embedded patches of a clip.

    Attributes
    ----------
    vectors
        z_a [shape=(k, V)], float32.
    weights
        What each patch counts in the mean [shape=(k,)], float64, not negative.
    """

    vectors: np.ndarray
    weights: np.ndarray

    def mean(self) -> np.ndarray:
        """The embedding of the clip [shape=(V,)], float32."""
        # A clip of nothing but silence has no patch that counts more than another.
        weights = self.weights if self.weights.any() else None
        mean = np.average(self.vectors.astype(np.float64), axis=0, weights=weights)
        return mean.astype(np.float32)


def patch_weights(log_mel: np.ndarray, front_end: Mapping, weighting: str) -> np.ndarray:
    """What each patch of a clip counts in the clip's mean.

    Parameters
    ----------
    log_mel
        Patches, not scaled [shape=(k, n_mels, n_frames)].
    front_end
        The section `patches` that made them; `log_offset` is read.
    weighting : {"sound", "equal"}
        The share of a patch's columns that are not digital silence, so that a padded tail
        counts for what is in it; or 1.

    Returns
    -------
    float64 [shape=(k,)], range 0..1
    """
    if weighting == "equal":
        return np.ones(len(log_mel))
    floor = np.log(front_end["log_offset"]) + ABOVE_FLOOR
    return (log_mel > floor).any(axis=1).mean(axis=1)
