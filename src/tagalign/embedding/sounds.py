"""Embed sounds with a trained model: the mean over the non-overlapping frames of each."""

import functools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tagalign import store
from tagalign.audio.decode import AudioError, audio_packages, decode
from tagalign.audio.formats import SUFFIXES
from tagalign.audio.frames import cut_frames
from tagalign.errors import InputError
from tagalign.parallel import ordered_map
from tagalign.progress import Progress

FRAMES_AT_ONCE = 256


def embed_clips(model, clips: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Embed clips by the mean of their frames' embeddings (the paper, section 3.3).

    Parameters
    ----------
    model
        Anything with ``embed_frames((n, n_mels, n_frames)) -> (n, V) float32``, such as
        `tagalign.model.file.Model`.
    clips
        Frames of each clip [shape=(k, n_mels, n_frames)], k >= 1, not scaled. They are drawn
        as they are needed.

    Yields
    ------
    np.ndarray [shape=(V,), dtype=float32]
        One per clip, in the same order, independent of the other clips.
    """
    waiting, count = [], 0
    for frames in clips:
        waiting.append(frames)
        count += len(frames)
        if count >= FRAMES_AT_ONCE:
            yield from _means(model, waiting)
            waiting, count = [], 0
    if waiting:
        yield from _means(model, waiting)


def _means(model, clips: list[np.ndarray]) -> Iterator[np.ndarray]:
    vectors = model.embed_frames(np.concatenate(clips))
    stops = np.cumsum([len(frames) for frames in clips])
    for stop, frames in zip(stops, clips, strict=True):
        mean = vectors[stop - len(frames) : stop].mean(axis=0, dtype=np.float64)
        yield mean.astype(np.float32)


def find_sounds(paths: Sequence[str | os.PathLike]) -> list[tuple[str, Path]]:
    """Expand files and directories into sounds.

    Returns
    -------
    list of (id, path)
        The id of a file is its name; that of a sound below a directory its path from there.

    Raises
    ------
    InputError
        A path does not exist, a directory holds no sound, or two sounds have one id.
    """
    sounds = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(
                file
                for file in path.rglob("*")
                if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
            )
            if not found:
                raise InputError(f"{path} holds no sound ({', '.join(sorted(SUFFIXES))})")
            sounds += [(file.relative_to(path).as_posix(), file) for file in found]
        elif path.exists():
            sounds.append((path.name, path))
        else:
            raise InputError(f"{path} does not exist; check its name")
    identifier, count = Counter(identifier for identifier, _ in sounds).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} sounds are called {identifier}; give a directory that holds them all, so"
            " that their paths tell them apart"
        )
    return sounds


def embed_sounds(
    output: str | os.PathLike,
    model,
    sounds: Sequence[tuple[str, Path]],
    frames: Mapping,
    *,
    inputs: Mapping[str, str | os.PathLike],
    jobs: int = 1,
) -> list[tuple[str, str]]:
    """Embed sound files; write ``id``, ``embedding`` [shape=(n, V)] and ``failed/``.

    Parameters
    ----------
    output
        The file to write.
    model
        A `tagalign.model.file.Model` with an audio encoder.
    sounds
        (id, path) of each sound, as `find_sounds` gives them.
    frames
        The section `frames` of the configuration.
    inputs
        Role -> path of the model file.
    jobs : int > 0
        Processes that decode. The result does not depend on it.

    Returns
    -------
    list of (id, reason)
        Sounds that could not be read.

    Raises
    ------
    InputError
        The model cannot embed sounds, or no sound could be read.
    """
    if model.network.audio_encoder is None:
        raise InputError(
            f"this model of system {model.system.name} has no audio encoder and cannot embed"
            " sounds; give a model that `tagalign train` made"
        )
    cut = functools.partial(_cut, front_end=model.front_end, frames=dict(frames))
    names, failures = [], []

    def read() -> Iterator[np.ndarray]:
        with Progress("embed", len(sounds)) as progress:
            results = ordered_map(cut, (path for _, path in sounds), jobs)
            for (identifier, _), result in zip(sounds, results, strict=True):
                if isinstance(result, str):
                    failures.append((identifier, result))
                else:
                    names.append(identifier)
                    yield result
                progress.update(failed=len(failures))

    vectors = list(embed_clips(model, read()))
    if not vectors:
        identifier, reason = failures[0]
        raise InputError(
            f"none of the {len(failures)} sounds can be read; the first, {identifier}: {reason}"
        )
    packages = (*audio_packages(model.front_end["resampler"]), "torch")
    with store.create(
        output, stage="embed", config={"frames": frames}, inputs=inputs, packages=packages
    ) as file:
        file.attrs["system"] = model.system.name
        store.write_strings(file, "id", names)
        file["embedding"] = np.stack(vectors)
        store.write_failures(file, failures)
    return failures


def _cut(path: Path, *, front_end: Mapping, frames: Mapping) -> np.ndarray | str:
    """Frames of a sound, or the reason why there are none."""
    try:
        signal = decode(path, front_end["sample_rate"], front_end["resampler"])
    except AudioError as error:
        return error.reason
    return cut_frames(signal, front_end, frames)
