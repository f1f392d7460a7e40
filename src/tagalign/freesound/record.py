"""What we keep of a sound that Freesound describes."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tagalign.freesound.answer import LARGEST_NUMBER, own_hosts, why_not

# Names of licences in filters -> what tells them in the URL of an answer.
LICENSES = {
    "Creative Commons 0": "/publicdomain/zero/",
    "Attribution": "/licenses/by/",
    "Attribution NonCommercial": "/licenses/by-nc/",
    "Sampling+": "/licenses/sampling+/",
}
COLUMNS = {
    "name": str,
    "username": str,
    "license": str,
    "url": str,
    "preview": str,
    "md5": str,
    "type": str,
    "created": str,
    "duration": float,
    "samplerate": int,
    "channels": int,
}
FIELDS = "id,name,tags,license,username,created,duration,type,samplerate,channels,md5,previews"


def created_at(result: Mapping) -> int | None:
    """When the sound was created, in milliseconds since 1970 (UTC), if it says so."""
    try:
        moment = datetime.fromisoformat(result["created"])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def solr_time(moment: int) -> str:
    """Milliseconds since 1970 as a time in the syntax of filters."""
    text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def record(result: Mapping, preview: str) -> dict:
    """The columns of the catalogue for one result of a search, and its tags.

    Missing values become "", 0 or NaN: a sound is not lost because a field is.
    """
    previews = result.get("previews")
    url = previews.get(preview) if isinstance(previews, Mapping) else None
    given = {**result, "preview": url, "url": f"https://freesound.org/s/{result['id']}/"}
    values = {}
    for name, kind in COLUMNS.items():
        value = given.get(name)
        values[name] = _text(value) if kind is str else _number(value, kind)
    tags = result.get("tags")
    values["tags"] = [_text(tag) for tag in tags] if isinstance(tags, list) else []
    return values


def reason_against(values: Mapping, settings: Mapping) -> str | None:
    """Why a sound with these columns cannot be used, or None.

    Parameters
    ----------
    settings
        The section ``source.freesound``.
    """
    licenses, preview = settings["licenses"], settings["preview"]
    if licenses and not any(LICENSES[name] in values["license"] for name in licenses):
        return f"licence {values['license'] or 'unknown'} (source.freesound.licenses)"
    if not values["preview"]:
        return f"has no {preview}"
    return why_not(values["preview"], own_hosts(settings))


def search_filter(settings: Mapping, start: int, stop: int) -> str:
    """Solr filter for the sounds created from `start` to `stop` (ms since 1970), both included.

    A sound at the end is found by the next window as well: that costs nothing, while a bound
    a millisecond earlier would lose sounds whose time the service keeps more precisely.

    Parameters
    ----------
    settings
        The section ``source.freesound``: its keys ``filter`` and ``licenses``.
    """
    parts = [settings["filter"].strip()] if settings["filter"].strip() else []
    if settings["licenses"]:
        # The documentation writes it both ways, and the search is sensitive to case.
        names = [*settings["licenses"]]
        names += [name.replace("NonC", "Nonc") for name in names if "NonC" in name]
        parts.append("license:(" + " OR ".join(f'"{name}"' for name in names) + ")")
    parts.append(f"created:[{solr_time(start)} TO {solr_time(stop)}]")
    return " ".join(parts)


def _text(value: object) -> str:
    if not isinstance(value, str | int | float):
        return ""
    # HDF5 ends a text at a zero byte, and JSON can hold halves of surrogate pairs.
    return str(value).encode("utf-8", "replace").decode().replace("\0", "")


def _number(value, kind: type):
    try:
        number = float(value)
        if kind is float:
            return number
        return round(number) if 0 <= number <= LARGEST_NUMBER else 0
    except (TypeError, ValueError, OverflowError):
        return float("nan") if kind is float else 0
