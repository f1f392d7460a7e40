"""The source `folder`: a directory of sounds and a CSV that lists them, as a catalogue."""

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tagalign import store
from tagalign.errors import ConfigError, InputError
from tagalign.progress import Progress
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.exclude import excluded_ids
from tagalign.sources.journal import deal, forget_others, open_journal, shard_of

SECTION = ("kind", "shard_size", "exclude_target_tasks", "folder")  # what shapes the catalogue
KNOWN_COLUMNS = ("name", "username", "license", "url")
_TOO_MANY, _TOO_FEW = object(), object()  # no text of a CSV can be one of these


@dataclass
class Sound:
    """One row of the CSV that is kept."""

    identifier: str
    file: str  # relative to the directory of the sounds; empty where only the tags are known
    tags: list[str]  # as written
    columns: dict[str, str]  # all other columns


def write_folder(
    source: Mapping, output: str | os.PathLike, journal: str | os.PathLike | None = None
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

    Raises
    ------
    ConfigError, InputError
        As for `read_folder`.
    """
    sounds, failures = read_folder(source)
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
        | {"file": sound.file, "sha256": sha256}
        | {name: sound.columns.get(column, "") for name, column in texts.items()}
        for sound, sha256 in zip(sounds, hashes, strict=True)
    ]
    Catalogue.write_rows(
        output,
        rows,
        names=["file", "sha256", *texts],
        failed=failures,
        config={"source": {key: source[key] for key in SECTION}},
        inputs=inputs,
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
        twice, a sound file is missing, or nothing is left.
    """
    settings, rows = source["folder"], _read_table(source)
    path = Path(settings["csv"])
    reasons = _reasons(rows, path, source)
    sounds, failures = [], []
    for identifier in sorted(rows, key=_sort_key(rows)):
        if identifier in reasons:
            failures.append((identifier, reasons[identifier]))
        else:
            sounds.append(_sound(identifier, rows[identifier][0][1], settings))
    if not sounds:
        raise InputError(
            f"all {len(failures)} sounds of {path} are left out, the first, {failures[0][0]}:"
            f" {failures[0][1]}; change the section source"
        )
    _check_files(sounds, settings)
    return sounds, failures


def count_rows(source: Mapping) -> int:
    """Number of sounds that the CSV of a folder lists, whether or not they can be used.

    Raises
    ------
    ConfigError, InputError
        As for `read_folder`, but nothing outside the CSV is looked at.
    """
    return len(_read_table(source))


def _read_table(source: Mapping) -> dict[str, list[tuple[int, dict]]]:
    """The rows of the CSV as `_read_rows` gives them, one for each id."""
    settings = source["folder"]
    for key in ("csv", "audio"):
        if not settings[key]:
            raise ConfigError(f"source.folder.{key} is not set; the source 'folder' needs it")
    path = Path(settings["csv"])
    rows = _read_rows(path, settings)
    _check_ids(rows, path, settings["id_column"])
    return rows


def _read_rows(path: Path, settings: Mapping) -> dict[str, list[tuple[int, dict]]]:
    """Id -> (line, row) of each row with this id."""
    rows = {}
    wanted = [settings[key] for key in ("id_column", "file_column", "tags_column")]
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey=_TOO_MANY, restval=_TOO_FEW, strict=True)
            header = reader.fieldnames or []
            for column in [*wanted, *settings["drop"]]:
                if column not in header:
                    raise InputError(
                        f"{path} has no column {column!r}, only {', '.join(header) or 'nothing'};"
                        " add it, or name the right one in source.folder"
                    )
            for row in reader:
                line = reader.line_num
                if _TOO_MANY in row or _TOO_FEW in row.values():
                    raise InputError(
                        f"{path}, line {line}: the number of fields is not that of the header"
                        f" ({len(header)}); put fields with commas in quotes"
                    )
                rows.setdefault(row[settings["id_column"]].strip(), []).append((line, row))
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}; correct source.folder.csv"
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error}); save it as one") from None
    if not rows:
        raise InputError(f"{path} lists no sound; it needs one row per sound below its header")
    return rows


def _check_ids(rows: Mapping, path: Path, column: str) -> None:
    for identifier, same in rows.items():
        if not identifier:
            raise InputError(f"{path}, line {same[0][0]}: no {column!r}; give each sound an id")
        if len(same) > 1:
            raise InputError(
                f"{path}: {column} {identifier!r} occurs in lines {same[0][0]} and"
                f" {same[1][0]}; ids must be unique"
            )


def _reasons(rows: Mapping, path: Path, source: Mapping) -> dict[str, str]:
    """Id -> why the configuration leaves this sound out."""
    reasons = {}
    for column, values in source["folder"]["drop"].items():
        for value in map(str, values):
            matches = [key for key, [(_, row)] in rows.items() if row[column].strip() == value]
            if not matches:
                # A mistyped fold would let test sounds into the training set.
                raise InputError(
                    f"{path} has no row with {column} = {value!r}; correct source.folder.drop"
                )
            for identifier in matches:
                reasons[identifier] = f"dropped: {column} is {value} (source.folder.drop)"
    excluded = excluded_ids(source)
    return {key: excluded[key] for key in rows if key in excluded} | reasons


def _sort_key(identifiers):
    return int if all(key.isascii() and key.isdigit() for key in identifiers) else str


def _sound(identifier: str, row: Mapping, settings: Mapping) -> Sound:
    used = {settings[key] for key in ("id_column", "file_column", "tags_column")}
    # str.split takes None for any white space.
    separator = None if settings["tag_separator"] == " " else settings["tag_separator"]
    tags = [tag.strip() for tag in row[settings["tags_column"]].split(separator)]
    return Sound(
        identifier,
        row[settings["file_column"]].strip(),
        [tag for tag in tags if tag],
        {name: value for name, value in row.items() if name not in used},
    )


def _check_files(sounds: list[Sound], settings: Mapping) -> None:
    path, audio = Path(settings["csv"]), Path(settings["audio"])
    if not audio.is_dir():
        raise InputError(f"{audio} is not a directory; correct source.folder.audio")
    missing = []
    for sound in sounds:
        if Path(sound.file).is_absolute():
            raise InputError(
                f"{path}: {sound.file} is an absolute path; give it relative to {audio}"
            )
        try:
            if sound.file and not (audio / sound.file).is_file():
                missing.append(sound)
        except OSError as error:
            raise _unreadable(sound, settings, error) from None
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
