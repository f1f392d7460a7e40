"""One run says all that does not fit, before anything is computed."""

import pytest

from tagalign.config import load as config
from tagalign.errors import ConfigError
from tagalign.planning.misfits import check


@pytest.fixture
def settings(corpus, tmp_path, monkeypatch):
    """A configuration for the bundled corpus that fits, with changes."""
    monkeypatch.chdir(tmp_path)
    folder = {"csv": str(corpus / "sounds.csv"), "audio": str(corpus / "audio")}
    given = {
        "run": "x",
        "systems": ["mfcc", "w2v-128-4h"],
        "tasks": [],
        "source": {"kind": "folder", "folder": folder | {"id_column": "freesound_id"}},
    }
    return lambda **changes: config.resolve(config.merge(given, changes))


def test_what_fits_is_not_spoken_of(settings):
    check(settings(), "my.yaml")


def test_all_is_said_at_once(settings, corpus):
    birds = {"csv": str(corpus / "sounds.csv"), "audio": str(corpus / "audio")}
    given = settings(
        systems=["w2v-128-5h", "cnm"],
        tasks=["birds", "gtzan"],
        datasets={"birds": birds | {"fold_column": "folds"}, "gtzan": {"path": "nowhere"}},
        tags={"exact_vocabulary": True},
        train={"exact_batch": True, "batch_size": 400},
    )
    with pytest.raises(ConfigError) as caught:
        check(given, "my.yaml")
    first, *others = str(caught.value).splitlines()
    assert first == "my.yaml: 6 things to correct:"
    words = ["'w2v-128-5h'", "'cnm'", "'folds'", "nowhere", "vocabulary_size is 1000", "batch_size"]
    for line, word in zip(others, words, strict=True):
        assert word in line


def test_a_folder_is_left_to_its_stages_once_the_catalogue_is_made(settings, tmp_path):
    given = settings(train={"exact_batch": True, "batch_size": 400})
    with pytest.raises(ConfigError, match="batch_size"):
        check(given, "my.yaml")
    (tmp_path / "data" / "x").mkdir(parents=True)
    (tmp_path / "data" / "x" / "catalogue.h5").touch()
    check(given, "my.yaml")
