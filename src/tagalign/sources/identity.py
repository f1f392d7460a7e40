"""One form of the id of a sound on Freesound, however a table shows it."""

import re

ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?freesound\.org/(?:.*/)?(?:s|sounds)/(\d+)/?(?:[?#].*)?"
)
PREFIXED = re.compile(r"(?:freesound|fs)[\s_:#-]*(.+)")
GROUPED = re.compile(r"\d{1,3}(?:([,.'\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*")
NUMBER = re.compile(r"\d+(?:\.0*)?|\d+(?:\.\d+)?e\+?\d{1,2}")
LONGEST = 18  # digits, the most that 63 bits always hold


def freesound_id(text: str) -> str | None:
    """The number of a sound on Freesound as decimal digits, or None if `text` is another id.

    ``123``, ``000123``, ``123.0``, ``1.23e2``, ``#123``, ``freesound-123`` and
    ``https://freesound.org/s/123/`` are the same sound; ``1,234`` is 1234.

    Examples
    --------
    >>> freesound_id("248905.0"), freesound_id("freesound-1,234"), freesound_id("take 3")
    ('248905', '1234', None)
    """
    text = text.strip().strip("\"'").lower()
    address = ADDRESS.fullmatch(text)
    if address:
        text = address[1]
    else:
        prefixed = PREFIXED.fullmatch(text)
        text = (prefixed[1] if prefixed else text).removeprefix("#").strip()
    if GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    if not text.isascii() or not NUMBER.fullmatch(text):
        return None
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0)
    fraction = fraction.rstrip("0")
    if len(fraction) > power:
        return None  # no whole number
    digits = (whole + fraction + "0" * (power - len(fraction))).lstrip("0") or "0"
    return digits if len(digits) <= LONGEST else None


def canonical(text: str) -> str:
    """An id to compare: that of Freesound where it is one, else the text itself."""
    return freesound_id(text) or text.strip()
