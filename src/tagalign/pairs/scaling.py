"""Min-max scaling of log-mel patches to [0, 1], per mel band or per column.

The statistics come from training patches alone; the same object scales patches for training,
validation and embedding.
"""

import dataclasses

import numpy as np

from tagalign.store.fields import attribute, field

# Axis of a (patches, bands, columns) array that keeps its own statistics.
AXES = {"band": 1, "column": 2}


@dataclasses.dataclass(frozen=True)
class Scaling:
    """Minimum and maximum along one axis, and how values beyond them are treated.

    `axis` is ``"band"`` or ``"column"``. A `clip` of ``"both"`` limits all values to [0, 1];
    ``"low"`` limits validation patches at 0 and leaves sounds to be embedded alone, as the
    released code does; ``"none"`` limits nothing.
    """

    minimum: np.ndarray = field("float32", "S", "smallest value in training, per band or column")
    maximum: np.ndarray = field("float32", "S", "largest value in training, per band or column")
    axis: str = attribute("text", "what has its own limits: band or column", default="band")
    clip: str = attribute("text", "values beyond the limits: both, low or none", default="both")

    def apply(self, log_mel: np.ndarray, *, validation: bool = False) -> np.ndarray:
        """Scale patches.

        A band or column that is constant in training is only shifted, as scikit-learn does it.

        Parameters
        ----------
        log_mel
            Unscaled log-mel values [shape=(n, n_mels, n_frames)].
        validation
            The patches belong to the validation split, which ``clip="low"`` limits at 0.

        Returns
        -------
        np.ndarray [shape=(n, n_mels, n_frames), dtype=float32]
        """
        shape = [1, 1, 1]
        shape[AXES[self.axis]] = -1
        span = self.maximum - self.minimum
        span = np.where(span == 0, np.float32(1), span)
        scaled = (log_mel - self.minimum.reshape(shape)) / span.reshape(shape)
        if self.clip == "both":
            scaled = scaled.clip(0, 1)
        elif self.clip == "low" and validation:
            scaled = scaled.clip(min=0)
        return scaled.astype(np.float32, copy=False)

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Log-mel of which `apply` made `scaled`, apart from what it clipped."""
        shape = [1, 1, 1]
        shape[AXES[self.axis]] = -1
        span = self.maximum - self.minimum
        span = np.where(span == 0, np.float32(1), span)
        return scaled * span.reshape(shape) + self.minimum.reshape(shape)


class Range:
    """Collect the minimum and maximum of patches that arrive in parts."""

    def __init__(self, axis: str):
        self.axis = axis
        self.others = tuple(number for number in range(3) if number != AXES[axis])
        self.minimum = self.maximum = None

    def update(self, log_mel: np.ndarray) -> None:
        """Add patches [shape=(n, n_mels, n_frames)], n >= 1."""
        low, high = log_mel.min(axis=self.others), log_mel.max(axis=self.others)
        if self.minimum is not None:
            low, high = np.minimum(self.minimum, low), np.maximum(self.maximum, high)
        self.minimum, self.maximum = low, high

    def scaling(self, clip: str) -> Scaling:
        """The scaling that these statistics give."""
        return Scaling(
            self.minimum.astype(np.float32), self.maximum.astype(np.float32), self.axis, clip
        )
