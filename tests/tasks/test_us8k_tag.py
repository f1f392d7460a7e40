"""UrbanSound8K from tags, and the published number for the released tag encoder."""

import json
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner

from tagalign import store
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.embedding.clips import embed_tagged_clips
from tagalign.embedding.stage_files import ClipEmbeddings
from tagalign.errors import InputError
from tagalign.evaluate import stage as evaluate
from tagalign.release.build import read_release
from tagalign.tasks import us8k_tag
from tagalign.tasks.stage_files import TaskClips


@pytest.fixture(scope="module")
def settings(shared):
    metadata = str(shared / "data" / "UrbanSound8K.csv")
    section = {"datasets.us8k-tag": {"metadata": metadata}}
    return config.resolve_sections(section, section)["datasets.us8k-tag"]


@pytest.fixture(scope="module")
def task(settings, tmp_path_factory):
    """Task file of the whole set, made by the verb."""
    path = tmp_path_factory.mktemp("task") / "us8k-tag.h5"
    params = json.dumps({"datasets.us8k-tag": settings})
    result = CliRunner().invoke(cli, ["task", "--task", "us8k-tag", "--params", params, "-o", path])
    assert result.exit_code == 0, result.output
    return path


def embed(task, model, path):
    """Embeddings file of a model for the task; returns its path and the failures."""
    clips = TaskClips.read(task)
    rows, vectors, failures = embed_tagged_clips(clips, model)
    ids = [clips.clip_id[row] for row in rows]
    found = ClipEmbeddings(task=clips.task, clip_id=ids, embedding=vectors, failed=failures)
    found.write(path, inputs={"task": task})
    return path, failures


def test_all_clips_are_listed_with_the_tags_of_their_recording(task, shared):
    raw = json.loads((shared / "reference" / "us8k_tags_raw.json").read_text())
    with store.read(task, stage="task") as file:
        clip_ids = store.read_strings(file["clip_id"])
        recordings = store.read_strings(file["freesound_id"])
        tags = store.read_ragged(file["tags"])
        failures = store.read_failures(file)
        folds = file["fold"][()]
        assert file.attrs["tested_folds"].tolist() == list(range(1, 11))
        assert "patches" not in file
    assert len(clip_ids) == 8732
    assert Counter(folds.tolist())[7] == 838
    assert all(list(t) == raw.get(r, []) for t, r in zip(tags, recordings, strict=True))
    assert len(failures) == 190  # 189 of 15 unknown recordings, one whose user gave no tag
    assert {reason for _, reason in failures} == {"no tags"}


def test_the_number_of_clips_that_the_release_could_score(task, shared, tmp_path):
    model = read_release(shared / "reference").model
    path, failures = embed(task, model, tmp_path / "embeddings.h5")
    found, clips = ClipEmbeddings.read(path), TaskClips.read(task)
    assert found.embedding.shape == (8251, 128)
    assert len(failures) == 291  # and 190 without tags: 8,732 in all
    # Clips of one recording have one embedding.
    recording_of = dict(zip(clips.clip_id, clips.freesound_id, strict=True))
    recordings = np.array([recording_of[clip] for clip in found.clip_id])
    most, count = Counter(recordings.tolist()).most_common(1)[0]
    same = found.embedding[recordings == most]
    assert len(same) == count > 10
    assert (same == same[0]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "must map Freesound ids to lists of tags"),
        ('{"1": "dog bark"}', "the tags of 1 must be a list of strings"),
        ('{"1": ["dog"', "is not valid JSON"),
        (None, "cannot read datasets.us8k-tag.tags"),
    ],
)
def test_bad_tag_files(tmp_path, settings, text, message):
    path = tmp_path / "tags.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        us8k_tag.read(tmp_path, settings | {"tags": str(path)})


def test_own_tags_and_folds(tmp_path, settings):
    path = tmp_path / "tags.json"
    path.write_text('{"100032": ["Dog", "bark"]}')
    listing = us8k_tag.read(tmp_path, settings | {"tags": str(path), "folds": [5, 2]})
    assert listing.tested_folds == [2, 5]
    assert len(listing.clips) == 888 + 936
    tagged = [clip for clip in listing.clips if clip.tags]
    assert {clip.freesound_id for clip in tagged} == {"100032"}
    assert tagged[0].tags == ("Dog", "bark")


@pytest.mark.slow
def test_the_published_number(task, shared, tmp_path):
    """The released 128-d one-head encoder, reference preset: 79.2 in the paper, within 1.0.

    Three repetitions; ten of scikit-learn's, in a quarter of an hour, gave 79.4 with a standard
    deviation of 0.7 between repetitions, where the authors' ten have 79.2 and 0.7.
    """
    model = read_release(shared / "reference").model
    path, _ = embed(task, model, tmp_path / "embeddings.h5")
    section = {"evaluate": {"repetitions": 3, "engine": "torch"}}
    sections = config.resolve_sections(section, section)
    options = {"system": "w2v-128-1h", "pretraining_seed": 0, "jobs": 2}
    scores = evaluate.run(task, path, sections, tmp_path / "scores.h5", **options)
    assert len(scores.clip_id) == 8251
    assert (scores.missing, scores.unscored, scores.unscored_are) == (190, 291, "drop")
    assert abs(100 * scores.values[0].mean() - 79.2) < 1
