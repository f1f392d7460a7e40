"""Make nouns singular.

Two lemmatizers, both of which leave alone what they do not know:

``wordnet``
    NLTK's WordNet, whose noun part is bundled. The order is: irregular plurals (men, knives), then
    the word itself if it is a noun (bus, glass, news), then the first noun that the suffix rules of
    ``morphy`` give (https://wordnet.princeton.edu/documentation/morphy7wn).
``inflect``
    What the authors used. It knows suffixes but no words, so it makes "bas" of "bass"; the released
    vocabulary can only be met this way.
"""

import functools
import re
import warnings
from importlib import resources
from typing import Any

from tagalign.errors import import_extra

# Packages whose version can change a lemma, by lemmatizer.
PACKAGES = {"wordnet": ("nltk",), "inflect": ("inflect",), "none": ()}

# Irregular plurals with these endings are plurals even where WordNet lists them as nouns too (men,
# teeth, elves). Others are words in their own right: data, cola (colon), dive (diva), roma (rom).
NATIVE_ENDINGS = ("en", "eeth", "ves")


@functools.cache
def wordnet() -> Any:
    """NLTK's reader of the bundled WordNet; no corpus of the user's or of the system's is read."""
    # Imported here: NLTK takes a second, and `--help` need not wait for it.
    import nltk

    # NLTK refuses corpora outside its data directories.
    archive = resources.files("tagalign") / "resources" / "nltk_data" / "corpora" / "wordnet.zip"
    nltk.data.path.insert(0, str(archive.parent.parent))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The multilingual functions")
        nltk.corpus.wordnet.ensure_loaded()
    return nltk.corpus.wordnet


def singular(tag: str, lemmatizer: str = "wordnet") -> str:
    """Make a tag singular; of several words joined by hyphens the last one, their head.

    Parameters
    ----------
    tag
        Lower-case tag, words joined by ``-``.
    lemmatizer
        ``"wordnet"``, ``"inflect"`` or ``"none"``.

    Returns
    -------
    str
        The singular, or `tag` itself where it is none or is not known.
    """
    if lemmatizer == "none":
        return tag
    if lemmatizer == "wordnet" and "-" in tag:
        for compound in (tag.replace("-", "_"), tag):
            known = _wordnet(compound)
            if known is not None:
                return known.replace("_", "-")
    words = re.split("(-)", tag)
    words[-1] = _inflect(words[-1]) if lemmatizer == "inflect" else _wordnet(words[-1]) or words[-1]
    return "".join(words)


@functools.lru_cache(maxsize=65536)
def _wordnet(word: str) -> str | None:
    """The singular of a noun of WordNet, None for other words."""
    reader = wordnet()
    irregular = reader._exception_map["n"].get(word)
    if irregular and word.endswith(NATIVE_ENDINGS):
        return irregular[0]
    singular = reader.morphy(word, "n")
    if irregular and singular != word:
        return irregular[0]
    if singular != word and (len(singular or "") < 2 or re.search(r"\d", word)):
        return None  # "50s" is not the plural of the number 50, nor "ns" that of a letter
    return singular


@functools.cache
def _engine() -> Any:
    return import_extra("inflect", "reference").engine()


@functools.lru_cache(maxsize=65536)
def _inflect(word: str) -> str:
    return (word and _engine().singular_noun(word)) or word
