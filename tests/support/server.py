"""A Freesound on 127.0.0.1 that behaves like the documented API, and misbehaves on demand.

Search (``/apiv2/search/`` and the older ``/apiv2/search/text/``) in the sounds of
`served_sounds`, and their previews with Range support. Faults are attributes of
`Faults`; `Log` counts what was asked.
"""

import json
import re
import socket
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from served_sounds import FilterError, Sounds, days

KEY = "loopback-key-0123456789abcdefghijklmnopqr"
MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 150, 15
DEFAULT_FIELDS = "id,name,tags,license,username"


@dataclass
class Faults:
    """What goes wrong. Each default is: nothing."""

    search_statuses: deque = field(default_factory=deque)  # answered first, one per search
    preview_statuses: dict = field(default_factory=dict)  # id -> deque of statuses
    cut_searches: int = 0  # answers cut in the middle
    garbled_searches: int = 0  # 200 with HTML
    badly_zipped: int = 0  # whole answers that say they are gzip and are not
    slow_searches: float = 0.0  # seconds before each answer
    slow_previews: float = 0.0
    deep_from: int | None = None  # results beyond this one fail with 500
    widest: float | None = None  # windows of more days than this fail with 500
    per_minute: int | None = None
    per_day: int | None = None
    window: float = 60.0  # seconds of the limit per minute
    nulls: set = field(default_factory=set)  # ids whose result is null
    count_factor: float = 1.0  # `count` is wrong by this factor
    truncate_every: int = 0  # each n-th preview answer stops half way
    silently_short: set = field(
        default_factory=set
    )  # ids whose first answer is short, yet "complete"
    redirect_to: str | None = None
    echo_key: bool = False  # error messages repeat the key that was sent
    retry_after: str | None = None  # header of a 429; Freesound sends none
    error_page: str | None = None  # errors have this text and no JSON
    pages: set = field(default_factory=set)  # ids whose preview is an HTML page
    on_search: object = None  # called with (server, number of the search) before each


@dataclass
class Log:
    """What was asked."""

    searches: int = 0
    keys: Counter = field(default_factory=Counter)  # Authorization headers
    previews: Counter = field(default_factory=Counter)  # id -> requests
    served: Counter = field(default_factory=Counter)  # id -> whole answers
    ranges: int = 0
    preview_headers: list = field(default_factory=list)  # Authorization header at the previews
    pages: Counter = field(default_factory=Counter)
    history: deque = field(default_factory=deque)  # moments of the searches that were let through
    throttled: int = 0  # searches that were over the limits
    at_once: int = 0
    most_at_once: int = 0


class Loopback:
    """The running server; use as a context manager."""

    def __init__(self, sounds: list[dict]):
        self.sounds, self.faults, self.log = Sounds(sounds), Faults(), Log()
        self.lock, self.clock = threading.RLock(), time.monotonic
        handler = type("Handler", (Handler,), {"loopback": self})
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.httpd.daemon_threads = True
        self.httpd.handle_error = lambda request, address: None  # clients are killed in tests
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def reset(self):
        """Forget what was asked and let nothing go wrong."""
        self.log, self.faults = Log(), Faults()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    loopback: Loopback
    timeout = 60

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path in ("/apiv2/search/", "/apiv2/search/text/"):
            self._search(parts)
        elif match := re.fullmatch(r"/previews/(\d+)-[hl]q\.(ogg|mp3)", parts.path):
            self._preview(int(match[1]))
        else:
            self._error(404, "Not found")

    # Search

    def _search(self, parts):
        server, faults, log = self.loopback, self.loopback.faults, self.loopback.log
        header = self.headers.get("Authorization", "")
        with server.lock:
            log.searches += 1
            log.keys[header] += 1
            number = log.searches
            if faults.on_search:
                faults.on_search(server, number)
            status = faults.search_statuses.popleft() if faults.search_statuses else None
            throttled = self._throttled()
            log.throttled += throttled is not None
        if faults.slow_searches:
            time.sleep(faults.slow_searches)
        echo = f" (you sent {header})" if faults.echo_key else ""
        if faults.redirect_to:
            self._send(302, b"", {"Location": faults.redirect_to + self.path})
        elif header != f"Token {KEY}":
            given = "Invalid token" if header else "Authentication credentials were not provided."
            self._error(401, given + echo)
        elif status or throttled:
            texts = {
                429: "Request was throttled because of exceeding a request limit rate (60/minute)",
                500: "Search is overloaded",
                503: "Service unavailable",
            }
            self._error(status or 429, throttled or texts.get(status, "error") + echo)
        else:
            self._answer({k: v[0] for k, v in parse_qs(parts.query, True).items()}, parts.path)

    def _throttled(self):
        """Sliding windows, as Freesound has them; a refused request does not count."""
        faults, now = self.loopback.faults, self.loopback.clock()
        history = self.loopback.log.history
        minute = sum(now - moment < faults.window for moment in history)
        text = "Request was throttled because of exceeding a request limit rate"
        if faults.per_minute and minute >= faults.per_minute:
            return f"{text} ({faults.per_minute}/minute)"
        if faults.per_day and len(history) >= faults.per_day:
            return f"{text} ({faults.per_day}/day)"
        history.append(now)
        return None

    def _answer(self, given, path):
        server, faults = self.loopback, self.loopback.faults
        page_size = min(int(given.get("page_size", DEFAULT_PAGE_SIZE)), MAX_PAGE_SIZE)
        page = int(given.get("page", 1))
        with server.lock:
            server.log.pages[page] += 1
            try:
                found, first, last = server.sounds.find(
                    given.get("query", ""), given.get("filter", ""), given.get("sort", "score")
                )
            except (FilterError, KeyError, ValueError) as error:
                return self._error(400, f"Search server error: {error}")
            count = int((last - first) * faults.count_factor)
            start = first + (page - 1) * page_size
            chosen = found[start : min(start + page_size, last)]
        if page < 1 or (page > 1 and start >= last):
            return self._error(404, "Not found")
        if faults.deep_from is not None and page * page_size > faults.deep_from:
            return self._error(500, "Search is overloaded")
        if faults.widest is not None and days(given.get("filter", "")) > faults.widest:
            return self._error(500, "Search is overloaded")
        fields = given.get("fields", DEFAULT_FIELDS).split(",")
        results = [
            None if sound["id"] in faults.nulls else self._result(sound, fields) for sound in chosen
        ]

        def link(number):
            return f"{server.url}{path}?&{urlencode({**given, 'page': number})}"

        answer = {
            "count": count,
            "previous": link(page - 1) if page > 1 else None,
            "next": link(page + 1) if page * page_size < count else None,
            "results": results,
        }
        body = json.dumps(answer).encode()
        with server.lock:
            cut = faults.cut_searches > 0
            faults.cut_searches -= cut
            garbled = not cut and faults.garbled_searches > 0
            faults.garbled_searches -= garbled
        if garbled:
            return self._send(200, b"<html>Freesound is down for maintenance</html>")
        return self._send(200, body, cut=len(body) // 2 if cut else None)

    def _result(self, sound, fields):
        base = f"{self.loopback.url}/previews/{sound['id']}"
        kinds = [("hq", "ogg"), ("hq", "mp3"), ("lq", "ogg"), ("lq", "mp3")]
        previews = {f"preview-{q}-{kind}": f"{base}-{q}.{kind}" for q, kind in kinds}
        whole = {**sound, "previews": previews}
        return {name: whole[name] for name in fields if name in whole}

    # Previews

    def _preview(self, identifier):
        server, faults, log = self.loopback, self.loopback.faults, self.loopback.log
        with server.lock:
            log.previews[identifier] += 1
            log.preview_headers.append(self.headers.get("Authorization"))
            number = sum(log.previews.values())
            statuses = faults.preview_statuses.get(identifier)
            status = statuses.popleft() if statuses else None
            log.at_once += 1
            log.most_at_once = max(log.most_at_once, log.at_once)
            short = identifier in faults.silently_short
            faults.silently_short.discard(identifier)
            sound = server.sounds.by_id.get(identifier)
        time.sleep(faults.slow_previews)
        try:
            if status or sound is None:
                return self._error(status or 404, "no such preview")
            body = Path(sound["path"]).read_bytes()
            if short:
                body = body[: len(body) // 2]
            cut = bool(faults.truncate_every and number % faults.truncate_every == 0)
            if identifier in faults.pages:
                return self._send(200, b"<html>Log in</html>", kind="text/html; charset=utf-8")
            self._send_range(identifier, body, cut)
        finally:
            with server.lock:
                log.at_once -= 1
        return None

    def _send_range(self, identifier, body, cut):
        log, first, status = self.loopback.log, 0, 200
        headers = {"Accept-Ranges": "bytes", "ETag": f'"{identifier}-{len(body)}"'}
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match and int(match[1]) < len(body):
            first, status = int(match[1]), 206
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        part = body[first:]
        with self.loopback.lock:
            log.ranges += status == 206
        self._send(status, part, headers, cut=max(1, len(part) // 2) if cut else None)
        if not cut:
            with self.loopback.lock:
                log.served[identifier] += 1

    # Sending

    def _error(self, status, detail):
        faults = self.loopback.faults
        retry = {"Retry-After": faults.retry_after} if status == 429 and faults.retry_after else {}
        if faults.error_page is not None:
            return self._send(status, faults.error_page.encode(), retry, kind="text/html")
        return self._send(status, json.dumps({"detail": detail}).encode(), retry)

    def _send(self, status, body, headers=None, cut=None, kind="application/json"):
        with self.loopback.lock:
            badly_zipped = status == 200 and self.loopback.faults.badly_zipped > 0
            self.loopback.faults.badly_zipped -= badly_zipped
        if badly_zipped:
            headers = {**(headers or {}), "Content-Encoding": "gzip"}
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True


def files_handler(directory: Path, asked: list):
    """A handler that serves files with Range support and notes (path, Range)."""

    class Files(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            path = urlsplit(self.path).path
            asked.append((path, self.headers.get("Range")))
            body = (directory / path.lstrip("/")).read_bytes()
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            first = int(match[1]) if match else 0
            self.send_response(206 if match else 200)
            if match:
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - first))
            self.end_headers()
            self.wfile.write(body[first:])

    return Files
