"""Stage `patches`: the log-mel patch of maximum energy of each sound of a shard."""

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tagalign.audio.decode import audio_packages, read_file, read_sound, reason_of
from tagalign.audio.file import PatchShard
from tagalign.audio.mel import LogMel
from tagalign.audio.padding import pad_short, pad_to, samples_for
from tagalign.errors import AudioError, InputError
from tagalign.freesound.file import AudioShard
from tagalign.parallel import ordered_map
from tagalign.progress import Progress
from tagalign.sources.shards import Shard

WORTH_A_PROCESS = 64  # sounds; fewer take less time than it takes to start a process
SILENCE = 2**-15  # difference of the extremes below which a sound is silent: one 16-bit step


def run(
    output: str | os.PathLike,
    catalogue: str | os.PathLike,
    shard: int,
    settings: Mapping,
    *,
    audio: str | os.PathLike | None = None,
    folder: str | os.PathLike | None = None,
    jobs: int = 1,
) -> list[tuple[str, str]]:
    """Write the patches of one shard.

    Parameters
    ----------
    output
        The file to write.
    catalogue
        File of stage ``catalogue``, whole or one shard of it.
    shard : int >= 0
        Number of the shard.
    settings
        The section `patches` of the configuration.
    audio, folder
        Where the sounds are: a file of stage ``audio``, or the directory to which the files
        of the catalogue are relative. Just one must be given.
    jobs : int > 0
        Processes at most; few sounds need no more than one. The content does not depend on it.

    Returns
    -------
    list of (id, reason)
        The sounds that could not be used, those of `audio` that could not be downloaded first.

    Raises
    ------
    InputError
        The catalogue has no such shard, `audio` does not belong to it, `folder` is no
        directory, or no sound of a catalogue with a single shard can be used.
    """
    sounds = Shard.select(catalogue, shard)
    if not sounds.id:
        raise InputError(f"{catalogue} has no shard {shard}")
    # The file of audio may be temporary: what could not be downloaded is carried on.
    failures = AudioShard.read_fields(audio, "failed")[0] if audio else []
    inputs = {"catalogue": catalogue} | ({"audio": audio} if audio else {})
    source = _in_audio(audio, sounds) if audio else _in_folder(folder, sounds, catalogue)
    PatchShard.write_rows(
        output,
        _measured(source, settings, failures, jobs, catalogue if sounds.shards == 1 else None),
        most=len(source),
        failed=failures,
        settings=settings,
        inputs=inputs,
        packages=audio_packages(settings["resampler"]),
    )
    return failures


def measure_sound(data: bytes, front_end: LogMel, settings: Mapping) -> tuple[np.ndarray, float]:
    """Patch [shape=(n_mels, n_frames), dtype=float32] and duration in seconds of a sound.

    Parameters
    ----------
    data
        The encoded sound.
    front_end, settings
        As for `maximum_patch`.

    Raises
    ------
    AudioError
        The sound cannot be decoded, see `read_sound`, or is silent and not to be kept.
    """
    sound = read_sound(
        data, settings["sample_rate"], settings["resampler"], settings["max_seconds"]
    )
    if settings["silent"] == "drop" and sound.span < SILENCE:
        raise AudioError("silent")
    return maximum_patch(sound.signal, front_end, settings), sound.seconds


def maximum_patch(signal: np.ndarray, front_end: LogMel, settings: Mapping) -> np.ndarray:
    """The patch of maximum energy of a sound (the paper, section 3.1).

    Parameters
    ----------
    signal : np.ndarray [shape=(n,), dtype=float32], n >= 1
        Mono, at the front end's sample rate.
    front_end
        Made from `settings`.
    settings
        The section `patches`.

    Returns
    -------
    np.ndarray [shape=(n_mels, n_frames), dtype=float32]
        Log-mel, not scaled, of consecutive columns; the first of equally loud ones. Sounds
        shorter than that are padded with silence.
    """
    width = settings["n_frames"]
    signal = pad_short(signal, settings["pad_to_seconds"], settings)
    mel = front_end.mel(pad_to(signal, samples_for(width, settings)))
    log_mel = front_end.log(mel)
    criterion = log_mel if settings["criterion"] == "log_mel" else mel
    start = _loudest(criterion.sum(axis=0, dtype=np.float64), width, settings["step"])
    return log_mel[:, start : start + width]


def _loudest(per_frame: np.ndarray, width: int, step: int) -> int:
    """Start of the window with the largest sum, the first of equal ones."""
    # Whole numbers add up exactly, so that rounding cannot choose between windows that differ
    # in digital silence only. 2^40 steps leave room for the sums of a day of sound.
    peak = np.abs(per_frame).max() or 1.0
    exact = np.rint(per_frame / peak * 2.0**40).astype(np.int64)
    sums = np.concatenate([[0], np.cumsum(exact)])
    windows = (sums[width:] - sums[:-width])[::step]
    return int(np.argmax(windows)) * step


def _measured(
    source: Mapping[str, Callable[[], bytes]],
    settings: Mapping,
    failures: list[tuple[str, str]],
    jobs: int,
    only: str | os.PathLike | None,
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield id, patch and duration of each sound; add (id, reason) of the others to `failures`.

    Where the shard is all that there is of the catalogue `only`, some sound must be usable.
    """
    # Made here once, because making the filters imports librosa, which takes seconds.
    work = functools.partial(_measure, front_end=LogMel(settings), settings=settings)
    jobs = min(jobs, -(-len(source) // WORTH_A_PROCESS))
    usable = False
    with Progress("patches", len(source)) as progress:
        results = ordered_map(work, source.values(), jobs)
        for identifier, result in zip(source, results, strict=True):
            if isinstance(result, str):
                failures.append((identifier, result))
            else:
                usable = True
                yield identifier, *result
            progress.update(failed=len(failures))
    if not usable and only is not None:
        identifier, reason = failures[0]
        raise InputError(
            f"none of the {len(failures)} sounds of {only} can be used; the first,"
            f" {identifier}: {reason}"
        )


def _in_folder(folder, sounds: Shard, catalogue) -> dict[str, Callable[[], bytes]]:
    """Id of each sound and a function that reads its bytes from a directory."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is not a directory; give the one of the catalogue's sounds")
    if sounds.file is None or sounds.sha256 is None:
        raise InputError(f"{catalogue} lists no files in a folder; give --audio, not --folder")
    return {
        identifier: functools.partial(_read_file, Path(folder) / file, sha256)
        for identifier, file, sha256 in zip(sounds.id, sounds.file, sounds.sha256, strict=True)
    }


def _in_audio(audio, sounds: Shard) -> dict[str, Callable[[], bytes]]:
    """Id of each sound and a function that reads its bytes from a file of stage `audio`."""
    readers = AudioShard.readers(audio)
    foreign = sorted(readers.keys() - set(sounds.id))
    if foreign:
        raise InputError(
            f"{audio} holds sound {foreign[0]}, which is not in this shard of the catalogue;"
            " make it again from this catalogue"
        )
    return readers


def _read_file(path: Path, sha256: str) -> bytes:
    if not sha256:
        raise AudioError("no sound file, only tags")
    data = read_file(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise AudioError("changed since the catalogue was made; make the catalogue again")
    return data


def _measure(
    read: Callable[[], bytes], *, front_end: LogMel, settings: Mapping
) -> tuple[np.ndarray, float] | str:
    """Patch and duration in seconds of a sound, or the reason why there are none."""
    try:
        return measure_sound(read(), front_end, settings)
    except Exception as error:  # whatever it is, it is of this sound, and the others go on
        return reason_of(error)
