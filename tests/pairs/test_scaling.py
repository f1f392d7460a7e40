"""Min-max scaling against scikit-learn."""

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler

import stage_files
from tagalign.pairs.file import TrainingFile
from tagalign.pairs.scaling import Range, Scaling


@pytest.fixture
def training():
    return np.random.default_rng(0).normal(-8, 3, (20, 8, 12)).astype(np.float32)


@pytest.mark.parametrize("axis", ["band", "column"])
def test_against_scikit_learn(training, axis):
    """scikit-learn scales columns: frames as they are, bands after a transposition."""
    seen = Range(axis)
    for start in range(0, 20, 6):
        seen.update(training[start : start + 6])
    unseen = np.random.default_rng(1).normal(-8, 6, (5, 8, 12)).astype(np.float32)
    theirs = MinMaxScaler()
    turn = (lambda x: x) if axis == "column" else (lambda x: x.transpose(0, 2, 1))
    theirs.fit(np.concatenate(turn(training)))
    expected = np.stack([turn(theirs.transform(patch)[None])[0] for patch in turn(unseen)])
    np.testing.assert_allclose(seen.scaling("none").apply(unseen), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("clip", "embedding", "validation"),
    [("both", (0, 1), (0, 1)), ("low", (-1, 2), (0, 2)), ("none", (-1, 2), (-1, 2))],
)
def test_clip(clip, embedding, validation):
    scaling = Scaling(np.zeros(2, np.float32), np.ones(2, np.float32), "band", clip)
    values = np.array([[[-1.0], [2.0]]], np.float32)  # (patch, band, column)
    assert scaling.apply(values).ravel().tolist() == list(embedding)
    assert scaling.apply(values, validation=True).ravel().tolist() == list(validation)


def test_constant_band_gives_zero():
    """Bands above the content of all sounds are constant; nothing is divided by zero."""
    patches = np.full((3, 2, 4), -15.9, np.float32)
    patches[:, 0] = np.arange(12).reshape(3, 4)
    seen = Range("band")
    seen.update(patches)
    scaled = seen.scaling("both").apply(patches)
    assert scaled[:, 1].tolist() == np.zeros((3, 4)).tolist()
    assert (scaled[:, 0].min(), scaled[:, 0].max()) == (0, 1)


def test_written_and_read(tmp_path, training):
    seen = Range("column")
    seen.update(training)
    scaling = seen.scaling("low")
    path = stage_files.write_training_file(tmp_path / "pairs.h5", ["a"], scaling=scaling)
    found = TrainingFile.read(path).scaling
    assert (found.axis, found.clip) == ("column", "low")
    np.testing.assert_array_equal(found.minimum, training.min(axis=(0, 1)))
    np.testing.assert_array_equal(found.maximum, training.max(axis=(0, 1)))
