"""Make users' tags ready for a model: clean them as its training data were, keep the known."""

import difflib
from collections.abc import Sequence
from typing import NamedTuple

from tagalign.errors import InputError
from tagalign.tags.clean import explain_tag, normalise


class TagSet(NamedTuple):
    """What a model makes of the tags of a user.

    Attributes
    ----------
    tags
        Tags that the model knows, in the given order, without repetition.
    notes
        A sentence for each tag that was left out or taken apart.
    """

    tags: list[str]
    notes: list[str]


def read_tags(model, given: str | Sequence[str]) -> TagSet:
    """Clean tags as those of the training data were, and keep those that the model knows.

    It knows the tags of its vocabulary and, if its word model is fastText or pretrained, any word
    that has a vector there; a tag of several words then has their mean. With other word models a
    tag of several words that the vocabulary lacks is taken as its words if it has them all.

    Parameters
    ----------
    model
        A `tagalign.model.file.Model`.
    given
        Tags as a user wrote them: a list, or a text with commas between them.

    Raises
    ------
    InputError
        None of them is known; the message names the nearest tags that are.
    """
    listed = given.split(",") if isinstance(given, str) else given
    tags, notes = [], []
    for tag in filter(None, map(str.strip, listed)):
        found = _look_up(model, tag)
        if found is None:
            what = "has no vector in the word model" if model.more else "is not in the vocabulary"
            notes.append(f"{tag!r} {what} of this model{_nearest(model, tag)}")
        elif len(found) > 1:
            listed_words = ", ".join(found)
            notes.append(
                f"{tag!r} is not in the vocabulary of this model; taken as its words:"
                f" {listed_words} (put commas between tags)"
            )
        tags += [word for word in found or () if word not in tags]
    if not tags:
        commas = " and put commas between tags" if isinstance(given, str) else ""
        raise InputError(
            f"no tag of {given!r} can be embedded: {'; '.join(notes) or 'it is empty'}; choose"
            f" other tags{commas}"
        )
    return TagSet(tags, notes)


def known_tags(model, tags: Sequence[str]) -> list[str]:
    """The tags of a sound that the model knows, cleaned and without repetition."""
    results = (explain_tag(tag, model.cleaning).result for tag in tags)
    return list(dict.fromkeys(tag for tag in results if tag is not None and model.knows(tag)))


def _look_up(model, tag: str) -> list[str] | None:
    """The tag that the model knows, the tags of its words, or None."""
    whole = explain_tag(tag, model.cleaning).result
    if whole is not None and model.knows(whole):
        return [whole]
    words = [explain_tag(word, model.cleaning).result for word in normalise(tag).split("-")]
    known = all(word is not None and model.knows(word) for word in words)
    return words if len(words) > 1 and known else None


def _nearest(model, tag: str) -> str:
    """The known tags that are spelled most alike, of the whole and of its words."""
    whole = normalise(tag)
    known = model.vocabulary if model.words is None else model.words.known
    near = dict.fromkeys(
        match
        for text in dict.fromkeys([whole, *whole.split("-")])
        for match in difflib.get_close_matches(text, known, n=2, cutoff=0.6)
    )
    return f" (nearest: {', '.join(near)})" if near else ""
