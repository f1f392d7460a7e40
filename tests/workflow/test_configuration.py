"""How the workflow takes its configuration, and what it says of a wrong one."""

import pytest
import yaml

pytestmark = pytest.mark.slow


def told(done) -> str:
    """The last words of a run that was refused: one line, no traceback."""
    assert done.returncode != 0
    text = done.stderr.strip()
    assert "Traceback" not in text + done.stdout
    lines = [line for line in text.splitlines() if not line.startswith("Using workflow specific")]
    assert len(lines) == 1, text
    return lines[0]


def test_a_file_on_the_command_line_replaces_the_default(fresh):
    """Mixed with it, the default's wrong key would be found here too."""
    default = fresh.root / "config" / "config.yaml"
    default.write_text(default.read_text() + "\nnonsense: 1\n")
    assert "train" in fresh.rules("--until", "train")
    line = told(fresh.call("snakemake", "-n", "--cores", "1", check=False))
    assert "config/config.yaml" in line
    assert "'nonsense'" in line


def test_what_a_short_file_leaves_out_has_the_default_of_the_schema(fresh):
    short = dict(fresh.config)
    del short["seeds"]
    (fresh.root / "short.yaml").write_text(yaml.safe_dump(short))
    jobs = fresh.dry("--until", "train", config="short.yaml")
    seeds = sorted(job.wildcards["seed"] for job in jobs if job.rule == "train")
    assert seeds == ["0", "0", "1", "1", "2", "2"]


def test_single_keys_on_the_command_line(fresh):
    """Snakemake reads numbers inside brackets and braces as text; the schema wants numbers."""
    values = ["seeds=[5]", "train={epochs: 77}", 'source={freesound: {query: ", |"}}']
    done = fresh.snakemake("--until", "train", "--dry-run", "--config", *values)
    assert done.stdout.count("--seed 5 ") == 2
    assert '"epochs": 77' in done.stdout
    assert '"batch_size": 8' in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train": {"epoks": 3}}, ["tiny.yaml", "'train.epoks'", "'epochs'"]),
        ({"run": ".."}, ["tiny.yaml", "run = ", "beginning with a letter"]),
        ({"train": {"epochs": "many"}}, ["train.epochs", '"many"', "integer"]),
        ({"systems": ["w2v-128-5h"]}, ["'w2v-128-5h'", "w2v-128-"]),
        ({"source": {"folder": {"csv": "nowhere.csv"}}}, ["nowhere.csv"]),
        ({"tasks": ["esc11"]}, ["esc11", "esc10"]),
    ],
)
def test_a_mistake_is_one_line(fresh, change, words):
    fresh.configure(**change)
    line = told(fresh.snakemake("--dry-run", check=False))
    for word in words:
        assert word in line
