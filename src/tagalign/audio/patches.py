"""Stage `patches`: the log-mel patch of maximum energy of each sound of a shard.

The file holds ``id``, ``log_mel`` (n, n_mels, n_frames) not scaled, ``duration`` in seconds,
and in ``failed/`` the sounds that cannot be used, with their reason.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np

from tagalign import store
from tagalign.audio.decode import audio_packages, read_file, read_sound, reason_of
from tagalign.audio.mel import LogMel
from tagalign.audio.padding import pad_short, pad_to, samples_for
from tagalign.errors import AudioError, InputError
from tagalign.parallel import ordered_map
from tagalign.progress import Progress

WORTH_A_PROCESS = 64  # sounds; fewer take less time than it takes to start a process
SILENCE = 2**-15  # difference of the extremes below which a sound is silent: one 16-bit step


def write_patches(
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
    sounds, only = _sounds(catalogue, shard)
    # The file of audio may be temporary: what could not be downloaded is carried on.
    failures = _not_downloaded(audio) if audio else []
    inputs = {"catalogue": catalogue} | ({"audio": audio} if audio else {})
    source = list(_in_audio(audio, sounds) if audio else _in_folder(folder, sounds))
    # Made here once, because making the filters imports librosa, which takes seconds.
    work = functools.partial(_measure, front_end=LogMel(settings), settings=settings)
    shape = (settings["n_mels"], settings["n_frames"])
    jobs = min(jobs, -(-len(source) // WORTH_A_PROCESS))
    packages = audio_packages(settings["resampler"])
    with store.create(
        output, stage="patches", config={"patches": settings}, inputs=inputs, packages=packages
    ) as file:
        log_mel = file.create_dataset(
            "log_mel", (0, *shape), np.float32, maxshape=(len(source), *shape), chunks=(1, *shape)
        )
        kept, durations = [], []
        with Progress("patches", len(source)) as progress:
            results = ordered_map(work, (read for _, read in source), jobs)
            for (identifier, _), result in zip(source, results, strict=True):
                if isinstance(result, str):
                    failures.append((identifier, result))
                else:
                    log_mel.resize(len(kept) + 1, axis=0)
                    log_mel[len(kept)], duration = result
                    kept.append(identifier)
                    durations.append(duration)
                progress.update(failed=len(failures))
        if not kept and only:
            identifier, reason = failures[0]
            raise InputError(
                f"none of the {len(failures)} sounds of {catalogue} can be used; the first,"
                f" {identifier}: {reason}"
            )
        store.write_strings(file, "id", kept)
        file["duration"] = np.array(durations, np.float64)
        store.write_failures(file, failures)
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
        Log-mel, not scaled, of consecutive frames; the first of equally loud ones. Sounds
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


def _sounds(catalogue, shard: int) -> tuple[list[dict], bool]:
    """The rows of a shard, with file and sha256 if known, and whether these are all there are."""
    with store.read(catalogue, stage="catalogue") as file:
        rows = np.flatnonzero(file["shard"][()] == shard)
        if not rows.size:
            raise InputError(f"{catalogue} has no shard {shard}")
        names = [name for name in ("id", "file", "sha256") if name in file]
        span = slice(rows[0], rows[-1] + 1)  # a catalogue is sorted by shard
        columns = [store.read_strings(file[name], span) for name in names]
        only = file.attrs.get("shards") == 1
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)], only


def _in_folder(folder, sounds: list[dict]) -> Iterator[tuple[str, Callable]]:
    """Id of each sound and a function that reads its bytes from a directory."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is not a directory; give the one of the catalogue's sounds")
    for sound in sounds:
        path = Path(folder) / sound["file"]
        yield sound["id"], functools.partial(_read_file, path, sound["sha256"])


def _in_audio(audio, sounds: list[dict]) -> Iterator[tuple[str, Callable]]:
    """Id of each sound and a function that reads its bytes from a file of stage `audio`."""
    with store.read(audio, stage="audio") as file:
        identifiers = store.read_strings(file["id"])
        offsets = file["audio/offsets"][()].tolist()
    foreign = sorted(set(identifiers) - {sound["id"] for sound in sounds})
    if foreign:
        raise InputError(
            f"{audio} holds sound {foreign[0]}, which is not in this shard of the catalogue;"
            " make it again from this catalogue"
        )
    for row, identifier in enumerate(identifiers):
        yield identifier, functools.partial(_read_slice, audio, *offsets[row : row + 2])


def _not_downloaded(audio) -> list[tuple[str, str]]:
    with store.read(audio, stage="audio") as file:
        return store.read_failures(file)


def _read_file(path: Path, sha256: str) -> bytes:
    if not sha256:
        raise AudioError("no sound file, only tags")
    data = read_file(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise AudioError("changed since the catalogue was made; make the catalogue again")
    return data


def _read_slice(audio, start: int, stop: int) -> bytes:
    with h5py.File(audio, "r", locking=False) as file:
        return file["audio/values"][start:stop].tobytes()


def _measure(
    read: Callable[[], bytes], *, front_end: LogMel, settings: Mapping
) -> tuple[np.ndarray, float] | str:
    """Patch and duration in seconds of a sound, or the reason why there are none."""
    try:
        return measure_sound(read(), front_end, settings)
    except Exception as error:  # whatever it is, it is of this sound, and the others go on
        return reason_of(error)
