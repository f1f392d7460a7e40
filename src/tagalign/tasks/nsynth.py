"""Musical instrument classification: NSynth, the published training notes and the test set.

Conventions
-----------
Notes of 4 s. Training: 2,000 notes of each of ten instrument families, 20,000 in all, from
the list of the authors' release. Testing: all 4,096 notes of the test set, which holds the
same ten families. ``synth_lead`` occurs in neither. Notes of one instrument, its pitches and
velocities, are alike: intervals and tests draw instruments, not notes.

Layout of the archives: ``nsynth-train/audio/FAMILY_SOURCE_INSTRUMENT-PITCH-VELOCITY.wav`` and
``nsynth-test/`` likewise. Of the training archive only the listed notes are unpacked.

Source: J. Engel et al., "Neural Audio Synthesis of Musical Notes with WaveNet Autoencoders",
2017, https://magenta.tensorflow.org/datasets/nsynth (CC BY 4.0).
"""

import gzip
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path, PurePosixPath

from tagalign.errors import InputError
from tagalign.tasks import files
from tagalign.tasks.protocol import TEST, TRAIN, Archive, Clip, Listing, Task

TRAIN_NOTES, TEST_NOTES = 20_000, 4_096


def read(root: Path, settings: dict) -> Listing:
    """List the training notes of the published selection and all test notes.

    Parameters
    ----------
    root
        Directory that holds ``nsynth-train`` and ``nsynth-test``.
    settings
        Section ``datasets.nsynth`` of the configuration.

    Raises
    ------
    InputError
        Notes are missing, counts differ from the published ones, or a note's name
        contradicts its family.
    """
    selected = selection(settings)
    train = [f"nsynth-train/audio/{note}.wav" for note in sorted(selected)]
    found, missing, _ = files.locate(root, train)
    files.complain_of_missing("nsynth", root / "nsynth-train", missing, len(train))
    _, _, there = files.locate(root, ["nsynth-test/audio/none.wav"])
    files.check_count("nsynth", "test notes", len(there), TEST_NOTES, root / "nsynth-test")
    classes = sorted(set(selected.values()))
    clips = [_clip(found[name], TRAIN) for name in train]
    clips += [_clip(name, TEST) for name in there]
    for clip in clips:
        if clip.labels[0] not in classes:
            raise InputError(
                f"nsynth: {clip.file} is of family {clip.labels[0]!r}, which the training notes do"
                f" not have ({', '.join(classes)}); get the set again"
            )
    files.check_clips("nsynth", clips, root)
    return Listing(root, clips, classes, [TEST], fixed_split=True)


def selection(settings: dict) -> dict[str, str]:
    """The training notes: name -> family.

    Raises
    ------
    InputError
        The list cannot be read, is no JSON object of lists, has another length than the
        published one, or gives a note a family that its name contradicts.
    """
    try:
        if settings["list"]:
            where = settings["list"]
            families = json.loads(Path(where).read_text(encoding="utf-8"))
        else:
            name = "nsynth_selected_sounds_per_class.json.gz"
            where = resources.files("tagalign") / "resources" / "reference" / name
            families = json.loads(gzip.decompress(where.read_bytes()))
    except (OSError, ValueError) as error:
        raise InputError(f"nsynth: cannot read the list {where}: {error}") from None
    if not isinstance(families, dict) or not all(map(_is_names, families.values())):
        raise InputError(f"nsynth: {where} must map instrument families to lists of note names")
    notes = {}
    for family, names in families.items():
        for note in names:
            if _family(note) != family:
                raise InputError(
                    f"nsynth: {where} lists {note} as {family}, its name says {_family(note)};"
                    " correct the list"
                )
            notes[note] = family
    files.check_count("nsynth", "training notes", len(notes), TRAIN_NOTES, Path(str(where)))
    return notes


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _family(note: str) -> str:
    """``synth_lead_synthetic_001-060-100`` is of family ``synth_lead``."""
    return note.rsplit("_", 2)[0]


def _clip(file: str, fold: int) -> Clip:
    note = PurePosixPath(file).stem
    instrument = note.rsplit("-", 2)[0]
    return Clip(clip_id=note, file=file, labels=(_family(note),), fold=fold, group=instrument)


def _selected_notes(settings: dict) -> Callable[[str], bool]:
    notes = selection(settings)
    return lambda name: PurePosixPath(name).stem in notes and name.endswith(".wav")


TASKS = (
    Task(
        "nsynth",
        "NSynth",
        read,
        "nsynth",
        (
            Archive(
                file="nsynth-train.jsonwav.tar.gz",
                limit=4 * 1024**3,
                url_key="train_url",
                md5_key="train_md5",
                wanted=_selected_notes,
            ),
            Archive(
                file="nsynth-test.jsonwav.tar.gz",
                limit=1024**3,
                url_key="test_url",
                md5_key="test_md5",
            ),
        ),
        size=26e9,
        patches=48_000,
    ),
)
