"""One HTTP request, and how often and how patiently it is tried again.

Which failures pass is decided here once, for the API and for the preview host: a broken or
slow connection, an answer cut short or not compressed as it says, 429 and every 5xx.
"""

import random
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping

import httpx
import tenacity
from tqdm import tqdm

from tagalign import __version__
from tagalign.errors import plain

LONGEST_WAIT = 300.0  # seconds between two tries
LONGEST_ASKED = 86_400.0  # seconds that we wait because a server asks for it
LARGEST = 64 * 2**20  # bytes; a preview of ten seconds has some 250 kB
DEADLINE = 10  # a whole answer may take this many times the time-out of a single read
HEARTBEAT = 600.0  # seconds between lines while waiting


class TransientError(Exception):
    """A failure that may pass.

    Parameters
    ----------
    reason
        What happened; holds neither headers nor the key.
    overloaded
        The server did not manage this very request (500, 504, or it took too long), so that a
        smaller one may succeed.
    """

    def __init__(self, reason: str, overloaded: bool = False):
        super().__init__(reason)
        self.overloaded = overloaded


class TooLargeError(Exception):
    """An answer is larger than anything that we asked for."""


def client(timeout: float, connections: int = 1, follow_redirects: bool = False) -> httpx.Client:
    """An HTTP client without credentials; `timeout` in seconds holds for each read."""
    return httpx.Client(
        timeout=timeout,
        follow_redirects=follow_redirects,
        limits=httpx.Limits(max_connections=connections),
        headers={"User-Agent": f"tagalign/{__version__}", "Accept-Encoding": "gzip, deflate"},
    )


def get(
    client: httpx.Client, url: str, choose: Callable[[httpx.Response], bytearray], **options
) -> httpx.Response:
    """Send a GET request and collect the answer's bytes as they come.

    Parameters
    ----------
    choose
        Gives the buffer for an answer of this status and these headers. After an error the
        buffer keeps what had arrived, so that a download can go on from there.

    Returns
    -------
    httpx.Response
        Status and headers of the answer.

    Raises
    ------
    TransientError
        No connection, no answer in time, an answer cut short, or one that cannot be read.
    TooLargeError
        The answer has more than 64 MiB.
    """
    limit = DEADLINE * (client.timeout.read or LONGEST_WAIT)
    start = time.monotonic()
    try:
        with client.stream("GET", url, **options) as response:
            body = choose(response)
            decompress = _decompressor(response.headers.get("Content-Encoding", ""))
            for block in response.iter_raw():
                body += decompress(block, LARGEST + 1 - len(body))
                if len(body) > LARGEST:
                    raise TooLargeError(f"more than {LARGEST} bytes")
                if time.monotonic() - start > limit:
                    raise TransientError(
                        f"the answer took more than {limit:.0f} s", overloaded=True
                    )
            return response
    # The library's exceptions hold the request and its headers, hence the key: they end here.
    except (httpx.ReadTimeout, httpx.PoolTimeout):
        raise TransientError(
            f"no answer within {client.timeout.read:.0f} s", overloaded=True
        ) from None
    except httpx.TransportError as error:
        raise TransientError(f"broken connection ({type(error).__name__})") from None
    except zlib.error:
        raise TransientError("unreadable answer (not compressed as it says)") from None
    # Redirects without end or to no address.
    except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
        raise TransientError(f"unreadable answer ({type(error).__name__})") from None


def _decompressor(encoding: str) -> Callable[[bytes, int], bytes]:
    """Gives at most so many bytes of what a block holds; of one layer, since two hide a bomb."""
    if encoding.strip().lower() in ("", "identity"):
        return lambda block, limit: block
    if encoding.strip().lower() not in ("gzip", "deflate"):
        raise TransientError(f"an answer compressed as {encoding[:40]!r}")
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its header says
    return stream.decompress


def patiently(
    attempts: int, first_wait: float, what: str, cancelled: threading.Event | None = None
) -> tenacity.Retrying:
    """Try again after each `TransientError`, with growing, jittered waits; then raise the last one.

    Parameters
    ----------
    attempts
        Tries in all.
    first_wait
        Seconds before the second try; doubles each time up to five minutes.
    what
        Names the request in the line that announces a wait.
    cancelled
        When it is set, waits end and nothing is tried again.
    """
    cancelled = cancelled or threading.Event()

    def wait(state: tenacity.RetryCallState) -> float:
        grown = min(LONGEST_WAIT, first_wait * 2 ** (state.attempt_number - 1))
        return grown * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads the waits

    def announce(state: tenacity.RetryCallState) -> None:
        if state.attempt_number > 1:  # a single hiccup is not worth a line
            reason, seconds = state.outcome.exception(), state.next_action.sleep
            say(f"{what}: {reason}; trying again in {seconds:.0f} s")

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_when_event_set(cancelled),
        sleep=tenacity.sleep_using_event(cancelled),
        wait=wait,
        before_sleep=announce,
        reraise=True,
    )


def retry_after(headers: Mapping[str, str], default: float) -> float:
    """Seconds to wait after a 429: what the server asks for up to a day, or `default`."""
    value = headers.get("Retry-After", "").strip()
    if not (value.isascii() and value.isdigit()):
        return default
    return min(float(value[:9]), LONGEST_ASKED)


def say(line: str) -> None:
    """Print a line to standard error without breaking a progress bar."""
    tqdm.write(f"tagalign: {plain(line)}", file=sys.stderr)
    sys.stderr.flush()


def pause(seconds: float, reason: str) -> None:
    """Sleep, saying why and how long, and again every ten minutes."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if seconds >= 5:
            say(f"{reason}; going on in {_duration(left)}")
        time.sleep(min(left, HEARTBEAT))


def _duration(seconds: float) -> str:
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60:.0f} s"
