"""The source `folder`: a directory of sounds and a CSV that lists them, as a catalogue."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tagalign import store
from tagalign.download.http import say
from tagalign.errors import ConfigError, InputError
from tagalign.progress import Progress
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.exclude import excluded_ids
from tagalign.sources.identity import canonical
from tagalign.sources.journal import deal, forget_others, open_journal, shard_of
from tagalign.sources.names import find_file, leaves
from tagalign.sources.table import Table, read_table
from tagalign.sources.tag_lists import Decision, decide, split_tags

SECTION = ("kind", "shard_size", "exclude_target_tasks", "folder")  # what shapes the catalogue
COLUMNS = ("id_column", "file_column", "tags_column", "group_column")  # keys of source.folder
KNOWN_COLUMNS = ("name", "username", "license", "url")


@dataclass
class Sound:
    """One row of the CSV that is kept."""

    identifier: str
    file: str  # relative to the directory of the sounds; empty where only the tags are known
    tags: list[str]  # as written
    group: str  # its recording or the like; empty where no column is named
    columns: dict[str, str]  # all other columns


def write_catalogue(
    source: Mapping,
    output: str | os.PathLike,
    journal: str | os.PathLike | None = None,
    refresh: bool = False,
) -> None:
    """Write the catalogue of a folder of sounds.

    Parameters
    ----------
    source
        The section `source` of the configuration, of kind ``folder``.
    output
        The file to write. A row without a file has tags that count for the vocabulary and
        Word2Vec, and no patch. Columns of the CSV that the workflow has no use for are carried
        along as strings in its group ``columns/``; a slash in their name becomes ``_``, and a
        column without a name, such as the index that pandas writes, is ``unnamed``.
    journal
        Directory that remembers the shard of each sound, so that sounds that are added later
        leave the shards of the others alone. Without it they are dealt anew each time.
    refresh
        Has no effect: a folder is read anew each time.

    Raises
    ------
    ConfigError, InputError
        As for `read_folder`.
    """
    sounds, failures, notes, decision = _read(source)
    for note in (*notes, decision.sentence):
        say(note)
    with open_journal(journal) as connection:
        ids = [sound.identifier for sound in sounds]
        forget_others(connection, ids)
        deal(connection, ids, source["shard_size"])
        dealt = {identifier: shard_of(connection, identifier) for identifier in ids}
    sounds.sort(key=lambda sound: dealt[sound.identifier])  # stable: by id within a shard
    audio = Path(source["folder"]["audio"])
    hashes = []
    with Progress("catalogue", len(sounds)) as progress:
        for sound in sounds:
            try:
                hashes.append(store.digest(audio / sound.file) if sound.file else "")
            except OSError as error:
                raise _unreadable(sound, source["folder"], error) from None
            progress.update()
    inputs = {"csv": source["folder"]["csv"]}
    inputs |= {f"exclude {index}": path for index, path in enumerate(source["exclude"])}
    texts = _text_columns(sounds[0].columns)
    rows = [
        {"id": sound.identifier, "shard": dealt[sound.identifier], "tags": sound.tags}
        | {"file": sound.file, "sha256": sha256, "group": sound.group}
        | {name: sound.columns.get(column, "") for name, column in texts.items()}
        for sound, sha256 in zip(sounds, hashes, strict=True)
    ]
    Catalogue.write_rows(
        output,
        rows,
        names=["file", "sha256", *(["group"] if sounds[0].group else []), *texts],
        failed=failures,
        config={"source": {key: source[key] for key in SECTION}},
        inputs=inputs,
        tag_separator=decision.separator,
    )


def _text_columns(columns: Iterable[str]) -> dict[str, str]:
    """Column of the catalogue -> column of the CSV; names that HDF5 allows, each once."""
    found = {name: name for name in KNOWN_COLUMNS}
    for column in sorted(set(columns) - set(KNOWN_COLUMNS)):
        name = f"columns/{column.replace('/', '_') or 'unnamed'}"
        while name in found:
            name += "_"
        found[name] = column
    return found


def read_folder(source: Mapping) -> tuple[list[Sound], list[tuple[str, str]]]:
    """Read and check the CSV of a folder of sounds.

    Returns
    -------
    sounds : list of Sound
        Sorted by id, as numbers where all ids are numbers.
    failures : list of (id, reason)
        Rows that the configuration leaves out, in the same order.

    Raises
    ------
    ConfigError
        `folder.csv` or `folder.audio` is not set.
    InputError
        The CSV cannot be read, lacks a column or has no row, an id is missing or occurs
        twice, most rows hold another separator than the configured one, a sound file is missing
        or outside `folder.audio`, or nothing is left.
    """
    sounds, failures, _, _ = _read(source)
    return sounds, failures


def _read(
    source: Mapping,
) -> tuple[list[Sound], list[tuple[str, str]], list[str], Decision]:
    """What `read_folder` returns, and how the table and its tags are read."""
    settings = source["folder"]
    rows, table = _read_rows(source)
    path = table.path
    column = [row[settings["tags_column"]] for row in rows.values()]
    decision = decide(column, settings["tag_separator"])
    reasons = _reasons(rows, path, source)
    sounds, failures = [], []
    for identifier in sorted(rows, key=_sort_key(rows)):
        if identifier in reasons:
            failures.append((identifier, reasons[identifier]))
        else:
            sounds.append(_sound(identifier, rows[identifier], settings, decision))
    if not sounds:
        raise InputError(
            f"all {len(failures)} sounds of {path} are left out, the first, {failures[0][0]}:"
            f" {failures[0][1]}; change the section source"
        )
    _find_files(sounds, settings)
    return sounds, failures, table.notes, decision


def list_files(source: Mapping) -> list[str]:
    """The sounds of a folder, as paths below ``folder.audio``; raises what `read_folder` does."""
    return [sound.file for sound in read_folder(source)[0] if sound.file]


def count_rows(source: Mapping) -> int:
    """Number of sounds that the CSV of a folder lists, whether or not they can be used.

    Raises
    ------
    ConfigError, InputError
        As for `read_folder`, but nothing outside the CSV is looked at.
    """
    return len(_read_rows(source)[0])


def _read_rows(source: Mapping) -> tuple[dict[str, dict[str, str]], Table]:
    """Id -> row of the CSV, and the table itself."""
    settings = source["folder"]
    for key in ("csv", "audio"):
        if not settings[key]:
            raise ConfigError(f"source.folder.{key} is not set; the source 'folder' needs it")
    wanted = [settings[key] for key in COLUMNS if settings[key]]
    table = read_table(settings["csv"], [*wanted, *settings["drop"]], "source.folder")
    if not table.rows:
        raise InputError(
            f"{table.path} lists no sound; it needs one row per sound below its header"
        )
    return _by_id(table, settings["id_column"]), table


def _by_id(table: Table, column: str) -> dict[str, dict[str, str]]:
    lines: dict[str, int] = {}
    rows: dict[str, dict[str, str]] = {}
    for line, row in zip(table.lines, table.rows, strict=True):
        identifier = row[column]
        if not identifier:
            raise InputError(f"{table.path}, line {line}: no {column!r}; give each sound an id")
        # 123 and 123.0 are one sound: exclusion and the leak check must see both or none.
        same = canonical(identifier)
        if same in lines:
            raise InputError(
                f"{table.path}: {column} {identifier!r} occurs in lines {lines[same]} and {line};"
                " ids must be unique"
            )
        lines[same] = line
        rows[identifier] = row
    return rows


def _reasons(rows: Mapping, path: Path, source: Mapping) -> dict[str, str]:
    """Id -> why the configuration leaves this sound out."""
    reasons = {}
    for column, values in source["folder"]["drop"].items():
        for value in map(str, values):
            matches = [key for key, row in rows.items() if row[column] == value]
            if not matches:
                # A mistyped fold would let test sounds into the training set.
                raise InputError(
                    f"{path} has no row with {column} = {value!r}; correct source.folder.drop"
                )
            for identifier in matches:
                reasons[identifier] = f"dropped: {column} is {value} (source.folder.drop)"
    excluded = excluded_ids(source)
    listed = {key: excluded[same] for key in rows if (same := canonical(key)) in excluded}
    return listed | reasons


def _sort_key(identifiers: Iterable[str]) -> Callable[[str], int | str]:
    return int if all(key.isascii() and key.isdigit() for key in identifiers) else str


def _sound(identifier: str, row: Mapping, settings: Mapping, decision: Decision) -> Sound:
    used, group = {settings[key] for key in COLUMNS}, settings["group_column"]
    return Sound(
        identifier,
        row[settings["file_column"]],
        split_tags(row[settings["tags_column"]], decision.separator),
        # A sound of which nothing is known is a group of its own.
        (row[group] or identifier) if group else "",
        {name: value for name, value in row.items() if name not in used},
    )


def _find_files(sounds: list[Sound], settings: Mapping) -> None:
    """Replace the names of the files by those that they have on disk."""
    path, audio = Path(settings["csv"]), Path(settings["audio"])
    if not audio.is_dir():
        raise InputError(f"{audio} is not a directory; correct source.folder.audio")
    missing = []
    for sound in sounds:
        if Path(sound.file).is_absolute():
            raise InputError(
                f"{path}: {sound.file} is an absolute path; give it relative to {audio}"
            )
        if leaves(sound.file):
            raise InputError(
                f"{path}: {sound.file} (id {sound.identifier}) lies outside {audio}; name files"
                " below it, or set source.folder.audio to a folder that holds them all"
            )
        if not sound.file:
            continue
        try:
            found = find_file(audio, sound.file)
        except OSError as error:
            raise _unreadable(sound, settings, error) from None
        if found is None:
            missing.append(sound)
        else:
            sound.file = found
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{audio / missing[0].file} does not exist (id {missing[0].identifier} of"
            f" {path}){more}; add the file or remove the row"
        )


def _unreadable(sound: Sound, settings: Mapping, error: OSError) -> InputError:
    return InputError(
        f"cannot read {Path(settings['audio']) / sound.file} (id {sound.identifier} of"
        f" {settings['csv']}): {error.strerror}; make it readable or remove the row"
    )
