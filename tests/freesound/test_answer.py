"""Whatever a server says is a page, a row that is left out, or one kind of error."""

import gzip
import json
import zlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagalign.config import load as config
from tagalign.download import http
from tagalign.errors import plain
from tagalign.freesound.answer import own_hosts, read_json, read_page, whole_number, why_not
from tagalign.freesound.preview import PreviewError, preview_client
from tagalign.freesound.record import COLUMNS, created_at, reason_against, record
from tagalign.sources.table import cell

SETTINGS = config.resolve_sections({"source": {"kind": "freesound"}}, ["source"])["source"][
    "freesound"
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
GOOD = {"id": 7, "previews": {"preview-hq-ogg": "https://cdn.freesound.org/7.ogg"}}


def page(*results):
    return read_page(json.dumps({"count": 1, "next": None, "results": results}).encode())


@given(st.sampled_from([*COLUMNS, "tags", "previews", "id"]), JSON)
def test_any_value_of_a_field_gives_a_row_that_can_be_kept(name, value):
    for result in page({**GOOD, name: value})["results"]:
        if result is not None:
            assert 0 <= result["id"] < 2**63
            values = record(result, "preview-hq-ogg")
            assert all(isinstance(values[column], kind) for column, kind in COLUMNS.items())
            assert all(0 <= values[column] < 2**31 for column in ("samplerate", "channels"))
            created_at(result)
            reason_against(values, SETTINGS)


@given(JSON | st.binary())
def test_any_answer_is_a_page_or_may_pass(value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    try:
        assert isinstance(read_page(body)["results"], list)
    except http.TransientError as error:
        assert str(error).startswith("an answer")  # noqa: PT017


def test_numbers_of_thousands_of_digits_and_deep_nesting():
    huge = b'{"results": [{"id": %s}, {"id": 7, "samplerate": -%s}]}' % (b"9" * 5000, b"9" * 5000)
    first, second = read_page(huge)["results"]
    assert first is None
    assert second == {"id": 7, "samplerate": None}
    too_large, largest = page({"id": 2**63}, {"id": 2**63 - 1})["results"]
    assert too_large is None
    assert largest["id"] == 2**63 - 1
    with pytest.raises(http.TransientError):
        read_json(b"[" * 200_000)


@pytest.mark.parametrize("text", ["²", "٣", "", "-1", "1.5", "9" * 5000, str(2**63)])
def test_what_is_no_whole_number(text):
    assert whole_number(text) is None
    assert whole_number(str(2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("²", 5), ("9" * 5000, 86_400), ("9" * 11, 86_400), ("7", 7), ("x", 5)],
)
def test_a_wait_of_centuries_is_a_day(asked, seconds):
    assert http.retry_after({"Retry-After": asked}, 5) == seconds


REFUSED = [
    "https://[::1/7.ogg", "https://evil.org/7.ogg", "https://freesound.org.evil.org/7.ogg",
    "http://169.254.169.254/latest", "https://10.0.0.1/7.ogg", "https://[fe80::1]/7.ogg",
    "file:///etc/passwd", "ftp://freesound.org/7.ogg", "http://freesound.org/7.ogg",
    "https://user@freesound.org/7.ogg", "https://evilfreesound.org/", "https://freesound.org:x/",
    "https://freesound.org/\x1b[2J", "7.ogg", "//freesound.org/7.ogg", "https://freeſound.org/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_other_addresses_are_refused(url):
    assert why_not(url, own_hosts(SETTINGS))
    values = record({**GOOD, "previews": {"preview-hq-ogg": url}}, "preview-hq-ogg")
    assert reason_against(values, SETTINGS)
    assert url in ("", values["preview"])


def test_freesound_and_own_mirrors_are_allowed():
    for url in ("https://freesound.org/7.ogg", "https://cdn.freesound.org/a/7.ogg"):
        assert why_not(url, own_hosts(SETTINGS)) is None
    own = own_hosts(SETTINGS | {"mirrors": ["Mirror.lan"], "url": "http://127.0.0.1:80"})
    assert why_not("http://mirror.lan/7.ogg", own) is None
    assert why_not("http://127.0.0.1:9/7.ogg", own) is None


def test_a_redirect_to_another_host_is_not_followed():
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/secret"})

    with preview_client(SETTINGS) as client:
        client._mounts, client._transport = {}, httpx.MockTransport(answer)
        with pytest.raises(PreviewError, match=r"not at Freesound but at 169\.254\.169\.254"):
            http.get(client, "https://freesound.org/7.ogg", lambda _: bytearray())
    assert asked == ["https://freesound.org/7.ogg"]


@pytest.mark.parametrize(
    ("encoding", "data", "error"),
    [
        ("gzip", gzip.compress(bytes(http.LARGEST + 1)), http.TooLargeError),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(10**6))), http.TransientError),
        ("br", b"x", http.TransientError),
        ("gzip", b"not compressed", http.TransientError),
        ("gzip", gzip.compress(b"fine"), None),
        ("deflate", zlib.compress(b"fine"), None),
        ("identity", b"fine", None),
    ],
    # gzip notes the time, so the bytes cannot be part of the tests' names.
    ids=["too large", "twice", "br", "damaged", "gzip", "deflate", "identity"],
)
def test_compressed_answers_are_counted_as_they_grow(encoding, data, error):
    headers = {"Content-Encoding": encoding}
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(data))
    )
    body = bytearray()
    with httpx.Client(transport=transport) as client:
        if error:
            with pytest.raises(error):
                http.get(client, "https://freesound.org/", lambda _: body)
            assert len(body) <= http.LARGEST + 1
        else:
            http.get(client, "https://freesound.org/", lambda _: body)
            assert body == b"fine"


@given(st.text())
def test_no_control_character_reaches_a_terminal(text):
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in plain(text))


def test_what_a_terminal_obeys_is_shown_as_codes():
    assert plain("a\x1b]0;x\x07\u202eb\n") == r"a\x1b]0;x\x07\u202eb\n"
    assert plain("naïve 日本 🐶") == "naïve 日本 🐶"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1"])
def test_no_cell_begins_as_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell(f"a{text}") == f"a{text}"
