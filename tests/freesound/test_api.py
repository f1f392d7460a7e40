"""Searching: limits, tries, refusals, and a key that never shows."""

import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from server import KEY, Loopback
from tagalign.download import http
from tagalign.errors import ConfigError
from tagalign.freesound.api import Api, FreesoundError, NotFoundError, OverloadedError
from tagalign.freesound.limits import DAY, MARGIN, MINUTE, Budget
from tagalign.sources.journal import open_journal


@contextlib.contextmanager
def api(server, source, **changes):
    settings = source(server, **changes)["source"]["freesound"]
    with open_journal(None) as journal:
        budget = Budget(journal, settings["requests_per_minute"], settings["requests_per_day"])
        with contextlib.closing(Api(settings, budget)) as opened:
            yield opened


def test_the_independent_client_searches_our_server(freesound, monkeypatch):
    """The server is not merely our own echo."""
    import freesound as client_module

    monkeypatch.setattr(client_module.URIS, "BASE", freesound.url + "/apiv2")
    client = client_module.FreesoundClient()
    client.set_token(KEY)
    pager = client.text_search(
        query="",
        filter='license:"Attribution" duration:[0 TO 10]',
        fields="id,name,previews",
        page_size=30,
    )
    found = []
    while True:
        found += [(sound.id, sound.name) for sound in pager]
        if pager.next is None:
            break
        pager = pager.next_page()
    wanted = [
        (sound["id"], sound["name"])
        for sound in freesound.sounds.by_id.values()
        if "/by/" in sound["license"] and sound["duration"] <= 10
    ]
    assert len(wanted) > 60
    assert sorted(found) == sorted(wanted)
    with pytest.raises(client_module.FreesoundException) as refused:
        client.set_token("wrong")
        client.text_search(query="dog")
    assert refused.value.code == 401


def test_the_server_keeps_to_the_documentation(freesound, source):
    with api(freesound, source) as opened:
        page = opened.search(query="", page_size=1000, fields="id")
        assert len(page["results"]) == 150
        assert page["next"].startswith(freesound.url)
        assert KEY not in page["next"]
        with pytest.raises(NotFoundError):
            opened.search(query="", page=99)
        only = opened.search(query="", filter="id:(2410 OR 4832)", fields="id")
        assert sorted(result["id"] for result in only["results"]) == [2410, 4832]


@pytest.mark.parametrize(
    "faults",
    [
        {"search_statuses": deque([500, 503, 502, 500])},
        {"cut_searches": 4},
        {"garbled_searches": 4},
        {"badly_zipped": 4},
        {"search_statuses": deque([429] * 12)},  # waiting is no failing
    ],
)
def test_failures_that_pass(freesound, source, faults):
    vars(freesound.faults).update(faults)
    with api(freesound, source, attempts=5) as opened:
        assert opened.search(query="")["count"] == len(freesound.sounds.by_id)


def test_giving_up_says_what_and_how_to_go_on(freesound, source):
    freesound.faults.search_statuses = deque([503] * 99)
    with api(freesound, source, attempts=3) as opened:
        with pytest.raises(FreesoundError, match="503 Service unavailable, after 3 attempts.*kept"):
            opened.search(query="")
        freesound.faults.search_statuses = deque([500] * 99)
        with pytest.raises(OverloadedError, match="Search is overloaded"):
            opened.search(query="")
        freesound.faults.search_statuses.clear()
        freesound.faults.badly_zipped = 99
        with pytest.raises(FreesoundError, match=r"unreadable answer \(not compressed.*kept"):
            opened.search(query="")
    assert freesound.log.searches == 9


def test_slow_answers_count_as_overload(freesound, source):
    freesound.faults.slow_searches = 1
    with (
        api(freesound, source, attempts=2, timeout=0.2) as opened,
        pytest.raises(OverloadedError, match="no answer within"),
    ):
        opened.search(query="")


def test_a_host_that_is_not_there(freesound, source):
    sections = source(freesound, attempts=2)
    sections["source"]["freesound"]["url"] = "http://127.0.0.1:9"
    with open_journal(None) as journal:
        opened = Api(sections["source"]["freesound"], Budget(journal, 99, 99))
        with pytest.raises(FreesoundError, match="broken connection"):
            opened.search(query="")


def test_waits_grow_and_vary():
    waits = []

    def fail():
        raise http.TransientError("no")

    tries = http.patiently(9, 2.0, "x")
    tries.sleep = waits.append
    with pytest.raises(http.TransientError):
        tries(fail)
    assert len(waits) == 8
    for step, wait in enumerate(waits):
        top = min(300, 2.0 * 2**step)
        assert top / 2 <= wait <= top
    tries.sleep = (again := []).append
    with pytest.raises(http.TransientError):
        tries(fail)
    assert again != waits


class Clock:
    def __init__(self):
        self.now, self.slept = 1e9, []

    def time(self):
        return self.now

    def sleep(self, seconds, reason):
        self.slept.append((seconds, reason))
        self.now += seconds


def test_no_window_ever_holds_more_requests_than_allowed():
    clock, times = Clock(), []
    with open_journal(None) as journal:
        budget = Budget(journal, 60, 2000, clock.time, clock.sleep)
        for _ in range(4500):
            budget.spend()
            times.append(clock.now)
            clock.now += 0.1
    for limit, span in ((60, MINUTE), (2000, DAY)):
        assert all(b - a >= span for a, b in zip(times, times[limit:], strict=False))
    # And no more than that is waited: 4,500 requests are two full days and 500 requests.
    assert times[-1] - times[0] < 2 * DAY * MARGIN + 600


def test_the_day_is_remembered_across_restarts(tmp_path):
    clock = Clock()
    for _ in range(3):  # three runs, each stopped after four requests
        with open_journal(tmp_path) as journal:
            budget = Budget(journal, 99, 10, clock.time, clock.sleep)
            for _ in range(4):
                budget.spend()
                clock.now += 1
    assert len(clock.slept) == 1
    seconds, reason = clock.slept[0]
    assert seconds == pytest.approx(DAY * MARGIN - 10)
    assert "10 requests per day" in reason


def test_a_clock_that_is_set_back_costs_one_window():
    clock = Clock()
    with open_journal(None) as journal:
        budget = Budget(journal, 60, 2000, clock.time, clock.sleep)
        clock.now += 3600  # wrong for an hour
        for _ in range(60):
            budget.spend()
        clock.now -= 3600
        start = clock.now
        for _ in range(60):
            budget.spend()
        assert clock.now - start < MINUTE * MARGIN + 1
        assert clock.slept


def test_our_limit_keeps_us_within_theirs(freesound, source, monkeypatch):
    freesound.faults.per_minute, freesound.faults.window = 10, 60.0
    clock = Clock()
    freesound.clock = clock.time
    # A refused search would wait as well, and then go through.
    monkeypatch.setattr(http, "pause", clock.sleep)
    settings = source(freesound, throttled_wait=60)["source"]["freesound"]
    with (
        open_journal(None) as journal,
        contextlib.closing(
            Api(settings, Budget(journal, 10, 99, clock.time, clock.sleep))
        ) as opened,
    ):
        for _ in range(25):
            opened.search(query="")
            clock.now += 1
    assert freesound.log.throttled == 0
    assert len(freesound.log.history) == freesound.log.searches == 25
    assert len(clock.slept) == 2


def test_retry_after_is_honoured(freesound, source, monkeypatch):
    waits = []
    monkeypatch.setattr(http, "pause", lambda seconds, reason: waits.append(seconds))
    freesound.faults.search_statuses = deque([429, 429])
    freesound.faults.retry_after = "7"
    with api(freesound, source, throttled_wait=60) as opened:
        opened.search(query="")
        freesound.faults.search_statuses = deque([429])
        freesound.faults.retry_after = None
        opened.search(query="")
    assert waits == [7, 7, 60]


def test_a_first_page_that_is_not_found_is_a_failure_that_may_pass(freesound, source):
    """A gateway says 404 while the service is away: no window is empty because of that."""
    freesound.faults.search_statuses = deque([404, 404])
    with api(freesound, source) as opened:
        assert opened.search(query="")["results"]
    freesound.faults.search_statuses = deque([404] * 99)
    with (
        api(freesound, source, attempts=3) as opened,
        pytest.raises(FreesoundError, match=r"404 .*source\.freesound\.url right.*kept"),
    ):
        opened.search(query="")


@pytest.mark.parametrize("value", ["", "   ", "zwölf", "two words", "line\nbreak"])
def test_no_key_or_an_odd_one(freesound, source, monkeypatch, value):
    monkeypatch.setenv("FREESOUND_API_KEY", value)
    with api(freesound, source) as opened, pytest.raises(FreesoundError) as error:
        opened.search(query="")
    assert "FREESOUND_API_KEY" in str(error.value)
    assert not value.strip() or value not in str(error.value)
    assert freesound.log.searches == 0


def test_a_refused_key_is_not_repeated(freesound, source, monkeypatch):
    secret = "another-key-0123456789"
    monkeypatch.setenv("FREESOUND_API_KEY", secret)
    freesound.faults.echo_key = True
    with api(freesound, source) as opened, pytest.raises(FreesoundError, match="401") as error:
        opened.search(query="")
    assert secret not in str(error.value)
    assert "***" in str(error.value)


@pytest.mark.parametrize("before", [150, 180, 195, 199])
def test_no_part_of_the_key_is_told_where_a_long_answer_is_cut(freesound, source, before):
    freesound.faults.search_statuses = deque([403])
    freesound.faults.error_page = "x" * before + f" Authorization: Token {KEY}"
    with api(freesound, source) as opened, pytest.raises(FreesoundError, match="403") as error:
        opened.search(query="")
    assert KEY[:4] not in str(error.value)


def test_the_key_goes_to_no_other_host(corpus, freesound, source):
    with Loopback([]) as other:
        freesound.faults.redirect_to = other.url
        with api(freesound, source) as opened, pytest.raises(FreesoundError, match="302"):
            opened.search(query="")
        assert other.log.searches == 0
    sections = source(freesound)
    for url in ("http://freesound.org", "ftp://127.0.0.1", "freesound.org"):
        sections["source"]["freesound"]["url"] = url
        with open_journal(None) as journal, pytest.raises(ConfigError, match="https"):
            Api(sections["source"]["freesound"], Budget(journal, 1, 1))


@pytest.mark.slow
def test_the_key_shows_nowhere(tmp_path, freesound, params):
    """Grep all that runs write and show while everything goes wrong: files, output, processes."""
    freesound.faults.echo_key = True
    freesound.faults.slow_searches = 0.5
    freesound.faults.search_statuses = deque([500, 503, 429, 500])
    seen = []

    def run(*arguments, **changes):
        command = [sys.executable, "-X", "dev", "-m", "tagalign", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path,
            env={**os.environ, "FREESOUND_API_KEY": KEY, **changes},
        ) as process:  # fmt: skip
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    seen.append(Path(f"/proc/{process.pid}/cmdline").read_bytes())
                time.sleep(0.05)
            seen.append(process.stdout.read())
        return process.returncode, seen[-1].decode()

    catalogue = ["catalogue", "--params", params(freesound), "--journal", "journal"]
    status, output = run(*catalogue, "-o", "catalogue.h5")
    assert status == 0, output
    audio = ["audio", "catalogue.h5", "--shard", "0", "--params", params(freesound)]
    status, output = run(*audio, "--journal", "journal", "-o", "audio.h5")
    assert status == 0, output
    # Runs that end badly: overloaded for good, refused, thrown away by an odd answer.
    freesound.faults.slow_searches = 0
    freesound.faults.search_statuses = deque([500] * 99)
    broken = params(freesound, attempts=2, query="dog")
    again = ["catalogue", "--params", broken, "--journal", "other", "-o", "other.h5"]
    status, output = run(*again)
    assert status == 1
    assert "Search is overloaded" in output
    freesound.faults.search_statuses = deque([403])
    status, output = run(*again)
    assert status == 1
    assert "you sent Token ***" in output

    assert freesound.log.keys[f"Token {KEY}"] > 8
    assert set(freesound.log.preview_headers) == {None}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"catalogue.h5", "audio.h5", "journal.sqlite"} <= {path.name for path in written}
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path
    for text in seen:
        assert KEY.encode() not in text


def test_no_message_holds_the_request(freesound, source):
    """The HTTP library's own exceptions carry the request's headers; ours must end their chain."""
    freesound.faults.cut_searches = 99
    with api(freesound, source, attempts=2) as opened, pytest.raises(FreesoundError) as error:
        opened.search(query="")
    import traceback

    assert KEY not in "".join(traceback.format_exception(error.value))
    assert (
        "httpx" not in "".join(traceback.format_exception(error.value)).split("FreesoundError:")[1]
    )
    assert "\n" not in str(error.value)
