"""Adding a part as the page "Extending" says works, and takes at most three files."""

import csv
import json
import re
from dataclasses import dataclass, field

import pytest

from tiny_project import ROOT, fresh  # noqa: F401

PAGE = (ROOT / "src" / "tagalign" / "README.md").read_text()
SCHEMAS = "config/schemas"


@dataclass
class Addition:
    """Files of the package to write, and texts to put before what is there."""

    new: dict[str, str] = field(default_factory=dict)
    before: dict[str, dict[str, str]] = field(default_factory=dict)

    def files(self) -> list[str]:
        return [*self.new, *self.before]

    def apply(self, package) -> None:
        for name, text in self.new.items():
            assert not (package / name).exists()
            (package / name).write_text(text)
        for name, changes in self.before.items():
            text = (package / name).read_text()
            for place, added in changes.items():
                assert text.count(place) == 1, f"{name} has {place!r} {text.count(place)} times"
                text = text.replace(place, added + place)
            (package / name).write_text(text)


def system(row: str) -> dict[str, str]:
    return {'        System("untrained"),\n': f"        {row},\n"}


TASK = Addition(
    new={
        "tasks/barks.py": """
from pathlib import Path
from tagalign.sources.table import read_table
from tagalign.tasks.protocol import Clip, Listing, Task

def read(root, settings):
    rows = [row for row in read_table(settings["csv"]).rows if row["fold"]]
    clips = [
        Clip(row["freesound_id"], row["file"], (row["label"],), int(row["fold"]))
        for row in rows
    ]
    classes = sorted({row["label"] for row in rows})
    return Listing(Path(settings["csv"]).parent / "audio", clips, classes, [5])

TASKS = (Task("barks", "Barks and crows", read, "barks"),)
"""
    },
    before={
        "tasks/__init__.py": {'    "esc10": "esc",\n': '    "barks": "barks",\n'},
        f"{SCHEMAS}/datasets.schema.yaml": {
            "  nsynth:\n": """\
  barks:
    type: object
    description: Barks and crows.
    additionalProperties: false
    properties:
      csv:
        x-place: true
        type: [string, "null"]
        default: null
        description: CSV of the clips.
"""
        },
    },
)

SOURCE = Addition(
    new={
        "sources/crate.py": """
from pathlib import Path
from tagalign import store
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.table import read_table

def _rows(source):
    rows = read_table(source["crate"]["csv"]).rows
    return [row for row in rows if row["fold"] != "5"]

def list_files(source):
    return [row["file"] for row in _rows(source)]

def count_rows(source):
    return len(_rows(source))

def write_catalogue(source, output, journal=None, refresh=False):
    audio = Path(source["crate"]["audio"])
    rows = [
        {"id": f"crate-{number}", "shard": number // source["shard_size"]}
        | {"tags": row["tags"].split(), "file": row["file"], "name": row["file"]}
        | {"sha256": store.digest(audio / row["file"]), "username": "", "license": "", "url": ""}
        for number, row in enumerate(_rows(source))
    ]
    names = ["file", "sha256", "name", "username", "license", "url"]
    Catalogue.write_rows(output, rows, names=names, failed=[], config={"source": source})
"""
    },
    before={
        "sources/__init__.py": {'    "coala": Source(': '    "crate": Source("crate", "files"),\n'},
        f"{SCHEMAS}/source.schema.yaml": {
            "freesound, folder, coala]": "crate, ",
            "  freesound:\n    type": """\
  crate:
    type: object
    additionalProperties: false
    description: Records in a crate.
    properties:
      csv:
        x-place: true
        type: [string, "null"]
        default: null
        description: CSV of the sounds.
      audio:
        x-place: true
        type: [string, "null"]
        default: null
        description: Directory of the sounds.
""",
        },
    },
)

TAG_ENCODER = Addition(
    before={
        "model/tags.py": {
            "TAG_ENCODERS: dict[": '''\
class DeepSetsTagEncoder(WordTagEncoder):
    """A network over each word vector, the sum, and a map: phi_w (n, F_w)."""

    def __init__(self, settings, vectors, width):
        super().__init__(vectors, width)
        self.each = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.all = nn.Linear(width, width)

    def encode_words(self, words, present):
        return self.all((self.each(self.entry(words)) * present[..., None]).sum(1))


''',
            '    "multi_hot": lambda': """\
    "deep_sets": lambda settings, system, vectors, vocabulary_size, size: DeepSetsTagEncoder(
        settings, vectors, system.width
    ),
""",
        },
        "model/systems.py": system('System("deep-sets", "deep_sets", 128, None, True, _W2V)'),
    }
)

AUDIO_ENCODER = Addition(
    before={
        "model/audio.py": {
            "AUDIO_ENCODERS: dict[": '''\
class ResidualEncoder(AudioEncoder):
    """The encoder with a shortcut around a convolution before z_a."""

    def __init__(self, settings, n_mels, n_frames, layer_norm):
        super().__init__(settings, n_mels, n_frames, layer_norm)
        self.more = nn.Conv2d(settings["channels"], settings["channels"], 3, padding=1)

    def forward(self, patches):
        hidden = patches
        for block in self.blocks:
            hidden = block(hidden)
        return self.layer_norm((hidden + self.more(hidden)).flatten(1))


''',
            '"cnn": AudioEncoder}': '"residual": ResidualEncoder, ',
        },
        "model/systems.py": system(
            'System("residual", "mean", 128, None, True, _W2V, audio_encoder="residual")'
        ),
    }
)

LOSS = Addition(
    before={
        "model/losses.py": {
            "LOSSES: dict[": '''\
def _agreement(outputs, settings):
    """One minus the cosine of a sound with its own tags."""
    return 1 - F.cosine_similarity(outputs["phi_a"].float(), outputs["phi_w"].float()).mean()


''',
            '    "reconstruction": _reconstruction': '    "agreement": _agreement,\n',
        },
        "model/systems.py": {
            '    "reconstruction": {': '    "agreement": {"projection", "tag_encoder"},\n',
            **system('System("agreeing", "mean", 128, None, True, (*_W2V, "agreement"))'),
        },
        f"{SCHEMAS}/train.schema.yaml": {
            "  contrastive_weight:\n": """\
  agreement_weight:
    type: number
    minimum: 0
    default: 1
    description: Weight of the agreement.
"""
        },
    }
)

METRIC = Addition(
    before={
        "evaluate/metrics.py": {
            "METRICS: dict[": '''\
def balanced_accuracy(labels, class_scores):
    """Mean over the classes of the share of their clips that are classified rightly."""
    right = right_clips(labels, class_scores)
    return float(np.mean([right[of].mean() for of in labels.T if of.any()]))


''',
            '        Metric("roc_auc"': """\
        Metric("balanced_accuracy", "Balanced", balanced_accuracy, multi_label=False),
""",
        }
    }
)

OPTIMIZER = Addition(
    before={
        "train/optimizers.py": {
            "OPTIMIZERS = {": '''\
def adamw(parameters, settings):
    """Adam with decoupled weight decay."""
    return torch.optim.AdamW(parameters, lr=settings["learning_rate"], fused=True)


def cosine_with_warm_up(share, settings):
    """Rise over the first tenth of the steps, then fall as a cosine to 0."""
    if share < 0.1:
        return 10 * share
    return 0.5 + 0.5 * math.cos(math.pi * (share - 0.1) / 0.9)


''',
            '"sgd": Recipe(sgd)': '"adamw": Recipe(adamw, cosine_with_warm_up), ',
            "from collections.abc": "import math\n",
        },
        f"{SCHEMAS}/train.schema.yaml": {"sgd, adam]": "adamw, "},
    }
)

ADDITIONS = {
    "A task": TASK,
    "A source": SOURCE,
    "A tag encoder": TAG_ENCODER,
    "An audio encoder": AUDIO_ENCODER,
    "A loss": LOSS,
    "A metric": METRIC,
    "An optimizer and its schedule": OPTIMIZER,
}


def section(title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)[1]


@pytest.mark.parametrize("title", ADDITIONS)
def test_the_page_names_the_files_to_change_and_there_are_at_most_three(title):
    named = re.findall(r"^\d\. `(.*?)`", section(title), re.M)
    changed = ADDITIONS[title].files()
    assert len(changed) <= 3
    made = [re.sub(r"\w+\.py", "NAME.py", file) for file in ADDITIONS[title].new]
    assert sorted(named) == sorted([*made, *ADDITIONS[title].before])


@pytest.mark.parametrize("title", re.findall(r"^## (.*)$", PAGE, re.M))
def test_the_files_that_the_page_names_exist(title):
    for name in re.findall(r"^\d\. `(.*?)`", section(title), re.M):
        if "NAME" not in name:
            assert (ROOT / "src" / "tagalign" / name).is_file()


@pytest.mark.slow
def test_the_workflow_runs_with_one_of_each(fresh):  # noqa: F811
    for addition in ADDITIONS.values():
        addition.apply(fresh.root / "src" / "tagalign")
    fresh.configure(
        systems=["mfcc", "deep-sets", "residual", "agreeing"],
        tasks=["barks"],
        source={"kind": "crate", "crate": {"csv": "corpus/sounds.csv", "audio": "corpus/audio"}},
        train={"optimizer": "adamw"},
        datasets={"barks": {"csv": "corpus/sounds.csv"}},
    )
    fresh.snakemake()
    results = fresh.root / "results" / "tiny"
    with open(results / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["system"] for row in rows} == set(fresh.config["systems"])
    assert {row["task"] for row in rows} == {"barks"}
    assert "balanced_accuracy" in (results / "scores.csv").read_text()
    history = (results / "training" / "agreeing" / "0" / "history.jsonl").read_text()
    assert all(0 < json.loads(line)["agreement"] < 2 for line in history.splitlines())
    inspected = fresh.call("tagalign", "inspect", "results/tiny/models/deep-sets/0.h5").stdout
    assert "deep" in inspected
    assert not fresh.dry()
