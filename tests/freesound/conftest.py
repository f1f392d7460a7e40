"""A loopback Freesound, and the configuration that points to it."""

import json

import pytest

from served_sounds import corpus_sounds, synthetic_sounds
from server import KEY, Loopback
from tagalign.config import load as config


@pytest.fixture
def key(monkeypatch):
    """The key that the server accepts, in the environment."""
    monkeypatch.setenv("FREESOUND_API_KEY", KEY)
    return KEY


@pytest.fixture
def freesound(corpus, key):
    """A server with the bundled corpus."""
    with Loopback(corpus_sounds(corpus)) as server:
        yield server


@pytest.fixture
def synthesise(corpus, key):
    """Start a server with so many synthetic sounds."""
    servers = []

    def start(count):
        servers.append(Loopback(synthetic_sounds(corpus, count)).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def source():
    """Make the resolved section `source` for a server; limits and waits fit for tests."""

    def make(server, **changes):
        section = {
            "kind": "freesound",
            "shard_size": 100,
            "exclude_target_tasks": False,
            "freesound": {
                "url": server.url,
                "requests_per_minute": 10**6,
                "requests_per_day": 10**6,
                "timeout": 5,
                "first_wait": 0.01,
                "throttled_wait": 0.05,
            },
        }
        for name in [name for name in changes if name in ("shard_size", "exclude", "licenses")]:
            if name != "licenses":
                section[name] = changes.pop(name)
        if "exclude_target_tasks" in changes:
            section["exclude_target_tasks"] = changes.pop("exclude_target_tasks")
        section["freesound"] |= changes
        return config.resolve_sections({"source": section}, ["source"])

    return make


@pytest.fixture
def params(source):
    """The same as text for ``--params``."""
    return lambda server, **changes: json.dumps(source(server, **changes))
