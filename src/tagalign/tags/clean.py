"""Clean the tags of one sound: spelling, stop words, singular.

A tag is normalised first: Unicode NFKC, lower case, and one hyphen between its words, so that
"Field_Recording", "field recording" and "field-recording" are one tag. Punctuation at its ends
goes. Letters of all scripts are kept. What needs the whole collection (too frequent, too rare)
is the work of `tagalign.tags.vocabulary`.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import NamedTuple

from tagalign.tags.lemma import singular

# White space, underscores and every kind of dash separate the words of a tag.
SEPARATORS = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")
# They change how a letter or emoji looks, at most, and never which one it is.
VARIATIONS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
DOTTED_I = "i\u0307"  # what becomes of the Turkish capital I with a dot
NO_VALUE = frozenset({"nan", "none", "null"})  # what programs write where there is nothing
ENDS = "-#.,;:!?\"'()[]{}*"


class Outcome(NamedTuple):
    """What becomes of a tag: `result` is None if it is dropped; `reason` says why."""

    tag: str
    result: str | None
    reason: str


@functools.cache
def stop_words() -> frozenset[str]:
    """NLTK's 179 English stop words."""
    return frozenset(
        (resources.files("tagalign") / "resources" / "stopwords.txt").read_text().split()
    )


def normalise(tag: str) -> str:
    """Lower case, NFKC, words joined by single hyphens, no punctuation at the ends.

    What shows nothing (format and control characters, variation selectors) goes, so that two
    tags that look the same are the same; "straße" and "STRASSE" are "strasse".
    """
    folded = unicodedata.normalize("NFKC", SEPARATORS.sub("-", tag)).casefold()
    folded = unicodedata.normalize("NFKC", folded).replace(DOTTED_I, "i")
    visible = "".join(
        letter for letter in folded if unicodedata.category(letter) not in ("Cf", "Cc")
    )
    visible = SEPARATORS.sub("-", VARIATIONS.sub("", visible))
    return unicodedata.normalize("NFC", visible).strip(ENDS)


def explain_tag(tag: str, settings: Mapping) -> Outcome:
    """Clean one tag and say what happened.

    Parameters
    ----------
    tag
        A tag as the user wrote it.
    settings
        The configuration section ``tags``.
    """
    normal = normalise(tag)
    if not normal:
        return Outcome(tag, None, "empty")
    if settings["letters_only"] and not tag.isalpha():
        return Outcome(tag, None, "has other characters than letters")
    if settings["drop_no_value"] and normal in NO_VALUE:
        return Outcome(tag, None, "stands for no value (tags.drop_no_value)")
    if settings["stop_words"] and normal in stop_words():
        return Outcome(tag, None, "stop word")
    if len(normal) < settings["minimum_length"]:
        return Outcome(tag, None, f"shorter than {settings['minimum_length']} characters")
    result = singular(normal, settings["lemmatizer"])
    changes = [
        text
        for text, applies in (("spelling", normal != tag), ("singular", result != normal))
        if applies
    ]
    return Outcome(tag, result, ", ".join(changes) or "unchanged")


def explain_tags(tags: Iterable[str], settings: Mapping) -> list[Outcome]:
    """Clean the tags of one sound, repeated ones included, and say what happened to each.

    Returns
    -------
    list of Outcome
        One per tag, in the given order; a tag that comes out equal to an earlier one is dropped.
    """
    outcomes: list[Outcome] = []
    seen: dict[str, str] = {}
    for tag in tags:
        outcome = explain_tag(tag, settings)
        if outcome.result in seen:
            reason = f"the same as {seen[outcome.result]}"
            outcome = Outcome(tag, None, reason)
        elif outcome.result is not None:
            seen[outcome.result] = tag
        outcomes.append(outcome)
    return outcomes


def clean_tags(tags: Iterable[str], settings: Mapping) -> list[str]:
    """Clean the tags of one sound (paper, section on data: "stop words ... singular").

    Parameters
    ----------
    tags
        Tags as the user wrote them.
    settings
        The configuration section ``tags``.

    Returns
    -------
    list of str
        The cleaned tags in the given order, without repetition.
    """
    outcomes = explain_tags(tags, settings)
    return [outcome.result for outcome in outcomes if outcome.result is not None]
