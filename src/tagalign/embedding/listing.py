"""What sounds a user means: files, directories, and lists of files."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tagalign import store
from tagalign.audio.formats import SUFFIXES
from tagalign.errors import InputError
from tagalign.sources.table import read_table

DETAILS = ("name", "username", "license", "url")  # what an index tells of a sound
NAMED = 3  # of the files that are left out


class Sound(NamedTuple):
    """A sound to embed.

    Attributes
    ----------
    id
        The name of a file, its path below the directory that was given, or its id in a CSV.
    path
        Where it is.
    details
        Name, author, licence and URL where a list has them, by the names in `DETAILS`.
    """

    id: str
    path: Path
    details: Mapping[str, str] = {}


def find_sounds(
    paths: Sequence[str | os.PathLike],
    audio: str | os.PathLike | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Sound]:
    """Expand files, directories and lists into sounds.

    Parameters
    ----------
    paths
        Sounds; directories, of which all sounds below are taken; CSV files with a column
        ``file`` and possibly ``id`` and those of `DETAILS`; text files (``.txt``) with a path
        per line.
    audio
        The directory to which the paths in a list are relative; by default its own.
    say
        Is told which files of a directory are left out, since their names are not of sounds.

    Raises
    ------
    InputError
        A path does not exist, a list or directory holds no sound, or two sounds have one id.
    """
    sounds = []
    for path in map(Path, paths):
        if path.is_dir():
            sounds += _below(path, say)
        elif path.suffix.lower() == ".csv":
            sounds += _of_rows(path, read_table(path).rows, audio)
        elif path.suffix.lower() == ".txt":
            rows = [{"file": line.strip()} for line in _read_text(path).splitlines()]
            sounds += _of_rows(path, [row for row in rows if row["file"]], audio)
        elif path.exists():
            sounds.append(Sound(path.name, path))
        else:
            raise InputError(f"{path} does not exist; check its name")
    if not sounds:
        raise InputError("no sound was given")
    identifier, count = Counter(sound.id for sound in sounds).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} sounds are called {identifier}; give a directory that holds them all, so"
            " that their paths tell them apart"
        )
    return sounds


def details_of(path: str | os.PathLike) -> dict[str, dict[str, str]]:
    """What a CSV or a catalogue tells of its sounds, by id and by file.

    Parameters
    ----------
    path
        A CSV with a column ``id`` or ``file``, or a file of stage ``catalogue``.

    Raises
    ------
    InputError
        It has neither column, or none of `DETAILS`.
    """
    path = Path(path)
    in_csv = path.suffix.lower() == ".csv"
    rows = read_table(path).rows if in_csv else list(_catalogue_rows(path))
    columns = set(rows[0]) if rows else set()
    if not columns & {"id", "file"} or not columns & set(DETAILS):
        raise InputError(
            f"{path} has the columns {', '.join(sorted(columns)) or 'none'}; it needs id or"
            f" file, and some of {', '.join(DETAILS)}"
        )
    found = {}
    for row in rows:
        details = _details(row)
        found |= {row[key]: details for key in ("id", "file") if row.get(key)}
    return found


def _below(directory: Path, say: Callable[[str], None]) -> list[Sound]:
    sounds, others = [], []
    for path in _files(directory, frozenset()):
        if not path.name.startswith("."):
            (sounds if path.suffix.lower() in SUFFIXES else others).append(path)
    if not sounds:
        raise InputError(f"{directory} holds no sound (.wav, .flac, .ogg, .mp3 and so on)")
    if others:
        names = ", ".join(str(path.relative_to(directory)) for path in others[:NAMED])
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        say(f"{directory}: {len(others)} files have no ending of a sound: {names}{more}")
    return [Sound(path.relative_to(directory).as_posix(), path) for path in sounds]


def _files(directory: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Files below a directory, sorted; links to directories are followed, but not in a circle."""
    here = directory.resolve()
    if here in above:
        return
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {directory}: {error.strerror}") from None
    for path in entries:
        if path.is_dir():
            yield from _files(path, above | {here})
        else:
            yield path


def _of_rows(path: Path, rows: Sequence[Mapping[str, str]], audio) -> list[Sound]:
    if not rows:
        raise InputError(f"{path} lists no sound; it needs one in each line")
    if "file" not in rows[0]:
        raise InputError(f"{path} has no column 'file', only {', '.join(rows[0])}; name it so")
    directory = path.parent if audio is None else Path(audio)
    return [
        Sound(row.get("id") or row["file"], directory / row["file"], _details(row)) for row in rows
    ]


def _details(row: Mapping[str, str]) -> dict[str, str]:
    return {name: row[name] for name in DETAILS if row.get(name)}


def _catalogue_rows(path: Path) -> Iterator[dict[str, str]]:
    with store.read(path, stage="catalogue") as file:
        names = [name for name in ("id", "file", *DETAILS) if name in file]
        columns = [store.read_strings(file[name]) for name in names]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _read_text(path: Path) -> str:
    if path.exists() and not path.is_file():  # a pipe may never end
        raise InputError(f"{path} is not a file; give a list of sounds that is one")
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a readable text file in UTF-8 ({error})") from None
