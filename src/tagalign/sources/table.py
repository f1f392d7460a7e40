"""Read the CSV files that users bring, whatever program wrote them.

UTF-8 with or without a byte order mark, UTF-16 and Windows' own encoding; commas, semicolons
(as spreadsheets write where the comma is the decimal sign) or tabs; line breaks inside quotes.
What was not the usual is told. Blanks around names of columns and values go.
"""

import codecs
import csv
import io
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagalign.errors import InputError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LARGEST_FIELD = 2**30  # characters; Python's own limit is 131,072
SAMPLE = 50  # rows that decide about the delimiter


@dataclass
class Table:
    """A table with a header.

    Attributes
    ----------
    path
        Where it was read.
    header
        Names of the columns, each once.
    rows
        Column -> value of each row.
    lines
        Line of the file on which each row ends.
    notes
        What the user should know about how it was read.
    """

    path: Path
    header: list[str]
    rows: list[dict[str, str]]
    lines: list[int]
    notes: list[str] = field(default_factory=list)


def read_table(path: str | os.PathLike, columns: Sequence[str] = (), key: str = "") -> Table:
    """Read a CSV file with a header.

    Parameters
    ----------
    columns
        Columns that it must have.
    key
        What names the file and its columns in the configuration, such as ``source.folder``.

    Raises
    ------
    InputError
        It cannot be read or is no CSV file, two columns have one name, one of `columns` is
        missing, or a row has more or fewer values than the header.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}; correct {f'{key}.csv' if key else 'the path'}"
        ) from None
    text, encoding = _decode(path, data)
    notes = [] if encoding == "UTF-8" else [f"{path} is read as {encoding}"]
    delimiter, text = _delimiter(text, columns)
    if delimiter != ",":
        notes.append(f"{path} is read as a table with {DELIMITERS[delimiter]} between its values")
    records = _records(path, text, delimiter)
    header = [unicodedata.normalize("NFC", name) for name in records[0][1]] if records else []
    records = records[1:]
    unused = {
        index
        for index, name in enumerate(header)
        if not name and not any(len(row) > index and row[index] for _, row in records)
    }
    _check_header(path, header, unused, columns, key)
    for line, row in records:
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {line}: the number of fields ({len(row)}) is not that of the header"
                f" ({len(header)}); put values that hold {DELIMITERS[delimiter]} in quotes, or get"
                " the file again if it was cut off"
            )
    names = [(index, name) for index, name in enumerate(header) if index not in unused]
    return Table(
        path,
        [name for _, name in names],
        [{name: row[index] for index, name in names} for _, row in records],
        [line for line, _ in records],
        notes,
    )


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    """Text of a file, and its encoding by name."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        tries = [("utf-32", "UTF-32")]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tries = [("utf-16", "UTF-16")]
    elif data[:2].count(0) == 1 and data.count(0) >= len(data) // 4:
        tries = [("utf-16-be" if data[0] == 0 else "utf-16-le", "UTF-16")]
    else:
        tries = [
            ("utf-8-sig", "UTF-8"),
            ("cp1252", "Latin-1 (Windows-1252)"),
            ("latin-1", "Latin-1"),
        ]
    for codec, name in tries:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, name
    raise InputError(f"{path} is not a text file; save the table as CSV in UTF-8")


def _delimiter(text: str, columns: Sequence[str]) -> tuple[str, str]:
    """What separates values, and the text without the line with which Excel announces it."""
    announced = re.match(r"sep=([,;\t])\r?\n", text)
    if announced:
        return announced[1], text[announced.end() :]

    def fit(delimiter: str) -> tuple:
        sample = []
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
                sample.append([value.strip() for value in row])
                if len(sample) > SAMPLE:
                    break
        except csv.Error:
            pass
        if not sample:
            return (0, 0.0, 0)
        whole = sum(len(row) == len(sample[0]) for row in sample) / len(sample)
        return (len(set(columns) & set(sample[0])), whole * (len(sample[0]) > 1), len(sample[0]))

    return max(DELIMITERS, key=fit), text  # the first of equal ones: the comma


def _records(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Last line and values of each row that is not empty."""
    before = csv.field_size_limit(LARGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [(reader.line_num, [value.strip() for value in row]) for row in reader]
    except csv.Error as error:
        raise InputError(
            f"{path} is not a CSV file (line {reader.line_num}: {error}); save it as one"
        ) from None
    finally:
        csv.field_size_limit(before)
    return [(line, row) for line, row in rows if any(row)]


def _check_header(
    path: Path, header: list[str], unused: set[int], columns: Sequence[str], key: str
) -> None:
    seen = set()
    for index, name in enumerate(header):
        if name in seen and index not in unused:
            what = f"two columns named {name!r}" if name else "two columns without a name"
            raise InputError(f"{path} has {what}; rename or remove one")
        seen.add(name)
    for column in columns:
        if column not in header:
            there = " ".join(", ".join(header).split())  # a name may hold line breaks
            raise InputError(
                f"{path} has no column {column!r}, only {there or 'nothing'};"
                f" add it, or name the right one in {key or 'the configuration'}"
            )


def cell(text: str) -> str:
    """Text for a CSV of ours, which a spreadsheet must not take for a formula."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
