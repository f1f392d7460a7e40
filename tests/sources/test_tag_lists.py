"""Tags in the forms in which people write them come out as the same tags."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagalign.errors import InputError
from tagalign.sources.tag_lists import decide, split_tags

FORMS = {
    ",": ", ".join,
    ";": ";".join,
    "|": " | ".join,
    "\t": "\t".join,
    " ": "  ".join,
    "list": json.dumps,
    "hashtags": lambda tags: " ".join(f"#{tag}" for tag in tags),
}
ROWS = [["dog", "bark"], ["field-recording"], ["Dog", "CAT", "meow"], [], ["rain", "wind"]]
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9)


def split(cells, separator="auto"):
    decision = decide(cells, separator)
    return [split_tags(cell, decision.separator) for cell in cells]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recognised(form):
    cells = [FORMS[form](tags) if tags else "" for tags in ROWS]
    assert decide(cells).separator == form
    assert split(cells) == ROWS


@given(st.lists(st.lists(WORD, min_size=2, max_size=5), min_size=1), st.sampled_from(list(FORMS)))
def test_any_words_come_back(rows, form):
    assert split([FORMS[form](tags) for tags in rows]) == rows


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("['dog', 'bark']", ["dog", "bark"]),
        ("['dog' 'bark'\n 'cat']", ["dog", "bark", "cat"]),  # as NumPy writes it
        ("('dog', \"dog's bark\")", ["dog", "dog's bark"]),
        ("{'dog', 'bark'}", ["dog", "bark"]),
        ("[dog, bark]", ["dog", "bark"]),
        ("[u'dog']", ["dog"]),
        ('["caf\\u00e9", "a, b"]', ["café", "a, b"]),
        ("[]", []),
        ("[1, 2.5]", ["1", "2.5"]),
        ("[" * 100_000, ["[" * 100_000]),  # a bomb for a parser that recurses
        ("[" * 50_000 + "]" * 50_000, ["[" * 49_999 + "]" * 49_999]),
        ("dog bark", ["dog", "bark"]),  # an odd row among lists
    ],
)
def test_lists_however_written(cell, tags):
    assert split_tags(cell, "list") == tags


@pytest.mark.parametrize(
    ("cell", "separator", "tags"),
    [
        ('"dog","bark"', ",", ["dog", "bark"]),
        ('"dog, big", cat', ",", ["dog, big", "cat"]),
        ('12" vinyl, cat', ",", ['12" vinyl', "cat"]),
        ("'dog' 'bark'", " ", ["dog", "bark"]),
        ("“dog” «bark»", " ", ["dog", "bark"]),
        ("#dog#bark #field-recording", "hashtags", ["dog", "bark", "field-recording"]),
        ("#dog, #bark", ",", ["dog", "bark"]),
        ("c#, f#", ",", ["c#", "f#"]),
        (",, dog,,bark ,", ",", ["dog", "bark"]),
        (" field recording ", "none", ["field recording"]),
        ("dog / bark", "/", ["dog", "bark"]),
        ("dog\u00a0bark\u3000cat", " ", ["dog", "bark", "cat"]),
    ],
)
def test_quotes_marks_and_blanks_go(cell, separator, tags):
    assert split_tags(cell, separator) == tags


def test_a_stray_comma_does_not_decide():
    cells = ["dog bark", "rain, heavy", "cat meow purr", "wind"]
    assert split(cells)[2] == ["cat", "meow", "purr"]
    assert split(["field recording, dog", "rain", "big dog, bark"])[0] == ["field recording", "dog"]


def test_rows_of_one_tag():
    assert split(["dog", "cat", ""]) == [["dog"], ["cat"], []]
    assert split([]) == []


def test_the_decision_is_told():
    sentence = decide(["a, b", "c", "", "d, e"]).sentence
    assert sentence == "tags are separated by commas, found in 2 of 3 rows with tags"


@pytest.mark.parametrize("chosen", [" ", ";", "/"])
def test_another_separator_in_most_rows_is_refused(chosen):
    with pytest.raises(InputError, match="2 of 3 rows hold commas between their tags, and 0 hold"):
        decide(["a, b, c", "d,e", "f"], chosen)


def test_the_chosen_separator_may_have_others_inside_its_tags():
    assert split(["big dog, cat", "small cat, dog"], ",")[0] == ["big dog", "cat"]
    assert split(["a,b;c", "d,e;f"], ";")[0] == ["a,b", "c"]
    assert split(["big dog", "small cat"], "none") == [["big dog"], ["small cat"]]
    with pytest.raises(InputError, match="2 of 2 rows hold white space"):
        decide(["big dog bark", "small cat"], ",")
