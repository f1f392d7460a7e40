"""A first configuration for a folder of sounds, with sizes that fit what is there (verb `new`)."""

import csv
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tagalign import store
from tagalign.config import load as configuration
from tagalign.embedding.listing import find_sounds
from tagalign.errors import InputError
from tagalign.sources.folder import read_folder
from tagalign.sources.table import read_table
from tagalign.tags.vocabulary import build_vocabulary

ENOUGH_TO_VALIDATE = 20  # sounds; of fewer, every one is needed for training
ENOUGH_FOR_REPETITION = 100  # sounds; among fewer, a tag may well be the only one of its kind
STEPS = 2000  # of training, roughly: enough for Adam to settle
COLUMNS = {
    "id_column": ("id", "freesound_id", "sound_id", "fsid"),
    "file_column": ("file", "filename", "file_name", "path", "filepath", "fname", "sound", "audio"),
    "tags_column": ("tags", "tag", "keywords", "labels", "label"),
}
"""Key of ``source.folder`` -> names of columns that say the same, the likeliest first."""
HEAD = """\
# Made by `tagalign new {folder}`; change what you want. config/README.md explains every key.
# Paths are relative to the directory in which snakemake runs.
"""


@dataclass(frozen=True)
class Proposal:
    """What was written, and what it rests on.

    Attributes
    ----------
    config, table
        The configuration, and the CSV that lists the sounds.
    sounds, tagged, tags, left_out
        Numbers of sounds, of those with a tag that is kept, of different tags, and of sounds
        that the list of the target tasks excludes.
    """

    config: Path
    table: Path
    sounds: int
    tagged: int
    tags: int
    left_out: int


def write_new(
    folder: str | os.PathLike, output: str | os.PathLike, table: str | os.PathLike | None = None
) -> Proposal:
    """Write a configuration for a folder of sounds, and a CSV of them unless there is one.

    Parameters
    ----------
    folder
        Directory of the sounds, searched to any depth.
    output
        The configuration to write; a CSV gets the same name with the ending ``.csv``.
    table
        CSV with the tags of the sounds. Without it, the names of the directories below `folder`
        and of the files are the tags.

    Raises
    ------
    InputError
        There is no sound or no tag, a column is missing, or a file to write is there already.
    """
    folder, output = Path(folder), Path(output)
    listed = output.with_suffix(".csv") if table is None else Path(table)
    for path in (output, listed) if table is None else (output,):
        if path.exists():
            raise InputError(f"{path} exists; give another name with -o, or remove it")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a directory; name the one that holds the sounds")
    columns = {"tag_separator": " "}
    if table is None:
        _list_sounds(folder, listed)
    else:
        columns = _find_columns(listed, folder)
    try:
        proposal, settings = _propose(folder, output, listed, columns)
        with store.replacing(output) as part:
            text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
            part.write_text(HEAD.format(folder=folder) + text, encoding="utf-8")
    except BaseException:
        if table is None:
            listed.unlink()
        raise
    return proposal


def _propose(folder: Path, output: Path, listed: Path, columns: Mapping) -> tuple[Proposal, dict]:
    """What a configuration for these sounds needs to say."""
    places = {"csv": os.path.relpath(listed), "audio": os.path.relpath(folder)}
    from_freesound = "freesound" in columns.get("id_column", "")
    settings = {
        "run": run_name(output.stem),
        "systems": ["w2v-128-4h"],
        "seeds": [0],
        "tasks": [],
        "source": {
            "kind": "folder",
            "exclude_target_tasks": from_freesound,
            "folder": places | columns,
        },
    }
    sounds, failures = read_folder(configuration.resolve(settings, str(output))["source"])
    rows = [sound.tags for sound in sounds]
    settings["tags"] = {"minimum_count": 2 if len(rows) >= ENOUGH_FOR_REPETITION else 1}
    cleaning = configuration.resolve_sections({"tags": settings["tags"]}, ["tags"])["tags"]
    vocabulary = build_vocabulary(rows, cleaning)
    tagged = sum(bool(row) for row in vocabulary.rows)
    settings["tags"]["vocabulary_size"] = len(vocabulary.words)
    settings |= sizes(tagged)
    counts = (len(rows), tagged, len(vocabulary.words), len(failures))
    return Proposal(output, listed, *counts), settings


def sizes(sounds: int) -> dict:
    """Sections of the configuration whose values depend on the number of sounds with tags."""
    share = 0.1 if sounds >= ENOUGH_TO_VALIDATE else 0.0
    training = sounds - round(share * sounds)
    batch = min(2 ** max(int(math.log2(max(training // 4, 1))), 3), 128, max(training, 2))
    steps = max(training // batch, 1)
    return {
        "word2vec": {"epochs": 5 if sounds >= 10_000 else 30},
        "pairs": {"validation_share": share},
        "train": {
            "epochs": min(max(math.ceil(STEPS / steps), 10), 60),
            "batch_size": batch,
            "optimizer": "adam",
            "learning_rate": 0.001,
        },
    }


def run_name(text: str) -> str:
    """`text` as the name of a run: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:100] or "sounds"


def _list_sounds(folder: Path, output: Path) -> None:
    """Write the sounds of a folder with the words of their paths as tags."""
    files = [sound.id for sound in find_sounds([folder])]
    with store.replacing(output) as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "file", "tags"])
        writer.writerows([name, name, " ".join(words(name))] for name in files)


def words(path: str) -> list[str]:
    """The words in the path of a sound, without its ending: what has at least two letters."""
    parts = re.split(r"[\W\d_]+", str(Path(path).with_suffix("")))
    return list(dict.fromkeys(word.lower() for word in parts if len(word) > 1))


def _find_columns(table: Path, folder: Path) -> dict[str, str]:
    """Which columns of a CSV hold ids, files and tags: keys of ``source.folder``."""
    rows = read_table(table).rows
    if not rows:
        raise InputError(f"{table} lists no sound; it needs one row per sound below its header")
    header = list(rows[0])
    found = {key: _named(header, names) for key, names in COLUMNS.items()}
    if found["file_column"] is None:
        found["file_column"] = _column_of_files(header, rows, folder)
    for key, what in (("file_column", "file"), ("tags_column", "tags")):
        if found[key] is None:
            raise InputError(
                f"{table} has no column that could be the {what} of the sounds, only"
                f" {', '.join(header)}; call it {what}"
            )
    ids = [row[found["id_column"]] for row in rows] if found["id_column"] else []
    if not all(ids) or len(set(ids)) < len(rows):
        found["id_column"] = found["file_column"]
    return found


def _named(header: Sequence[str], names: Sequence[str]) -> str | None:
    known = {column.strip().casefold(): column for column in reversed(header)}
    return next((known[name] for name in names if name in known), None)


def _column_of_files(header: Sequence[str], rows: Sequence[Mapping], folder: Path) -> str | None:
    """The column whose first values are files of the folder."""
    for column in header:
        names = [row[column].strip() for row in rows[:20]]
        if any(names) and all((folder / name).is_file() for name in names if name):
            return column
    return None
