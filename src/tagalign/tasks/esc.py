"""Environmental sounds: ESC-50 and its subset ESC-10, five folds.

Conventions
-----------
2,000 clips of 5 s in 50 classes, 40 a class, in five folds made so that clips of one
Freesound recording share a fold; ESC-10 is the 400 clips of ten classes that the metadata
marks. Each fold is tested against a classifier trained on the other four.

Layout of the archive: ``meta/esc50.csv`` and ``audio/FOLD-FREESOUND_ID-TAKE-TARGET.wav``.

Source: K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", 2015,
https://github.com/karolpiczak/ESC-50 (CC BY-NC 3.0; ESC-10 CC BY 3.0).
"""

from collections import Counter
from functools import partial
from pathlib import Path

from tagalign.errors import InputError
from tagalign.sources.table import read_table
from tagalign.tasks import files
from tagalign.tasks.protocol import Archive, Clip, Listing, Task, check_folds

FOLDS = [1, 2, 3, 4, 5]
CLIPS_PER_CLASS = 40

ARCHIVE = Archive(file="ESC-50-master.zip", limit=2 * 1024**3)


def read(root: Path, settings: dict, *, name: str) -> Listing:
    """List the clips of ESC-10 or ESC-50.

    Parameters
    ----------
    root
        Directory of the archive, or the one that holds its top directory.
    settings
        Section ``datasets.<name>`` of the configuration.
    name
        ``"esc10"`` or ``"esc50"``.

    Raises
    ------
    InputError
        Clips are missing, counts differ from the published ones, or a file's name
        contradicts the metadata.
    """
    if not (root / "meta").is_dir() and (root / "ESC-50-master").is_dir():
        root = root / "ESC-50-master"
    meta = root / "meta" / "esc50.csv"
    columns = ["filename", "fold", "target", "category", "esc10", "src_file"]
    rows = read_table(meta, columns).rows
    for row in rows:
        _check_name(row, name, meta)
    every = [row["filename"] for row in rows]
    if name == "esc10":
        rows = [row for row in rows if row["esc10"].lower() == "true"]
    classes = sorted({row["category"] for row in rows})
    _check_counts(rows, name, meta)
    _, _, extra = files.locate(root / "audio", every)
    found, missing, _ = files.locate(root / "audio", [row["filename"] for row in rows])
    files.complain_of_missing(name, root / "audio", missing, len(rows))
    clips = [
        Clip(
            clip_id=row["filename"].rsplit(".", 1)[0],
            file=found[row["filename"]],
            labels=(row["category"],),
            fold=int(row["fold"]),
            freesound_id=row["src_file"],
        )
        for row in sorted(rows, key=lambda row: row["filename"])
    ]
    files.check_clips(name, clips, meta)
    tested = check_folds(name, settings["test_folds"], FOLDS)
    return Listing(root / "audio", clips, classes, tested, extra=extra)


def _check_name(row: dict, name: str, meta: Path) -> None:
    """The file name says fold, recording and class too; both must agree."""
    parts = row["filename"].rsplit(".", 1)[0].split("-")
    told = [parts[0], parts[1], parts[-1]] if len(parts) > 2 else None
    if told != [row["fold"], row["src_file"], row["target"]]:
        raise InputError(
            f"{name}: {meta} gives {row['filename']} fold {row['fold']}, recording"
            f" {row['src_file']} and class {row['target']}, but its name says otherwise; get the"
            " data set again"
        )


def _check_counts(rows: list[dict], name: str, meta: Path) -> None:
    published = {"esc10": 10, "esc50": 50}[name]
    per_class = Counter(row["category"] for row in rows)
    files.check_count(name, "classes", len(per_class), published, meta)
    files.check_count(name, "clips", len(rows), published * CLIPS_PER_CLASS, meta)
    for label, count in sorted(per_class.items()):
        files.check_count(name, f"clips of class {label}", count, CLIPS_PER_CLASS, meta)
    per_fold = Counter(row["fold"] for row in rows)
    for fold in FOLDS:
        wanted = published * CLIPS_PER_CLASS // len(FOLDS)
        files.check_count(name, f"clips in fold {fold}", per_fold[str(fold)], wanted, meta)


TASKS = (
    Task(
        "esc10", "ESC-10", partial(read, name="esc10"), "esc", (ARCHIVE,), size=1.5e9, patches=1_200
    ),
    Task(
        "esc50", "ESC-50", partial(read, name="esc50"), "esc", (ARCHIVE,), size=1.5e9, patches=6_000
    ),
)
