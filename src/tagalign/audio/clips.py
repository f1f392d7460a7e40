"""Cut a clip into non-overlapping log-mel patches of the size that the encoder takes."""

from collections.abc import Mapping

import numpy as np

from tagalign.audio.mel import LogMel
from tagalign.audio.padding import pad_short, pad_to, samples_for


def clips_of_training(front_end: Mapping) -> dict:
    """How to cut a clip for which nothing is configured: padded as the sounds of training were.

    A front end that pads short sounds saw silence and noise behind each of them, so a clip is
    padded alike, and what is left after its last whole patch is dropped; else that is filled
    up with silence, and counts in the clip's mean for what is in it. These are the values that
    both presets have in their section `clips`.

    Parameters
    ----------
    front_end
        The section `patches` of the training data, such as ``model.front_end``.

    Returns
    -------
    dict
        `pad_to_seconds`, `tail` and `patch_weights` of the section `clips`.
    """
    seconds = front_end["pad_to_seconds"]
    if seconds > 0:
        return {"pad_to_seconds": seconds, "tail": "drop", "patch_weights": "equal"}
    return {"pad_to_seconds": 0, "tail": "pad", "patch_weights": "sound"}


def cut_patches(signal: np.ndarray, front_end: Mapping, clips: Mapping) -> np.ndarray:
    """Cut a clip as the paper's evaluation does (section 3.3): without overlap.

    Parameters
    ----------
    signal : np.ndarray [shape=(n,), dtype=float32], n >= 1
        Mono, at the front end's sample rate.
    front_end
        The section `patches` of the configuration.
    clips
        The section `clips`: `pad_to_seconds` and `tail` are read.

    Returns
    -------
    np.ndarray [shape=(k, n_mels, n_frames), dtype=float32], k >= 1
        Log-mel, not scaled. An incomplete last patch is filled up with silence
        (``tail: pad``) or left out (``tail: drop``), unless it is the only one.
    """
    width = front_end["n_frames"]
    signal = pad_short(signal, clips["pad_to_seconds"], front_end)
    available = 1 + signal.size // front_end["hop_length"]
    whole, rest = divmod(available, width)
    count = max(1, whole + (rest > 0 and clips["tail"] == "pad"))
    signal = pad_to(signal, samples_for(count * width, front_end))
    log_mel = LogMel(front_end)(signal)[:, : count * width]
    pieces = log_mel.reshape(len(log_mel), count, width)  # (mel, k, time)
    return np.ascontiguousarray(pieces.transpose(1, 0, 2))  # (k, mel, time)
