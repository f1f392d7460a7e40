"""The vocabulary of a collection, and the stage `tags`."""

import json
from collections import Counter

import pytest
from click.testing import CliRunner
from gensim.corpora import Dictionary

from tagalign import store
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.tags.clean import clean_tags
from tagalign.tags.vocabulary import build_vocabulary

PAPER = config.resolve_sections({}, ["tags"])["tags"]
SMALL = PAPER | {"vocabulary_size": 3}


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_too_frequent_tags_are_dropped_exactly_above_the_share():
    """Sounds without tags count: "sound" is in 8 of 10, which is more than 70 %, not than 80 %."""
    rows = [["sound", "rain"]] * 7 + [["sound", "wind"], ["wind"], []]
    found = build_vocabulary(rows, PAPER | {"vocabulary_size": 2})
    assert found.words == ["rain", "wind"]  # "rain": 7 of 10 are not more than 70 %
    assert found.dropped == [("sound", "in more than 70 % of the sounds", 8)]
    found = build_vocabulary(rows, PAPER | {"vocabulary_size": 2, "maximum_share": 0.8})
    assert found.words == ["sound", "rain"]


def test_order_counts_rows_and_reasons():
    rows = [["Dogs", "bark"], ["dog", "the", "bark"], ["wind", "dog", "dogs"], ["rain"]]
    found = build_vocabulary(rows, SMALL | {"maximum_share": 1})
    assert found.words == ["dog", "bark", "rain"]
    assert found.counts == [3, 2, 1]
    assert found.rows == [[0, 1], [0, 1], [0], [2]]
    assert found.dropped == [("wind", "not among the 3 most frequent", 1), ("the", "stop word", 1)]


def test_minimum_count():
    rows = [["dog", "cat"], ["dog", "cow"], ["cat", "pig"]]
    found = build_vocabulary(rows, SMALL | {"minimum_count": 2, "vocabulary_size": 2})
    assert found.words == ["cat", "dog"]
    assert ("cow", "in fewer than 2 sounds", 1) in found.dropped


def test_ties_at_the_border_go_to_the_tag_that_gensim_met_first():
    rows = [["wind", "rain"], ["dog"], ["cat", "wind"], ["cow"], ["rain"]]
    theirs = Dictionary(rows)
    theirs.filter_extremes(no_below=1, no_above=1.0, keep_n=3)
    settings = PAPER | {"vocabulary_order": "appearance", "vocabulary_size": 3}
    found = build_vocabulary(rows, settings)
    assert found.words == ["rain", "wind", "dog"] == [theirs[index] for index in range(3)]
    assert build_vocabulary(rows, PAPER | {"vocabulary_size": 3}).words == ["rain", "wind", "cat"]


def test_against_gensim_on_real_tags(shared):
    """The released code used gensim's Dictionary; ours counts and, by key, orders as it does."""
    rows = json.loads((shared / "data" / "tags" / "freesound_id_to_tags.json").read_text())
    settings = PAPER | {"vocabulary_order": "appearance", "minimum_count": 10}
    cleaned = [clean_tags(tags, settings) for tags in rows.values()]
    theirs = Dictionary(cleaned)
    theirs.filter_extremes(no_below=10, no_above=0.7, keep_n=1000)
    kept = set(theirs.token2id)
    found = build_vocabulary(list(rows.values()), settings | {"vocabulary_size": len(kept)})
    assert set(found.words) == kept
    # As the released code: a second dictionary, over the kept tags alone, gives the ids.
    ids = Dictionary([[tag for tag in tags if tag in kept] for tags in cleaned]).token2id
    assert found.words == sorted(ids, key=ids.get)
    assert dict(zip(found.words, found.counts, strict=True)) == dict(
        Counter(tag for tags in cleaned for tag in tags if tag in kept)
    )


def test_stage_writes_what_the_library_says(tmp_path, catalogue):
    out = tmp_path / "tags.h5"
    result = run("tags", catalogue, "--params", '{"tags": {"vocabulary_size": 100}}', "-o", out)
    assert result.exit_code == 0, result.output
    with store.read(catalogue) as file:
        ids, tags = store.read_strings(file["id"]), store.read_ragged(file["tags"])
    expected = build_vocabulary(tags, PAPER | {"vocabulary_size": 100})
    with store.read(out, stage="tags") as file:
        words = store.read_strings(file["vocabulary"])
        assert words == expected.words
        assert file["counts"][()].tolist() == expected.counts
        kept = store.read_strings(file["id"])
        found = dict(zip(kept, store.read_ragged(file["tags"]), strict=True))
        failed = dict(store.read_failures(file))
        without = {identifier for identifier, row in zip(ids, tags, strict=True) if not row}
        for identifier, reason in failed.items():
            empty = identifier in without
            assert reason == ("no tags" if empty else "no tag of the vocabulary")
        assert sorted([*kept, *failed]) == sorted(ids)
        reasons = set(store.read_strings(file["dropped/reason"]))
    assert "not among the 100 most frequent" in reasons
    for identifier, row in zip(ids, tags, strict=True):
        clean = [tag for tag in clean_tags(row, PAPER) if tag in words]
        assert [words[index] for index in found.get(identifier, [])] == clean


def test_same_bytes_twice(tmp_path, catalogue):
    for name in ("one.h5", "two.h5"):
        params = '{"tags": {"vocabulary_size": 100}}'
        assert run("tags", catalogue, "--params", params, "-o", tmp_path / name).exit_code == 0
    assert store.digest(tmp_path / "one.h5") == store.digest(tmp_path / "two.h5")


@pytest.mark.parametrize("rows", [[], [("1", []), ("2", [])]])
def test_empty_tag_table(tmp_path, write_catalogue, rows):
    catalogue = write_catalogue(rows)
    result = run("tags", catalogue, "-o", tmp_path / "tags.h5")
    assert isinstance(result.exception, InputError)
    assert f"none of the {len(rows)} sounds of the catalogue has a tag" in str(result.exception)
    assert list(tmp_path.iterdir()) == [catalogue]


def test_a_vocabulary_smaller_than_the_limit_is_all_that_is_left():
    found = build_vocabulary([["dog", "bark"], ["dog", "rain"], ["rain"]], PAPER)
    assert found.words == ["dog", "rain", "bark"]


def test_vocabulary_smaller_than_needed(tmp_path, catalogue):
    exact = '{"tags": {"exact_vocabulary": true}}'
    result = run("tags", catalogue, "--params", exact, "-o", tmp_path / "tags.h5")
    assert isinstance(result.exception, InputError)
    message = str(result.exception)
    assert "tags.vocabulary_size is 1000 and tags.exact_vocabulary is true; set" in message
    assert "\n" not in message
    assert not (tmp_path / "tags.h5").exists()


@pytest.mark.parametrize(
    ("lemmatizer", "package"), [("wordnet", {"nltk"}), ("inflect", {"inflect"}), ("none", set())]
)
def test_the_version_of_the_lemmatizer_is_recorded(write_catalogue, tmp_path, lemmatizer, package):
    catalogue, output = write_catalogue([("1", ["dogs"]), ("2", ["cat"])]), tmp_path / "tags.h5"
    section = {"tags": {"lemmatizer": lemmatizer, "vocabulary_size": 2}}
    run("tags", catalogue, "--params", json.dumps(section), "-o", output)
    with store.read(output, stage="tags") as file:
        assert {"nltk", "inflect"} & set(store.attributes(file)["versions"]) == package
