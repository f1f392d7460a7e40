"""Plural to singular, against word lists and WordNet's own files."""

import json
import subprocess
import sys
import zipfile
from importlib import resources

import pytest

from tagalign.tags.lemma import singular

UNHARMED = (
    "bus gas pass boss glass bass brass police species atmos paris christmas news series"
    " grass hiss circus press class analysis data cola canvas 50s"
)
SINGULAR = {
    "dogs": "dog",
    "voices": "voice",
    "churches": "church",
    "wolves": "wolf",
    "drums": "drum",
    "men": "man",
    "women": "woman",
    "children": "child",
    "knives": "knife",
    "teeth": "tooth",
    "feet": "foot",
    "mice": "mouse",
    "buses": "bus",
    "glasses": "glasses",  # a noun of its own
    "cities": "city",
}


@pytest.mark.parametrize("word", UNHARMED.split())
def test_words_that_only_look_plural_stay(word):
    assert singular(word) == word


@pytest.mark.parametrize(("plural", "expected"), SINGULAR.items())
def test_plurals_become_singular(plural, expected):
    assert singular(plural) == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("field-recordings", "field-recording"),
        ("sound-effects", "sound-effect"),  # a compound of WordNet, though "effects" is a noun
        ("hot-dogs", "hot-dog"),
        ("field-recording", "field-recording"),
        ("dogs-barking", "dogs-barking"),  # the head, the last word, is no plural
        ("808-drums", "808-drum"),
        ("x-", "x-"),
    ],
)
def test_of_several_words_the_last_becomes_singular(tag, expected):
    assert singular(tag) == expected


def test_unknown_words_and_no_lemmatizer_change_nothing():
    assert singular("sonsdebarcelonas") == "sonsdebarcelonas"
    assert singular("dogs", "none") == "dogs"


def test_nothing_but_the_bundled_wordnet_is_read():
    """Neither a corpus of the user's nor a download: NLTK finds ours, and first."""
    program = (
        "import os, socket, sys\n"
        "socket.socket.connect = lambda *_: sys.exit('a connection was tried')\n"
        "from tagalign.tags.lemma import singular, wordnet\n"
        "print(singular('dogs'), os.path.relpath(wordnet()._root.zipfile.filename, sys.argv[1]))\n"
    )
    root = str(resources.files("tagalign"))
    result = subprocess.run(
        [sys.executable, "-c", program, root],
        capture_output=True,
        text=True,
        env={"HOME": "/nonexistent", "NLTK_DATA": "/nonexistent"},
    )
    assert result.stdout.split() == ["dog", "resources/nltk_data/corpora/wordnet.zip"], (
        result.stderr
    )
    assert result.stderr == ""


def test_agrees_with_an_own_reading_of_wordnet_on_real_tags(shared):
    """The rule, written down directly from the files: index.noun, noun.exc and the suffixes."""
    archive = resources.files("tagalign") / "resources" / "nltk_data" / "corpora" / "wordnet.zip"
    with zipfile.ZipFile(str(archive)) as files:
        index = files.read("wordnet/index.noun").decode().splitlines()
        rows = [line.split() for line in files.read("wordnet/noun.exc").decode().splitlines()]
    nouns = {line.split(" ", 1)[0] for line in index if not line.startswith(" ")}
    irregular = {plural: lemma for plural, lemma, *_ in rows}
    suffixes = {"s": "", "ses": "s", "ves": "f", "xes": "x", "zes": "z", "ches": "ch"}
    suffixes |= {"shes": "sh", "men": "man", "ies": "y"}

    def expected(word):
        if word in irregular and (word not in nouns or word.endswith(("en", "eeth", "ves"))):
            return irregular[word]
        if word in nouns:
            return word
        candidates = [word.removesuffix(p) + s for p, s in suffixes.items() if word.endswith(p)]
        return next((c for c in candidates if len(c) > 1 and c in nouns), word)

    tags = json.loads((shared / "data" / "tags" / "freesound_id_to_tags.json").read_text())
    words = {tag.lower() for row in tags.values() for tag in row if tag.isalpha()} | set(irregular)
    words = {word for word in words if word.isalpha()}
    assert len(words) > 5000
    assert {word: singular(word) for word in words} == {word: expected(word) for word in words}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("bass", "bas"), ("glass", "glas"), ("bus", "bu"), ("police", "polouse"), ("dog", "dog")],
)
def test_inflect_makes_the_mistakes_of_the_release(word, expected):
    assert singular(word, "inflect") == expected
