"""The id of a sound on Freesound is one number, whatever a table makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagalign.sources.identity import canonical, freesound_id

DRESSES = [
    "{}",
    "{}.0",
    "{}.",
    "000{}",
    " {}\t",
    "{:,}",
    "{:,}.0".replace(",}.0", ",}"),
    "#{}",
    "freesound-{}",
    "Freesound:{}.0",
    "freesound_{:,}",
    "fs {}",
    '"{}"',
    "https://freesound.org/s/{}/",
    "http://www.freesound.org/people/some_one/sounds/{}",
    "freesound.org/people/x/sounds/{}/?page=2#comment",
]


@given(st.integers(0, 10**9), st.sampled_from(DRESSES))
def test_a_number_in_any_dress(number, dress):
    assert freesound_id(dress.format(number)) == str(number)


@given(st.integers(1, 10**7))
def test_a_number_as_a_spreadsheet_or_pandas_shows_a_large_one(number):
    assert freesound_id(f"{number:.8e}") == str(number)


@pytest.mark.parametrize(
    "text",
    ["", "take 3", "dog.wav", "12.5", "1,23", "-5", "1e-3", "9" * 19, "9" * 5000, "1e99", "٣", "²",
     "0x1f", "nan", "1_000", "https://example.org/s/12/", "freesound", "12a"],
)  # fmt: skip
def test_other_ids_are_none(text):
    assert freesound_id(text) is None
    assert canonical(f" {text} ") == text
