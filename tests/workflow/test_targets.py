"""One stage with --until, -R and --omit-from, as dry runs show them."""

import re

import pytest

pytestmark = pytest.mark.slow

TAGS = {"catalogue", "tags"}
WORDS = TAGS | {"word2vec"}
PAIRS = TAGS | {"pairs"}
TRAIN = WORDS | {"pairs", "train"}
TASK = {"dataset", "task"}
EMBED = TRAIN | TASK | {"embed_task"}
EVALUATE = EMBED | {"leaks", "evaluate"}
AFTER_TRAIN = {"train", "figures", "retrieve", "embed_task", "evaluate", "zeroshot", "report"}
WHOLE = EVALUATE | {"figures", "report", "configuration"}


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (["catalogue"], {"catalogue"}),
        (["train"], TRAIN),
        (["embed_task"], EMBED),
        (["word2vec", "task"], WORDS | TASK),
        (["report"], EVALUATE | {"report"}),
        ([], WHOLE),
    ],
)
def test_until_a_stage_brings_it_up_to_date(fresh, stages, expected):
    assert fresh.rules(*(["--until", *stages] if stages else [])) == expected


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("pairs", {"coala"}), ("train", {"coala", "word2vec", "train"})],
)
def test_the_published_files_take_the_place_of_the_first_stages(fresh, stage, expected):
    fresh.configure(source={"kind": "coala"})
    assert fresh.rules("--until", "coala" if stage == "pairs" else stage) == expected


def test_what_the_published_files_do_not_read_reruns_nothing(fresh):
    fresh.configure(source={"kind": "coala"})
    params = re.findall(
        r"^Shell command: (.*)$", fresh.snakemake("--until", "coala", "-n").stdout, re.M
    )
    fresh.configure(source={"shard_size": 7}, pairs={"validation_share": 0.2})
    again = re.findall(
        r"^Shell command: (.*)$", fresh.snakemake("--until", "coala", "-n").stdout, re.M
    )
    assert params == again
    assert len(params) == 1


@pytest.mark.parametrize(
    ("systems", "tasks", "figures"),
    [
        (["mfcc", "untrained"], ["esc10"], {"accuracy", "confusion-esc10"}),
        (["mfcc", "cnn"], ["esc10", "us8k-tag"], {"accuracy", "training", "confusion-esc10"}),
    ],
)
def test_only_figures_of_which_there_is_something_to_draw(fresh, systems, tasks, figures):
    fresh.configure(systems=systems, tasks=tasks)
    text = fresh.snakemake("-n").stdout
    assert set(re.findall(r"results/tiny/figures/([\w-]+)\.png", text)) == figures


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--until", "train", "-R", "train"], {"train"}),
        (["-R", "train"], AFTER_TRAIN),
        (["-R", "tags", "--until", "pairs"], {"tags", "pairs"}),
        (["-R", "tags", "--omit-from", "train"], {"tags", "word2vec", "pairs", "leaks"}),
    ],
)
def test_forcing_and_stopping_at_a_stage(project, arguments, expected):
    assert project.rules(*arguments) == expected


def test_one_file_as_target(fresh):
    assert fresh.rules("results/tiny/word2vec/128.h5") == WORDS
