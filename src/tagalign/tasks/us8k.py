"""Sound event recognition: UrbanSound8K, ten folds.

Conventions
-----------
8,732 clips of at most 4 s in ten classes, cut from 1,297 Freesound recordings. Each of the
ten folds is tested against a classifier trained on the other nine; folds are those of the
data set and never shuffled. The accuracy is the mean over folds.

Layout of the archive: ``UrbanSound8K/metadata/UrbanSound8K.csv`` and
``UrbanSound8K/audio/fold1/RECORDING-CLASS-OCCURRENCE-SLICE.wav``.

Source: J. Salamon, C. Jacoby and J. P. Bello, "A Dataset and Taxonomy for Urban Sound
Research", 2014, https://zenodo.org/records/1203745 (CC BY-NC 4.0).
"""

from collections import Counter
from pathlib import Path

from tagalign.errors import ConfigError, InputError
from tagalign.sources.table import read_table
from tagalign.tasks import files
from tagalign.tasks.protocol import Archive, Clip, Listing, Task, check_folds

CLASSES = (
    "air_conditioner",
    "car_horn",
    "children_playing",
    "dog_bark",
    "drilling",
    "engine_idling",
    "gun_shot",
    "jackhammer",
    "siren",
    "street_music",
)
"""By class number."""

CLIPS_IN_FOLD = {
    1: 873,
    2: 888,
    3: 925,
    4: 990,
    5: 936,
    6: 823,
    7: 838,
    8: 806,
    9: 816,
    10: 837,
}

ARCHIVE = Archive(file="UrbanSound8K.tar.gz", limit=12 * 1024**3)


def read(root: Path, settings: dict) -> Listing:
    """List the clips of UrbanSound8K, of those folds that ``datasets.us8k.folds`` names.

    Parameters
    ----------
    root
        Directory of the archive, or the one that holds it. The keys `metadata` and `audio` go
        before it.
    settings
        Section ``datasets.us8k`` of the configuration.

    Raises
    ------
    ConfigError
        Only one of `metadata` and `audio` is set.
    InputError
        Clips are missing, counts differ from the published ones, or a file's name
        contradicts the metadata.
    """
    if bool(settings["metadata"]) != bool(settings["audio"]) and not settings["path"]:
        raise ConfigError(
            "datasets.us8k: without `path`, give both `metadata` (the CSV) and `audio` (the"
            " directory of fold1, fold2, ...)"
        )
    root = root / "UrbanSound8K" if (root / "UrbanSound8K").is_dir() else root
    audio = Path(settings["audio"] or root / "audio")
    clips = read_metadata(root, settings, name="us8k")
    found, missing, extra = files.locate(audio, [clip.file for clip in clips])
    files.complain_of_missing("us8k", audio, missing, len(clips))
    clips = [Clip(**{**vars(clip), "file": found[clip.file]}) for clip in clips]
    tested = check_folds(
        "us8k", settings["test_folds"] or settings["folds"], sorted(settings["folds"])
    )
    return Listing(audio, clips, list(CLASSES), tested, extra=extra)


def read_metadata(root: Path, settings: dict, *, name: str) -> list[Clip]:
    """Clips of the chosen folds as the metadata lists them, checked, sorted by id.

    Parameters
    ----------
    root
        Directory ``UrbanSound8K``.
    settings
        `metadata` (a CSV that goes before the one in `root`) and `folds` are read.
    name
        The task, for errors.

    Raises
    ------
    InputError
        As `read`.
    """
    metadata = Path(settings["metadata"] or root / "metadata" / "UrbanSound8K.csv")
    columns = ["slice_file_name", "fsID", "fold", "classID", "class"]
    clips = []
    for row in read_table(metadata, columns).rows:
        file = row["slice_file_name"]
        fold = files.whole_number(row["fold"], f"{metadata}: column fold of {file}")
        _check_row(row, name, metadata)
        if fold in settings["folds"]:
            clips.append(
                Clip(
                    clip_id=file.rsplit(".", 1)[0],
                    file=f"fold{fold}/{file}",
                    labels=(row["class"],),
                    fold=fold,
                    freesound_id=row["fsID"],
                )
            )
    counts = Counter(clip.fold for clip in clips)
    for fold in sorted(settings["folds"]):
        files.check_count(
            name, f"clips in fold {fold}", counts[fold], CLIPS_IN_FOLD.get(fold, 0), metadata
        )
    files.check_clips(name, clips, metadata)
    return sorted(clips, key=lambda clip: clip.clip_id)


def _check_row(row: dict, name: str, metadata: Path) -> None:
    """Class number, class name and the numbers in the file name must agree."""
    recording, number = [*row["slice_file_name"].split("-"), ""][:2]
    known = dict(zip(map(str, range(len(CLASSES))), CLASSES, strict=True))
    agree = row["fsID"] == recording and row["classID"] == number
    if not agree or known.get(row["classID"]) != row["class"]:
        raise InputError(
            f"{name}: {metadata} gives {row['slice_file_name']} recording {row['fsID']}, class"
            f" {row['classID']} ({row['class']}), which contradict each other; get the metadata"
            " again"
        )


TASKS = (Task("us8k", "UrbanSound8K", read, "us8k", (ARCHIVE,), size=13e9, patches=21_000),)
