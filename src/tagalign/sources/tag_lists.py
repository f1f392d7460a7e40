"""Tags as people write them in one cell of a table: find out what separates them, and split.

``dog, bark``, ``dog;bark``, ``dog|bark``, ``dog bark``, ``#dog #bark``, ``["dog", "bark"]`` and
``['dog' 'bark']`` are the same two tags. What separates them is decided once for a whole column,
since a single cell may well hold a comma or a blank inside a tag.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tagalign.errors import InputError

AUTO = "auto"
NAMES = {
    "list": "brackets and commas",
    "hashtags": "hash signs",
    "\t": "tabs",
    "|": "|",
    ";": "semicolons",
    ",": "commas",
    " ": "white space",
    "none": "nothing (each row is one tag)",
}
"""Separator -> its name in messages, the stronger ones first."""
MARKS = ("\t", "|", ";", ",")
ALIKE = {(" ", "\t"), (" ", "hashtags")}  # white space splits these as well
QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "«": "»"}
_STRING = re.compile(r"[bu]?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.DOTALL)
_BRACKETS = {"[": "]", "(": ")", "{": "}"}


class Decision(NamedTuple):
    """What separates the tags of a column: a key of `NAMES` or another text, and why."""

    separator: str
    sentence: str


def decide(cells: Sequence[str], separator: str = AUTO) -> Decision:
    """Decide what separates the tags in a column.

    Parameters
    ----------
    cells
        The column, one text per row; empty ones do not count.
    separator
        ``auto``, or what the user says: a key of `NAMES` or any other text.

    Returns
    -------
    Decision
        Its sentence says what was decided, and on how many rows it rests.

    Raises
    ------
    InputError
        Most rows hold another separator than the one that the user chose.
    """
    filled = [cell for cell in (_bare(cell) for cell in cells) if cell]
    counts = {name: sum(map(_HOLDS[name], filled)) for name in _HOLDS}
    if separator == AUTO:
        separator = _strongest(counts, filled)
        found = f"found in {counts[separator]} of {len(filled)} rows with tags"
        return Decision(separator, f"tags are separated by {NAMES[separator]}, {found}")
    # White space stands around all other separators, so it speaks for none of them.
    holds = _HOLDS.get(separator, lambda cell: separator in cell)
    chosen = 0 if separator == " " else sum(map(holds, filled))
    other = _strongest(counts, filled)
    fits = separator == "none" or separator == other or (separator, other) in ALIKE
    if not fits and chosen < counts[other] > len(filled) / 2:
        raise InputError(
            f"{counts[other]} of {len(filled)} rows hold {NAMES[other]} between their tags, and"
            f" {chosen} hold {NAMES.get(separator, separator)!r}, which source.folder.tag_separator"
            " names; set it to auto, or to none if each row is one tag"
        )
    return Decision(separator, f"tags are separated by {NAMES.get(separator, repr(separator))}")


def split_tags(cell: str, separator: str) -> list[str]:
    """The tags in one cell, in order, without blanks, quotes and empty ones.

    Parameters
    ----------
    separator
        As `decide` gives it.
    """
    cell = _bare(cell)
    if separator == "list" and _is_list(cell):
        parts = _split_list(cell)
    elif separator == "hashtags":
        parts = re.split(r"[\s,;|]*#|[\s,;|]+", cell)
    elif separator in (" ", "list"):
        parts = cell.split()
    elif separator == "none":
        parts = [cell]
    else:
        parts = _outside_quotes(cell, separator)
    return [tag for tag in map(_unquoted, parts) if tag]


def _bare(cell: str) -> str:
    # A tab inside the white space at an end separates nothing.
    return cell.strip()


def _is_list(cell: str) -> bool:
    return len(cell) > 1 and _BRACKETS.get(cell[0]) == cell[-1]


def _is_hashtags(cell: str) -> bool:
    return bool(re.match(r"#\w", cell))


_HOLDS: dict[str, Callable[[str], bool]] = {
    "list": _is_list,
    "hashtags": _is_hashtags,
    **{mark: lambda cell, mark=mark: mark in cell for mark in MARKS},
    " ": lambda cell: bool(re.search(r"\s", cell)),
}


def _strongest(counts: dict[str, int], filled: Sequence[str]) -> str:
    """The separator that the rows speak for; white space where nothing else does."""
    for name in ("list", "hashtags"):
        if counts[name] > len(filled) / 2:
            return name
    # Rows of a single tag hold no separator and speak for none.
    several = sum(any(_HOLDS[name](cell) for name in (*MARKS, " ")) for cell in filled)
    best = max(MARKS, key=lambda mark: counts[mark])
    return best if counts[best] * 2 >= several > 0 else " "


def _split_list(cell: str) -> list[str]:
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and not any(isinstance(item, list | dict) for item in found):
        return [str(item) for item in found]
    strings = _STRING.findall(cell)
    if strings:  # as Python writes a list, and NumPy, which sets no commas
        return [re.sub(r"\\(.)", r"\1", text[1:-1]) for text in strings]
    inner = cell[1:-1]
    return inner.split("," if "," in inner else None)


def _outside_quotes(cell: str, separator: str) -> list[str]:
    """Split at separators, but for those between a pair of double quotes."""
    if cell.count('"') % 2 or cell.count('"') < 2:
        return cell.split(separator)
    parts, quoted = [""], False
    for piece in re.split(f'("|{re.escape(separator)})', cell):
        quoted ^= piece == '"'
        if piece == separator and not quoted:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _unquoted(tag: str) -> str:
    """A tag without blanks, quotes and the mark of a hashtag around it."""
    while True:
        bare = tag.strip()
        if len(bare) > 1 and QUOTES.get(bare[0]) == bare[-1]:
            bare = bare[1:-1]
        if re.match(r"#\w", bare):
            bare = bare[1:]
        if bare == tag:
            return tag
        tag = bare
