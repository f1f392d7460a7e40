"""Declared files: written and read by one class, refused where they differ from it."""

import dataclasses

import numpy as np
import pytest

import stage_files
from tagalign import store
from tagalign.errors import InputError
from tagalign.store.fields import StageFile, attribute, failures, field, part


@dataclasses.dataclass
class Half:
    """A part, of which a file has several."""

    id: list[str] = field("text", "N", "names")
    values: np.ndarray = field("float16", "N K", "numbers")
    kind: str = attribute("text", "a word", default="plain")


@dataclasses.dataclass(kw_only=True)
class Example(StageFile, stage=("tags", "coala"), place="example.h5"):
    """A field of each kind."""

    count: int = attribute("int64", "a number")
    folds: np.ndarray = attribute("int64", "numbers", "F")
    made: dict = attribute("JSON", "settings")
    id: list[str] = field("text", "N", "names")
    words: list[list[str]] = field("text", "N *", "words of each")
    numbers: list[np.ndarray] = field("int32", "N *", "numbers of each")
    blocks: list[np.ndarray] = field("float32", "N * 2", "pairs of numbers of each")
    square: np.ndarray = field("float32", "N 2 K", "numbers", name="deep/square", unit="s")
    extra: np.ndarray | None = field("float64", "K", "may be absent", optional=True)
    texts: dict = field("text", "N", "more columns", kind="group", optional=True)
    weights: dict = field("any", "", "named arrays", kind="group")
    left: Half = part(Half)
    right: Half | None = part(Half, optional=True)
    failed: list[tuple[str, str]] = failures("what was left out")


def example(**changes):
    values = {
        "config": {"a": 1},
        "count": 3,
        "folds": np.array([1, 10]),
        "made": {"b": [1, 2]},
        "id": ["x", "ÿ"],
        "words": [["a", "日本"], []],
        "numbers": [[1], [2, 3]],
        "blocks": [np.ones((3, 2)), np.zeros((0, 2))],
        "square": np.arange(12).reshape(2, 2, 3),
        "texts": {"mood": ["loud", ""]},
        "weights": {"w": np.eye(2, dtype=np.float16), "n": np.int64(7), "deep": {"w": np.ones(2)}},
        "left": Half(["p", "q", "r"], np.ones((3, 3), np.float16), "odd"),
        "failed": [("z", "silent")],
    }
    return Example(**values | changes)


def test_round_trip(tmp_path):
    example().write(tmp_path / "a.h5")
    found = Example.read(tmp_path / "a.h5")
    assert (found.config, found.count, found.made) == ({"a": 1}, 3, {"b": [1, 2]})
    assert found.folds.tolist() == [1, 10]
    assert (found.id, found.words) == (["x", "ÿ"], [["a", "日本"], []])
    assert [row.tolist() for row in found.numbers] == [[1], [2, 3]]
    assert [block.shape for block in found.blocks] == [(3, 2), (0, 2)]
    assert found.square.dtype == np.float32
    assert found.square.shape == (2, 2, 3)
    assert found.extra is None
    assert found.texts == {"mood": ["loud", ""]}
    assert found.weights["w"].dtype == np.float16
    assert found.weights["n"] == 7
    assert found.weights["deep"]["w"].tolist() == [1, 1]
    assert found.failed == [("z", "silent")]
    assert (found.left.id, found.left.kind) == (["p", "q", "r"], "odd")
    assert found.left.values.dtype == np.float16
    assert found.right is None
    assert Example.read_fields(tmp_path / "a.h5", "left.id", "right.id") == [["p", "q", "r"], None]
    assert Example.read_fields(tmp_path / "a.h5", "id", "count") == [["x", "ÿ"], 3]


def test_a_part_that_may_be_absent(tmp_path):
    example(right=Half(["s"], np.ones((1, 3), np.float16))).write(tmp_path / "a.h5")
    found = Example.read(tmp_path / "a.h5").right
    assert (found.id, found.kind) == (["s"], "plain")
    with stage_files.edited(tmp_path / "a.h5") as file:
        del file["right/values"]
    with pytest.raises(InputError, match="has no data set 'right/values'"):
        Example.read(tmp_path / "a.h5")


def test_it_takes_the_first_stage_unless_told(tmp_path):
    example().write(tmp_path / "a.h5")
    example().write(tmp_path / "b.h5", stage="coala", seed=4)
    with store.read(tmp_path / "a.h5", stage="tags"):
        pass
    with store.read(tmp_path / "b.h5", stage="coala") as file:
        assert file.attrs["seed"] == 4
    assert Example.read(tmp_path / "b.h5").count == 3


def _replace(file, name, value):
    del file[name]
    file[name] = value


DAMAGE = {
    "has no data set 'id'": lambda file: file.pop("id"),
    "has no attribute 'made'": lambda file: file.attrs.pop("made"),
    "has no group 'weights'": lambda file: file.pop("weights"),
    "has no attribute 'left/kind'": lambda file: file["left"].attrs.pop("kind"),
    r"has 'left/values' of shape \(2, 3\), not \(N_left = 3, K = 3\)": lambda file: _replace(
        file, "left/values", np.ones((2, 3), np.float16)
    ),
    "has no failures 'failed'": lambda file: file.pop("failed"),
    "has no lists of ids and reasons": lambda file: file["failed"].pop("reason"),
    "has float64 in 'count', not int64": lambda file: file.attrs.create("count", 1.5),
    "has no text in attribute 'made'": lambda file: file.attrs.create("made", 1),
    "has float64 in 'deep/square', not float32": lambda file: _replace(
        file, "deep/square", np.ones((2, 2, 3))
    ),
    r"has 'deep/square' of shape \(2, 3\), not \(N = 2, 2, K\)": lambda file: _replace(
        file, "deep/square", np.ones((2, 3), np.float32)
    ),
    r"has 'deep/square' of shape \(2, 9, 3\)": lambda file: _replace(
        file, "deep/square", np.ones((2, 9, 3), np.float32)
    ),
    r"has 'extra' of shape \(4,\), not \(K = 3\)": lambda file: file.create_dataset(
        "extra", data=np.ones(4)
    ),
    "has int64 in 'id', not text": lambda file: _replace(file, "id", np.arange(2)),
    "has a group where the data set 'id'": lambda file: (file.pop("id"), file.create_group("id")),
    "has no rows of unequal length in 'words'": lambda file: _replace(file, "words", np.ones(2)),
    r"has 'numbers' of shape \(3, ": lambda file: _replace(file, "numbers/offsets", [0, 0, 1, 3]),
    "has no offsets of rows in 'numbers'": lambda file: _replace(file, "numbers/offsets", 0.5),
    r"has 'texts/mood' of shape \(3,\)": lambda file: (
        file["texts"].pop("mood"),
        store.write_strings(file["texts"], "mood", ["a", "b", "c"]),
    ),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_a_file_of_another_layout_is_refused(tmp_path, message):
    example().write(tmp_path / "a.h5")
    with stage_files.edited(tmp_path / "a.h5") as file:
        DAMAGE[message](file)
    with pytest.raises(InputError, match=message) as caught:
        Example.read(tmp_path / "a.h5")
    assert str(caught.value).startswith(f"{tmp_path / 'a.h5'} has ")
    assert str(caught.value).endswith("; make it again with `tagalign tags`")


def test_a_file_of_another_stage_is_refused(tmp_path):
    with store.create(tmp_path / "a.h5", stage="pairs", config={}):
        pass
    with pytest.raises(InputError, match="'pairs', but a file of stage 'tags' or 'coala' is"):
        Example.read(tmp_path / "a.h5")


def test_what_is_not_declared_so_is_not_written(tmp_path):
    with pytest.raises(InputError, match=r"has 'deep/square' of shape"):
        example(square=np.ones((3, 2, 3))).write(tmp_path / "a.h5")
    with (
        pytest.raises(InputError, match="has no attribute 'count'"),
        Example.create(tmp_path / "a.h5", config={}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
