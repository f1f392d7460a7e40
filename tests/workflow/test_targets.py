"""Stages as targets, and -R, --until and --omit-from, as dry runs show them."""

import pytest

pytestmark = pytest.mark.slow

TAGS = {"catalogue", "tags"}
WORDS = TAGS | {"word2vec"}
PAIRS = TAGS | {"pairs"}
TRAIN = WORDS | {"pairs", "train"}
TASK = {"dataset", "task"}
EMBED = TRAIN | TASK | {"embed"}
EVALUATE = EMBED | {"leaks", "evaluate"}
AFTER_TRAIN = {"train", "embed", "evaluate", "report"}


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["catalogue"], {"catalogue"}),
        (["patches"], {"catalogue"}),  # the shards are known once the catalogue is there
        (["tags"], TAGS),
        (["word2vec"], WORDS),
        (["pairs"], PAIRS),
        (["train"], TRAIN),
        (["task"], TASK),
        (["embed"], EMBED),
        (["evaluate"], EVALUATE),
        (["report"], EVALUATE | {"report", "configuration"}),
        (["word2vec", "task"], WORDS | TASK),
        ([], EVALUATE | {"report", "configuration"}),
    ],
)
def test_a_stage_as_target_brings_it_up_to_date(fresh, targets, expected):
    assert fresh.rules(*targets) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "-R", "train"], {"train"}),
        (["-R", "train"], AFTER_TRAIN),
        (["-R", "tags", "--until", "pairs"], {"tags", "pairs"}),
        (["-R", "tags", "--omit-from", "train"], {"tags", "word2vec", "pairs", "leaks"}),
        (["-R", "patches", "--until", "patches"], {"patches"}),
        (["-R", "report"], {"report"}),
        (["train"], set()),
    ],
)
def test_forcing_and_stopping_at_a_stage(project, arguments, expected):
    assert project.rules(*arguments) == expected


def test_one_file_as_target(fresh):
    assert fresh.rules("results/tiny/word2vec/128.h5") == WORDS
