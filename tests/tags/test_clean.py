"""What becomes of the tags of one sound."""

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.tags.clean import clean_tags, explain_tags, normalise, stop_words

PAPER = config.resolve_sections({}, ["tags"])["tags"]
REFERENCE = PAPER | {"lemmatizer": "inflect", "letters_only": True, "minimum_length": 2}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["Dogs", "BARKING"], ["dog", "barking"]),
        (["field-recording", "field_recordings", "Field  Recording"], ["field-recording"]),
        (["the", "Dog", "and", "cats"], ["dog", "cat"]),
        (["café", "CAFÉ", "cafe\u0301"], ["café"]),
        (["ｆｕｌｌ", "Ёлки", "犬"], ["full", "ёлки", "犬"]),
        (["#rain", "wind,", "--storm--", "-", "", "!"], ["rain", "wind", "storm"]),
        (["dogs", "dog", "Dog"], ["dog"]),
        (["dog\u200b", "\ufeffdog", "d\x00og", "field\trecording\n"], ["dog", "field-recording"]),
        (["120bpm", "c#3", "808"], ["120bpm", "c#3", "808"]),
        ([], []),
    ],
)
def test_paper_preset(given, expected):
    assert clean_tags(given, PAPER) == expected


def test_keys_of_the_reference_preset():
    given = ["field-recording", "e", "Bass", "dogs", "8bit", "the", "ambiences"]
    assert clean_tags(given, REFERENCE) == ["bas", "dog", "ambience"]


def test_stop_words_can_stay():
    assert clean_tags(["up", "down"], PAPER | {"stop_words": False}) == ["up", "down"]
    assert clean_tags(["up", "down"], PAPER) == []
    assert len(stop_words()) == 179
    assert "on-off" in clean_tags(["on-off"], PAPER)


def test_every_tag_is_explained():
    outcomes = explain_tags(["dogs", "the", "dog", "Rain", "wind"], PAPER)
    assert [outcome.result for outcome in outcomes] == ["dog", None, None, "rain", "wind"]
    assert [outcome.reason for outcome in outcomes] == [
        "singular",
        "stop word",
        "the same as dogs",
        "spelling",
        "unchanged",
    ]


def test_released_us8k_tags_come_out_as_the_authors_published_them(shared):
    """1,282 recordings: raw tags -> the authors' own result, word for word."""
    raw = json.loads((shared / "reference" / "us8k_tags_raw.json").read_text())
    published = json.loads((shared / "reference" / "us8k_tags_preprocessed.json").read_text())
    assert len(raw) == len(published) == 1282
    for identifier, tags in raw.items():
        assert set(clean_tags(tags, REFERENCE)) == set(published[identifier]), identifier


def test_verb_shows_a_table():
    result = CliRunner().invoke(cli, ["clean", "dogs, field-recording, buses, the"])
    assert result.exit_code == 0
    assert [line.split() for line in result.output.splitlines()] == [
        ["tag", "becomes", "why"],
        ["dogs", "dog", "singular"],
        ["field-recording", "field-recording", "unchanged"],
        ["buses", "bus", "singular"],
        ["the", "(dropped)", "stop", "word"],
    ]


def test_verb_without_a_tag_says_so():
    result = CliRunner().invoke(cli, ["clean", " , "])
    assert isinstance(result.exception, InputError)
    assert "no tag in" in str(result.exception)


UNICODE = Path(__file__).parents[1] / "sources" / "tables" / "unicode.csv"


def test_tags_that_look_the_same_are_one():
    with UNICODE.open(encoding="utf-8") as file:
        rows = [row["tags"].split(" ") for row in csv.DictReader(file)]
    cleaned = [clean_tags(row, PAPER) for row in rows]
    assert len(cleaned[0]) == 3, "of three scripts, each with a mark of its own"
    assert cleaned[1:] == [["❤", "strasse"], ["istanbul"], ["synth"], ["café"], ["dog"]]


@given(
    st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1),
    st.sampled_from("\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff\ufe0f\u034f\U000e0101\u061c\x07"),
    st.integers(0, 20),
)
def test_what_shows_nothing_changes_nothing(tag, invisible, at):
    assert normalise(tag[:at] + invisible + tag[at:]) == normalise(tag)


@given(st.text())
def test_composition_does_not_matter(tag):
    forms = {normalise(unicodedata.normalize(form, tag)) for form in ("NFC", "NFD")}
    assert forms == {normalise(tag)}


def test_what_stands_for_no_value_is_dropped_by_name():
    outcomes = explain_tags(["nan", "None", "NULL", "nun"], PAPER)
    assert [outcome.result for outcome in outcomes] == [None, None, None, "nun"]
    assert outcomes[1].reason == "stands for no value (tags.drop_no_value)"
    assert clean_tags(["nan", "null"], PAPER | {"drop_no_value": False}) == ["nan", "null"]
