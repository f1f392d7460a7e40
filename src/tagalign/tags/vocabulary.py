"""Clean the tags of all sounds and choose the vocabulary (stage `tags`)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tagalign.errors import InputError
from tagalign.tags.clean import explain_tag


class Vocabulary(NamedTuple):
    """The vocabulary and what it makes of a collection.

    words
        The tags that are kept, in the order of their indices.
    counts
        Number of sounds with each of `words`.
    rows
        For each sound the indices of its tags in the user's order, without repetition.
    dropped
        (tag, reason, number of sounds) of each dropped tag, by reason, most frequent first.
    """

    words: list[str]
    counts: list[int]
    rows: list[list[int]]
    dropped: list[tuple[str, str, int]]


def build_vocabulary(tags: Sequence[Iterable[str]], settings: Mapping) -> Vocabulary:
    """Clean the tags of all sounds and keep the most frequent ones.

    A tag that more than `maximum_share` of all sounds have, sounds without tags included, tells
    little and is dropped, and so is one in fewer than `minimum_count` sounds.

    Parameters
    ----------
    tags
        The tags of each sound as the users wrote them.
    settings
        The configuration section ``tags``.

    Raises
    ------
    InputError
        No sound has a tag, no tag remains, or fewer than `vocabulary_size` although
        `exact_vocabulary` asks for so many.
    """
    outcomes = {tag: explain_tag(tag, settings) for row in tags for tag in row}
    if not outcomes:
        raise InputError(
            f"none of the {len(tags)} sounds of the catalogue has a tag; check the tags column"
            " and its separator, or the source"
        )
    # A dict keeps the user's order and drops repetitions.
    cleaned = [
        list(dict.fromkeys(word for tag in row if (word := outcomes[tag].result) is not None))
        for row in tags
    ]
    counts = Counter(word for row in cleaned for word in row)
    refused = {
        word: reason for word in counts if (reason := _refuse(counts[word], len(tags), settings))
    }
    candidates = sorted(
        (word for word in counts if word not in refused), key=lambda w: (-counts[w], w)
    )
    if settings["vocabulary_order"] == "appearance":
        # gensim's Dictionary, which made the released vocabulary, sorts the tags of each sound, and
        # of equally frequent tags it keeps those that it met first.
        met = {w: n for n, w in enumerate(dict.fromkeys(w for row in cleaned for w in sorted(row)))}
        candidates.sort(key=lambda w: (-counts[w], met[w]))
    size = settings["vocabulary_size"]
    if not candidates:
        raise InputError(
            "no tag is left after cleaning; lower tags.minimum_count"
            f" (now {settings['minimum_count']}), raise tags.maximum_share or give more sounds"
        )
    if len(candidates) < size and settings["exact_vocabulary"]:
        raise InputError(
            f"only {len(candidates)} different tags are left after cleaning, but"
            f" tags.vocabulary_size is {size} and tags.exact_vocabulary is true; set the one to"
            f" {len(candidates)} or less or the other to false, lower tags.minimum_count, or give"
            " more sounds"
        )
    words = candidates[:size]
    refused |= dict.fromkeys(candidates[size:], f"not among the {size} most frequent")
    if settings["vocabulary_order"] == "appearance":
        words.sort(key=met.__getitem__)
    index = {word: number for number, word in enumerate(words)}
    rows = [[index[word] for word in row if word in index] for row in cleaned]
    raw = Counter(tag for row in tags for tag in set(row) if outcomes[tag].result is None)
    dropped = [(tag, outcomes[tag].reason, raw[tag]) for tag in raw]
    dropped += [(word, reason, counts[word]) for word, reason in refused.items()]
    dropped.sort(key=lambda row: (row[1], -row[2], row[0]))
    return Vocabulary(words, [counts[word] for word in words], rows, dropped)


def _refuse(count: int, sounds: int, settings: Mapping) -> str | None:
    if count / sounds > settings["maximum_share"]:
        return f"in more than {100 * settings['maximum_share']:g} % of the sounds"
    if count < settings["minimum_count"]:
        return f"in fewer than {settings['minimum_count']} sounds"
    return None
