"""From a sound to its embeddings: one for each patch, and their mean."""

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tagalign.audio.clips import cut_patches
from tagalign.audio.decode import MAX_SECONDS, decode, from_samples, reason_of
from tagalign.embedding.pooling import PatchEmbeddings, patch_weights

PATCHES_AT_ONCE = 256

# A file, or samples in memory with their rate in Hz.
Source = str | os.PathLike | tuple[np.ndarray, int]


def cut_sound(source: Source, front_end: Mapping, clips: Mapping) -> np.ndarray:
    """Patches of a sound, the same bits whether it comes from a file or from memory.

    Parameters
    ----------
    source
        A path, or samples [shape=(n,) or (n, channels)] with their rate in Hz.
    front_end, clips
        The sections `patches` and `clips` of the configuration.

    Returns
    -------
    np.ndarray [shape=(k, n_mels, n_frames), dtype=float32], k >= 1
        Log-mel, not scaled.

    Raises
    ------
    AudioError
        The sound cannot be used.
    """
    rate, resampler = front_end["sample_rate"], front_end["resampler"]
    if isinstance(source, tuple):
        signal = from_samples(*source, rate, resampler)
    else:  # older models have no such limit of their own
        signal = decode(source, rate, resampler, front_end.get("max_seconds", MAX_SECONDS))
    return cut_patches(signal, front_end, clips)


def cut_or_why(path: Path, *, front_end: Mapping, clips: Mapping) -> np.ndarray | str:
    """Patches of a sound file, or the reason why there are none.

    This module, which decoding processes import, must not load PyTorch.
    """
    try:
        return cut_sound(path, front_end, clips)
    except Exception as error:  # whatever it is, it is of this sound, and the others go on
        return reason_of(error)


def embed_patches(model, clips: Iterable[np.ndarray], weighting: str) -> Iterator[PatchEmbeddings]:
    """Embed the patches of clips, many at once.

    Parameters
    ----------
    model
        Anything with `front_end` and ``embed_patches((n, n_mels, n_frames)) -> (n, V) float32``,
        such as `tagalign.model.file.Model`.
    clips
        Patches of each clip [shape=(k, n_mels, n_frames)], k >= 1, not scaled. They are drawn
        as they are needed.
    weighting
        ``clips.patch_weights`` of the configuration; see `pooling.patch_weights`.

    Yields
    ------
    PatchEmbeddings
        z_a of the patches of each clip, in the same order, independent of the other clips.
    """
    waiting, count = [], 0
    for patches in clips:
        waiting.append(patches)
        count += len(patches)
        if count >= PATCHES_AT_ONCE:
            yield from _embed_together(model, waiting, weighting)
            waiting, count = [], 0
    if waiting:
        yield from _embed_together(model, waiting, weighting)


def embed_clips(model, clips: Iterable[np.ndarray], weighting: str) -> Iterator[np.ndarray]:
    """Embed clips by the mean of their patches' embeddings (the paper, section 3.3).

    Parameters
    ----------
    model, clips, weighting
        As for `embed_patches`.

    Yields
    ------
    np.ndarray [shape=(V,), dtype=float32]
        One per clip, in the same order, independent of the other clips.
    """
    for embedded in embed_patches(model, clips, weighting):
        yield embedded.mean()


def _embed_together(model, clips: list[np.ndarray], weighting) -> Iterator[PatchEmbeddings]:
    vectors = model.embed_patches(np.concatenate(clips))
    ends = np.cumsum([0, *map(len, clips)])
    for patches, (start, stop) in zip(clips, itertools.pairwise(ends), strict=True):
        weights = patch_weights(patches, model.front_end, weighting)
        yield PatchEmbeddings(vectors[start:stop], weights)
