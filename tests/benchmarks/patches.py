"""Patches: the stage against decoding plus resampling alone, and against the released way."""

import csv
import tempfile
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr
from rows import Row, rates

from tagalign.audio import patches
from tagalign.audio.decode import decode
from tagalign.audio.mel import LogMel
from tagalign.config import load as config
from tagalign.sources.folder import write_catalogue

CORPUS = Path(__file__).parents[2] / "workflow" / "resources" / "demo-corpus" / "audio"
CLIPS = 40
RATE = 44100  # Hz, as most sounds on Freesound


def run() -> list[Row]:
    """Stereo Vorbis clips of 2 to 10 s at 44.1 kHz, made from the bundled corpus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_clips(folder)
        sections = config.resolve(
            {
                "run": "bench",
                "source": {
                    "kind": "folder",
                    "folder": {"csv": str(folder / "sounds.csv"), "audio": name},
                },
            }
        )
        settings = sections["patches"]
        log_mel = LogMel(settings)
        catalogue = folder / "catalogue.h5"
        write_catalogue(sections["source"], catalogue)

        def decoding() -> int:
            for path in paths:
                decode(path, settings["sample_rate"])
            return len(paths)

        def ours() -> int:
            for path in paths:
                patches.measure_sound(path.read_bytes(), log_mel, settings)
            return len(paths)

        def released() -> int:
            for path in paths:
                released_patch(path)
            return len(paths)

        def stage() -> int:
            patches.run(folder / "patches.h5", catalogue, 0, settings, folder=folder)
            return len(paths)

        floor, one_core, shard, plain = rates(decoding, ours, stage, released)
    alone = "decoding and soxr alone"
    return [
        Row("patches, one core", one_core, "clips/s", floor, alone),
        Row("patches, one core, with the stage's files", shard, "clips/s", floor, alone),
        Row("patches, one core", one_core, "clips/s", plain, "the released way (librosa, resampy)"),
    ]


def make_clips(folder: Path) -> list[Path]:
    """Write the clips and their CSV; sounds of the corpus are joined to the wanted length."""
    pool = np.concatenate(
        [soundfile.read(path, dtype="float32")[0] for path in sorted(CORPUS.iterdir())[:80]]
    )
    pool = soxr.resample(pool, 22050, RATE)
    generator = np.random.default_rng(0)
    paths, rows = [], []
    for index in range(CLIPS):
        length = int(generator.uniform(2, 10) * RATE)
        left, right = (
            pool[start : start + length] for start in generator.integers(0, len(pool) - length, 2)
        )
        path = folder / f"{index}.ogg"
        soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="VORBIS")
        paths.append(path)
        rows.append((f"clip-{index}", path.name, "noise"))
    with open(folder / "sounds.csv", "w", newline="") as file:
        csv.writer(file).writerows([("id", "file", "tags"), *rows])
    return paths


def released_patch(path: Path) -> np.ndarray:
    """The front end of the authors' release, written anew with the same library calls."""
    signal, rate = librosa.load(path, sr=22000, res_type="kaiser_fast")
    if signal.size <= 10 * rate:
        signal = np.pad(signal, (0, 10 * rate - signal.size))
        signal += 5e-4 * np.random.rand(signal.size).astype(np.float32)
    log_mel = librosa.feature.melspectrogram(
        y=signal, sr=rate, hop_length=512, n_fft=1024, n_mels=96, power=1.0
    )
    log_mel = np.log(log_mel + np.finfo(np.float32).eps)
    windows = librosa.util.frame(log_mel, frame_length=96, hop_length=12)  # (mel, time, position)
    return windows[:, :, np.argmax(windows.sum(axis=(0, 1)))]
