"""Labelled sounds of the user's own: a CSV with one row per clip, and a folder of sounds.

Conventions
-----------
Clips are in folds, each tested against a classifier trained on the others (`fold_column`), or in
a training and a test part, and perhaps a validation part (`split_column`). A row without either
is not a clip. With a `label_separator` a clip may have several classes, or none, and the task is
scored by mean average precision.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tagalign.errors import InputError
from tagalign.sources.names import find_file, leaves
from tagalign.sources.table import Table, read_table
from tagalign.tasks.files import check_clips, whole_number
from tagalign.tasks.protocol import (
    TEST,
    TRAIN,
    VALIDATION,
    Clip,
    Listing,
    Task,
    check_folds,
    name_some,
)

PARTS = {
    **dict.fromkeys(("train", "training", "dev", "development"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val"), VALIDATION),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), TEST),
}
"""What a split column may say, in any case."""


def own_task(name: str) -> Task:
    """The task for the data set that the configuration describes under this name."""
    return Task(name, name, partial(_read, name=name), dataset=name)


def _read(root: Path, settings: dict, *, name: str) -> Listing:
    """List the clips of the CSV.

    Raises
    ------
    InputError
        The CSV cannot be read, lacks a column, a sound or a label, names an unknown part, or has
        nothing to train or to test on.
    """
    table, place, read_place = _read_rows(settings, name)
    root = Path(settings["audio"]) if settings["audio"] else table.path.parent
    rows = [row for row in table.rows if row[place]]
    if not rows:
        raise InputError(f"{table.path} has no row with a {place}; name a column that says it")
    files = _find_files(name, root, [row[settings["file_column"]] for row in rows], table.path)
    clips = [
        Clip(
            clip_id=file.rsplit(".", 1)[0],
            file=file,
            labels=_labels(row[settings["label_column"]], settings["label_separator"]),
            fold=read_place(row),
            freesound_id=row[settings["id_column"]] if settings["id_column"] else "",
        )
        for file, row in sorted(zip(files, rows, strict=True), key=lambda pair: pair[0])
    ]
    multi_label = settings["label_separator"] is not None
    without = [clip.file for clip in clips if not clip.labels]
    if without and not multi_label:
        raise InputError(
            f"{table.path}: {name_some(without)} have no {settings['label_column']}; fill it in, or"
            f" leave their {place} empty"
        )
    check_clips(name, clips, table.path)
    title = settings["title"] or name
    classes = sorted({label for clip in clips for label in clip.labels})
    listing = Listing(root, clips, classes, [TEST], title=title, multi_label=multi_label)
    folds = sorted({clip.fold for clip in clips})
    if settings["split_column"]:
        listing.fixed_split = True
        if not {TRAIN, TEST} <= set(folds):
            raise InputError(
                f"{table.path}: column {place} must say train of some clips and test of others"
            )
    else:
        listing.tested_folds = check_folds(name, settings["test_folds"] or folds, folds)
    return listing


def _labels(text: str, separator: str | None) -> tuple[str, ...]:
    """The classes of a clip; several, or none, where a separator is given."""
    parts = [text] if separator is None else map(str.strip, text.split(separator))
    return tuple(dict.fromkeys(filter(None, parts)))


def _read_rows(settings: dict, name: str) -> tuple[Table, str, Callable[[dict], int]]:
    """The table, the column that tells training from test, and how to read it."""
    fold, split = settings["fold_column"], settings["split_column"]
    if (fold is None) == (split is None):
        raise InputError(
            f"datasets.{name}: set one of fold_column and split_column, the column of"
            f" {settings['csv']} that says on which clips to train and to test"
        )
    place = fold or split
    used = [settings["file_column"], settings["label_column"], place, settings["id_column"]]
    table = read_table(settings["csv"], [column for column in used if column], f"datasets.{name}")

    def read_place(row: dict) -> int:
        if fold:
            return whole_number(row[fold], f"{table.path}: column {fold}")
        if row[split].lower() not in PARTS:
            raise InputError(
                f"{table.path}: {row[split]!r} in column {split} is not a part of a data set; write"
                " train, validation or test"
            )
        return PARTS[row[split].lower()]

    return table, place, read_place


def _find_files(name: str, root: Path, wanted: list[str], table: Path) -> list[str]:
    """The files of the clips below `root`, each checked to be there."""
    outside = [file for file in wanted if Path(file).is_absolute() or leaves(file)]
    if outside:
        raise InputError(
            f"{table}: {outside[0]} is not inside {root}; give files relative to datasets.{name}"
            ".audio"
        )
    found = [find_file(root, file) if file else None for file in wanted]
    missing = [file or "(empty)" for file, path in zip(wanted, found, strict=True) if path is None]
    if missing:
        raise InputError(
            f"{name}: {len(missing)} of {len(wanted)} clips are missing below {root}:"
            f" {name_some(missing)}; add them, remove their rows or correct datasets.{name}.audio"
        )
    return found
