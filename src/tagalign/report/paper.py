"""The published accuracies, in per cent.

Source: Favory et al., "Learning Contextual Tag Embeddings for Cross-Modal Alignment of Audio
and Tags", 2020, tables of results; E-C and CNN from the published runs of "COALA:
Co-Aligned Autoencoders for Learning Semantically Enriched Audio Representations", 2020.
"""

_TASKS = ("us8k", "gtzan", "nsynth", "us8k-tag")

_ROWS = {
    "mfcc": (65.8, 49.8, 62.6, None),
    "w2v-128-1h": (71.5, 61.3, 68.9, 79.2),
    "w2v-1152-1h": (72.1, 61.5, 68.6, 80.3),
    "w2v-128-4h": (73.5, 59.6, 69.7, 79.4),
    "w2v-1152-4h": (70.5, 63.4, 69.9, 78.7),
    "w2v-128-mean": (71.3, 60.4, 70.0, 79.7),
    "w2v-1152-mean": (71.1, 60.7, 68.4, 78.5),
    "coala": (72.7, 60.7, 73.1, None),
    "coala-e-c": (72.5, 58.9, 69.5, None),
    "cnn": (48.4, 47.0, 56.4, None),
}


TEST_CLIPS = {"us8k": 8732, "gtzan": 290, "nsynth": 4096, "us8k-tag": 8732}
"""Test clips behind the published numbers, before any was dropped."""

ENOUGH = 0.9
"""Share of them that makes a result comparable: the paper dropped up to 5.5 %."""


def published(system: str, task: str, clips: int) -> float | None:
    """The accuracy that the paper gives, in per cent, or None where it gives none.

    None as well where fewer `clips` were tested, such as some folds only: their accuracy
    cannot be compared with the paper's.
    """
    if system not in _ROWS or task not in _TASKS or clips < ENOUGH * TEST_CLIPS[task]:
        return None
    return _ROWS[system][_TASKS.index(task)]
