"""Tiny data sets in the layout and naming of the real archives, and a server for them.

Each class is a tone of its own, so a pipeline that works tells the classes apart.
"""

import csv
import http.server
import json
import re
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.tasks import esc, find_task, gtzan, nsynth, us8k

RATE = 22_050


def write_tone(path: Path, number: int, seed: int, seconds: float = 0.2) -> None:
    """A tone whose pitch tells the class, in a little noise that tells the clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(size=time.size)
    # The first ten of fifty pitches lie far apart, the next ten between them, and so on.
    pitch = 5 * (number % 10) + number // 10
    sound = 0.3 * np.sin(2 * np.pi * 150 * 1.075**pitch * time) + 0.01 * noise
    soundfile.write(path, sound, RATE, subtype="PCM_16")


def make_us8k(root: Path) -> Path:
    """One clip per class and fold: UrbanSound8K/{metadata,audio}."""
    top = root / "UrbanSound8K"
    rows = []
    for fold in range(1, 11):
        for number, label in enumerate(us8k.CLASSES):
            recording = 1000 * fold + number
            name = f"{recording}-{number}-0-{fold}.wav"
            write_tone(top / "audio" / f"fold{fold}" / name, number, recording)
            rows.append([name, recording, 0.0, 0.2, 1, fold, number, label])
    header = ["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]
    write_csv(top / "metadata" / "UrbanSound8K.csv", [header, *rows])
    return top


def make_esc(root: Path) -> Path:
    """One clip per class and fold: ESC-50-master/{meta,audio}; ten classes are ESC-10's."""
    top = root / "ESC-50-master"
    rows = []
    for fold in range(1, 6):
        for number in range(50):
            recording = 1000 * fold + number
            name = f"{fold}-{recording}-A-{number}.wav"
            write_tone(top / "audio" / name, number, recording)
            rows.append([name, fold, number, f"class_{number:02}", number < 10, recording, "A"])
    header = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    write_csv(top / "meta" / "esc50.csv", [header, *rows])
    return top


def make_gtzan(root: Path) -> Path:
    """Five excerpts of each of four genres: genres/GENRE/GENRE.00000.wav, and lists beside."""
    lists = {"train": [], "test": []}
    for number, genre in enumerate(("blues", "classical", "disco", "jazz")):
        for take in range(5):
            name = f"{genre}/{genre}.{take:05}.wav"
            write_tone(root / "genres" / name, number, 10 * number + take)
            lists["train" if take < 3 else "test"].append(name)
    (root / "lists").mkdir()
    for split, names in lists.items():
        (root / "lists" / f"{split}_filtered.txt").write_text("\n".join(names) + "\n")
    return root / "genres"


def make_nsynth(root: Path) -> Path:
    """Three families: nsynth-{train,test}/audio and examples.json, and the list beside."""
    families = {}
    examples = {"train": {}, "test": {}}
    for number, family in enumerate(("bass", "brass", "vocal")):
        for take in range(6):
            split = "train" if take < 4 else "test"
            note = f"{family}_acoustic_{take:03}-060-100"
            write_tone(root / f"nsynth-{split}" / "audio" / f"{note}.wav", number, take)
            examples[split][note] = {"instrument_family_str": family}
            if take < 3:
                families.setdefault(family, []).append(note)
    write_tone(root / "nsynth-train/audio/synth_lead_synthetic_001-060-100.wav", 9, 1)
    for split, notes in examples.items():
        (root / f"nsynth-{split}" / "examples.json").write_text(json.dumps(notes))
    (root / "list.json").write_text(json.dumps(families))
    return root


def write_csv(path: Path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def settings_of(task: str, **values) -> dict:
    """The section of a task, with defaults for what is not given."""
    section = config.resolve_sections({f"datasets.{task}": values}, [f"datasets.{task}"])
    return section[f"datasets.{task}"]


def read(task: str, root: Path | str, **values):
    """List a task's clips below `root`."""
    return find_task(task).read(Path(root), settings_of(task, **values))


def pack_tar(target: Path, source: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz") as tar:
        tar.add(source, source.name)
    return target


def pack_zip(target: Path, source: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(source.rglob("*")):
            archive.write(path, path.relative_to(source.parent))
    return target


@pytest.fixture
def tiny_counts(monkeypatch):
    """Make the published counts those of the tiny sets."""
    monkeypatch.setattr(us8k, "CLIPS_IN_FOLD", dict.fromkeys(range(1, 11), 10))
    monkeypatch.setattr(esc, "CLIPS_PER_CLASS", 5)
    monkeypatch.setattr(gtzan, "PUBLISHED", {"train": 12, "test": 8})
    monkeypatch.setattr(nsynth, "TRAIN_NOTES", 9)
    monkeypatch.setattr(nsynth, "TEST_NOTES", 6)


class FileServer:
    """Serves files over loopback with ranges.

    `cut_after` ends the next `cuts` answers after so many bytes; `requests` holds (path, Range
    header) of every request; `failures` are status codes that answer the next requests.
    """

    def __init__(self, directory: Path):
        self.directory = directory
        self.requests, self.failures = [], []
        self.cut_after, self.cuts, self.ranges = None, 1, True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request) -> None:
        wanted = request.headers.get("Range")
        self.requests.append((request.path, wanted))
        path = self.directory / request.path.lstrip("/")
        status = self.failures.pop(0) if self.failures else 200 if path.is_file() else 404
        if status != 200:
            request.send_response(status)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        data, start = path.read_bytes(), 0
        if wanted and self.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            request.send_response(206 if start < len(data) else 416)
            last = f"{start}-{len(data) - 1}" if start < len(data) else "*"
            request.send_header("Content-Range", f"bytes {last}/{len(data)}")
        else:
            request.send_response(200)
        body = data[start:]
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cut_after is not None and len(body) > self.cut_after:
            request.wfile.write(body[: self.cut_after])
            self.cuts -= 1
            self.cut_after = self.cut_after if self.cuts else None
            request.close_connection = True
        else:
            request.wfile.write(body)


@pytest.fixture
def server(tmp_path):
    """A loopback file server whose directory is ``tmp_path / "served"``."""
    directory = tmp_path / "served"
    directory.mkdir()
    server = FileServer(directory)
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def run():
    """Run a verb in this process; errors come through, output is returned."""

    def run_verb(*arguments, params=None):
        extra = ["--params", json.dumps(params)] if params is not None else []
        result = CliRunner().invoke(
            cli, [*map(str, arguments), *extra], catch_exceptions=False, standalone_mode=False
        )
        return result.output

    return run_verb
