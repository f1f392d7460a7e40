"""The catalogue of the loopback Freesound: real and synthesised sounds, and the filter language."""

import bisect
import csv
import functools
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

LICENSES = {
    "Creative Commons 0": "http://creativecommons.org/publicdomain/zero/1.0/",
    "Attribution": "https://creativecommons.org/licenses/by/4.0/",
    "Attribution NonCommercial": "https://creativecommons.org/licenses/by-nc/4.0/",
    "Sampling+": "http://creativecommons.org/licenses/sampling+/1.0/",
}
FIRST_DAY = datetime(2005, 4, 1, tzinfo=UTC)
LAST_DAY = datetime(2019, 5, 8, tzinfo=UTC)


class Sounds:
    """The catalogue of the server: sounds sorted by `created`, with a small filter language."""

    def __init__(self, sounds: list[dict]):
        self.by_id = {sound["id"]: sound for sound in sounds}
        self._lists = {}

    def add(self, sound: dict) -> None:
        self.by_id[sound["id"]] = sound
        self._lists.clear()

    def remove(self, identifier: int) -> None:
        del self.by_id[identifier]
        self._lists.clear()

    def move(self, identifier: int, created: str) -> None:
        self.add({**self.by_id[identifier], "created": created})

    def find(self, query: str, filters: str, sort: str):
        """Matching sounds, as (list, first, last)."""
        span, rest = _take_created(filters)
        key = (query, rest)
        if key not in self._lists:
            tests = _tests(rest)
            found = [
                s for s in self.by_id.values() if _matches(s, query) and all(t(s) for t in tests)
            ]
            found.sort(key=lambda sound: (sound["created"], sound["id"]))
            self._lists[key] = found, [sound["created"] for sound in found]
        found, moments = self._lists[key]
        low, high = span
        first = bisect.bisect_left(moments, low) if low else 0
        last = bisect.bisect_right(moments, high) if high else len(found)
        if sort in ("created_asc",):
            return found, first, max(first, last)
        if sort == "created_desc":
            part = found[first:last][::-1]
        else:  # by score: no order that a client could rely on
            part = sorted(found[first:last], key=lambda sound: hash(str(sound["id"])[::-1]))
        return part, 0, len(part)


class FilterError(Exception):
    pass


def _take_created(filters: str):
    match = re.search(r"created:\[(\S+) TO (\S+)\]", filters)
    if not match:
        return (None, None), filters
    low, high = (None if end == "*" else _moment(end) for end in match.groups())
    return (low, high), filters[: match.start()] + filters[match.end() :]


def _moment(text: str) -> str:
    """A Solr date as `created` has it, for comparison as text."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
        raise FilterError(f"Invalid Date String:'{text}'")
    whole, _, fraction = text[:-1].partition(".")
    return f"{whole}.{fraction:0<6}" if fraction else f"{whole}.000000"


def _tests(filters: str):
    pattern = r'(\w+):(\[[^\]]+\]|\([^)]*\)|"[^"]*"|\S+)'
    if re.sub(pattern, "", filters).strip():
        raise FilterError(f"org.apache.solr.search.SyntaxError: Cannot parse '{filters}'")
    return [_test(*pair) for pair in re.findall(pattern, filters)]


def _test(name: str, value: str):
    if value.startswith("["):
        low, _, high = value[1:-1].partition(" TO ")
        low = float("-inf") if low == "*" else float(low)
        high = float("inf") if high == "*" else float(high)
        return lambda sound: low <= sound[name] <= high
    texts = [value.strip('"')]
    if value.startswith("("):
        texts = [text.strip(' "') for text in value[1:-1].split(" OR ")]
    if name == "license":
        urls = {LICENSES[text] for text in texts if text in LICENSES}
        return lambda sound: sound["license"] in urls
    if name == "tag":
        return lambda sound: any(text in sound["tags"] for text in texts)
    return lambda sound: str(sound[name]) in texts


def _matches(sound: dict, query: str) -> bool:
    text = f"{sound['name']} {' '.join(sound['tags'] or [])}".lower()
    return all(word in text for word in query.lower().replace('"', "").split())


@functools.cache
def _corpus_sounds(corpus: Path) -> list[dict]:
    import soundfile

    generator = random.Random(0)
    with open(corpus / "sounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {"CC0 1.0": "Creative Commons 0", "CC BY 3.0": "Attribution"}
    sounds = []
    for row in rows:
        info = soundfile.info(corpus / "audio" / row["file"])
        license_name = next(
            (v for k, v in names.items() if row["license"].startswith(k)), "Attribution"
        )
        sounds.append(
            _sound(
                int(row["freesound_id"]),
                _day(generator.random()),
                row["name"],
                row["tags"].split(),
                row["username"],
                LICENSES[license_name],
                corpus / "audio" / row["file"],
                info.duration,
                info.samplerate,
                info.channels,
            )
        )
    return sounds


def corpus_sounds(corpus: Path) -> list[dict]:
    """The bundled corpus as Freesound would list it."""
    return [dict(sound) for sound in _corpus_sounds(corpus)]


def synthetic_sounds(corpus: Path, count: int, seed: int = 0) -> list[dict]:
    """`count` entries: growing upload rates, bulk uploads within a second, real tags and sounds."""
    generator = random.Random(seed)
    real = corpus_sounds(corpus)
    words = sorted({tag for sound in real for tag in sound["tags"]})
    moments = []
    while len(moments) < count:
        moment = _day(generator.random() ** 0.5)
        bulk = generator.choice([1] * 30 + [40, 200]) if generator.random() < 0.02 else 1
        moments += [moment[:20] + f"{generator.randrange(10**6):06d}" for _ in range(bulk)]
    sounds = []
    names = list(LICENSES.values())
    for index, moment in enumerate(sorted(moments[:count])):
        model = real[index % len(real)]
        tags = generator.sample(words, generator.randint(1, 8))
        user, terms = f"user{index % 977}", names[index % 7 % 4]
        sound = _sound(
            1_000_000 + 3 * index, moment, f"sound {index}.wav", tags, user, terms, model["path"],
            model["duration"], model["samplerate"], model["channels"],
        )  # fmt: skip
        sounds.append(sound)
    return sounds


def _day(position: float) -> str:
    span = (LAST_DAY - FIRST_DAY).total_seconds()
    moment = FIRST_DAY.timestamp() + position * (span - 1)
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _sound(identifier, created, name, tags, user, terms, path, duration, samplerate, channels):
    return {
        "id": identifier,
        "created": created,
        "name": name,
        "tags": tags,
        "username": user,
        "license": terms,
        "duration": duration,
        "samplerate": float(samplerate),
        "channels": channels,
        "type": "wav",
        "md5": f"{identifier:032x}",
        "url": f"https://freesound.org/people/{quote(user)}/sounds/{identifier}/",
        "path": path,
    }


def days(filters):
    (low, high), _ = _take_created(filters)
    low = datetime.fromisoformat(low) if low else FIRST_DAY.replace(tzinfo=None)
    high = datetime.fromisoformat(high) if high else LAST_DAY.replace(tzinfo=None)
    return (high - low).total_seconds() / 86_400
