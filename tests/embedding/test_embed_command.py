"""`tagalign embed`: folders and lists, three formats, timestamps, kills and what is no file."""

import csv
import json
import os
import signal as signals
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import tagalign
from tagalign import store
from tagalign.audio.clips import cut_patches
from tagalign.audio.decode import decode
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.embedding.journal import Journal
from tagalign.embedding.pooling import patch_weights
from tagalign.errors import InputError
from tagalign.model.file import load_model

SECTIONS = config.resolve_sections({}, ["clips"])
IDS = [
    "101676_A.ogg",
    "13116_elec_bell.ogg",
    "below/110389_A.ogg",
    "below/195341_ambi_drone.ogg",
    "stereo.wav",
]


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def mean_of(model, patches, weighting):
    """The embedding of a clip, done again."""
    weights = patch_weights(patches, model.front_end, weighting)
    vectors = model.embed_patches(patches).astype(np.float64)
    return np.average(vectors, axis=0, weights=weights).astype(np.float32)


def test_embed_gives_the_mean_over_the_patches(model_path, sounds, tmp_path):
    output = tmp_path / "out.h5"
    result = run("embed", model_path, sounds, "-o", output, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert "embed: text.wav: not a readable sound" in result.output
    assert "embeddings (z_a) of 5 sounds" in result.output
    assert not (tmp_path / "out.h5.journal").exists()
    found, model = tagalign.read_embeddings(output), load_model(model_path)
    assert found.ids == IDS
    assert [identifier for identifier, _ in found.failed] == ["text.wav"]
    assert found.vectors.dtype == np.float32
    assert found.vectors.space == "embedding"
    for name, embedding in zip(IDS, found.vectors, strict=True):
        signal = decode(sounds / name, 22050)
        patches = cut_patches(signal, model.front_end, SECTIONS["clips"])
        np.testing.assert_array_equal(embedding, mean_of(model, patches, "sound"))


@pytest.mark.parametrize("options", [[], ["--aligned"], ["--timestamps"]], ids=" ".join)
def test_every_format_holds_the_same(model_path, sounds, tmp_path, options):
    paths = [tmp_path / f"out{suffix}" for suffix in (".h5", ".npz", ".csv")]
    for path in paths:
        result = run("embed", model_path, sounds, "-o", path, *options)
        assert result.exit_code == 0, result.output
    first, second = (tagalign.read_embeddings(path) for path in paths[:2])
    space = "aligned_embedding" if "--aligned" in options else "embedding"
    assert first.vectors.space == second.vectors.space == space
    assert first.vectors.model == second.vectors.model == store.digest(model_path)
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert (first.ids, first.failed) == (second.ids, second.failed)
    header, *rows = csv.reader(paths[2].open())
    assert header[-1] == f"{space}_{first.vectors.shape[1] - 1}"
    values = np.array([row[len(row) - first.vectors.shape[1] :] for row in rows], np.float32)
    np.testing.assert_array_equal(values, first.vectors)
    assert "text.wav" in (tmp_path / "out.failed.csv").read_text()
    if "--timestamps" in options:
        assert first.rows.tolist() == sorted(first.rows)
        assert [first.ids[row] for row in first.rows] == [row[0] for row in rows]
        np.testing.assert_array_equal(first.times, second.times)
        assert [float(row[1]) for row in rows] == first.times.tolist()


def test_timestamps_give_each_patch_and_where_it_begins(model_path, sounds, tmp_path):
    for name, options in (("each.h5", ["--timestamps"]), ("mean.h5", [])):
        run("embed", model_path, sounds, "-o", tmp_path / name, *options)
    each, mean = (tagalign.read_embeddings(tmp_path / name) for name in ("each.h5", "mean.h5"))
    for row, vector in enumerate(mean.vectors):
        patches = np.asarray(each.vectors[each.rows == row])
        if len(patches) == 1:
            np.testing.assert_array_equal(patches[0], vector)
        else:
            # Between those of its patches, as their weights are not negative.
            assert (vector >= patches.min(axis=0) - 1e-6).all()
            assert (vector <= patches.max(axis=0) + 1e-6).all()
        times = np.arange(len(patches)) * 96 * 512 / 22050
        np.testing.assert_allclose(each.times[each.rows == row], times)


def test_aligned_embeddings_are_what_tags_are_compared_with(model_path, sounds, tmp_path):
    run("embed", model_path, sounds, "-o", tmp_path / "a.h5", "--aligned")
    model = tagalign.load(model_path)
    found = tagalign.read_embeddings(tmp_path / "a.h5")
    expected = model.similarity([sounds / name for name in IDS], ["dog", "rain"])
    np.testing.assert_array_equal(model.similarity(found.vectors, ["dog", "rain"]), expected)


@pytest.mark.parametrize(("preset", "count"), [("config", 2), ("reference", 4)])
def test_without_frames_a_sound_is_padded_as_in_training(
    model_path, sounds, tmp_path, request, preset, count
):
    """A clip of 4 s is cut as the preset of its model cuts the clips of a task."""
    sections = config.load(request.config.rootpath / "config" / f"{preset}.yaml")
    model = load_model(model_path)
    model.front_end = sections["patches"]
    path = tmp_path / "model.h5"
    model.save(path, stage="train", config={}, inputs={})
    signal, rate = soundfile.read(sounds / "101676_A.ogg")
    clip, output = tmp_path / "clip.wav", tmp_path / "out.h5"
    soundfile.write(clip, signal[: 4 * rate], rate)
    front_end, given = sections["patches"], sections["clips"]
    decoded = decode(clip, front_end["sample_rate"], front_end["resampler"])
    patches = cut_patches(decoded, front_end, given)
    assert len(patches) == count
    expected = mean_of(load_model(path), patches, given["patch_weights"])
    for options in ([], ["--params", json.dumps({"clips": given})]):
        result = run("embed", path, clip, "-o", output, "--jobs", 1, *options)
        assert result.exit_code == 0, result.output
        with store.read(output) as file:
            np.testing.assert_array_equal(file["embedding"][0], expected)
            versions = store.attributes(file)["versions"]
        used = {"config": "soxr", "reference": "resampy"}[preset]
        assert {"soxr", "resampy"} & set(versions) == {used}


def test_frames_that_are_given_count(model_path, sounds, tmp_path):
    vectors = []
    for number, tail in enumerate(("pad", "drop")):
        output = tmp_path / f"{number}.h5"
        params = json.dumps({"clips": {"tail": tail}})
        run("embed", model_path, sounds / "101676_A.ogg", "-o", output, "--params", params)
        with h5py.File(output) as file:
            vectors.append(file["embedding"][0])
    assert not np.array_equal(*vectors)


@pytest.mark.parametrize("suffix", [".h5", ".npz", ".csv"])
def test_two_runs_give_the_same_bytes(model_path, sounds, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("tagalign.embedding.folder.WORTH_A_PROCESS", 2)
    for name, jobs in (("a", 1), ("b", 2)):
        run("embed", model_path, sounds, "-o", tmp_path / f"{name}{suffix}", "--jobs", jobs)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_list_or_a_csv_names_the_sounds(model_path, sounds, tmp_path):
    (sounds / "list.csv").write_text("id,file,note\n7,stereo.wav,x\n8,below/110389_A.ogg,y\n")
    (tmp_path / "list.txt").write_text("stereo.wav\n\nbelow/110389_A.ogg\n")
    of_csv, of_text = tmp_path / "csv.h5", tmp_path / "text.h5"
    assert run("embed", model_path, sounds / "list.csv", "-o", of_csv).exit_code == 0
    options = ["--audio", sounds, "-o", of_text]
    assert run("embed", model_path, tmp_path / "list.txt", *options).exit_code == 0
    by_id, by_file = tagalign.read_embeddings(of_csv), tagalign.read_embeddings(of_text)
    assert by_id.ids == ["7", "8"]
    assert by_file.ids == ["stereo.wav", "below/110389_A.ogg"]
    np.testing.assert_array_equal(by_id.vectors, by_file.vectors)


def test_pipes_devices_and_absent_files_are_skipped_with_a_reason(model_path, sounds, tmp_path):
    os.mkfifo(sounds / "pipe.wav")
    (sounds / "zero.wav").symlink_to("/dev/zero")
    (sounds / "gone.wav").symlink_to("nowhere.wav")
    result = run("embed", model_path, sounds, "-o", tmp_path / "out.h5")
    assert result.exit_code == 0, result.output
    found = tagalign.read_embeddings(tmp_path / "out.h5")
    assert found.ids == IDS
    reasons = dict(found.failed)
    assert "a pipe or a device" in reasons["pipe.wav"]
    assert "a pipe or a device" in reasons["zero.wav"]
    assert "cannot be opened" in reasons["gone.wav"]


def start(model_path, sounds, output):
    """The command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tagalign", "embed", model_path, sounds, "-o", output],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path, process):
    """Until the journal has a sound, which is more than its first record."""
    until = time.monotonic() + 100
    while not (path.exists() and path.stat().st_size > 2000) and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def many(corpus, tmp_path):
    """Enough sounds that a run can be stopped in the middle: three batches."""
    directory = tmp_path / "many"
    directory.mkdir()
    for number in range(20):
        for path in sorted((corpus / "audio").glob("1*_A.ogg"))[:20]:
            (directory / f"{number}-{path.name}").symlink_to(path)
    return directory


@pytest.mark.slow
@pytest.mark.parametrize("how", [signals.SIGKILL, signals.SIGINT])
def test_a_stopped_run_goes_on_where_it_was(model_path, many, tmp_path, how):
    output, whole = tmp_path / "out.h5", tmp_path / "whole.h5"
    process = start(model_path, many, output)
    wait_for(tmp_path / "out.h5.journal", process)
    os.killpg(process.pid, how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert not output.exists()
    if how == signals.SIGINT:
        last = errors.splitlines()[-1]
        assert last.startswith("tagalign: stopped; what is done is kept in")
        assert "Traceback" not in errors
    process = start(model_path, many, output)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "sounds are done already" in errors
    assert run("embed", model_path, many, "-o", whole).exit_code == 0
    assert output.read_bytes() == whole.read_bytes()


def test_a_torn_record_is_cut_off_and_a_changed_sound_is_done_again(tmp_path):
    path, key = tmp_path / "j", {"model": "x"}
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    with Journal(path, key) as journal:
        journal.add("a", [1, 1], vectors)
        journal.add("b", [1, 1], "no sound")
        size = path.stat().st_size
        journal.add("c", [1, 1], vectors + 1)
    whole = path.read_bytes()
    for length in range(size, len(whole)):
        path.write_bytes(whole[:length])
        with Journal(path, key) as journal:
            assert journal.has("a", [1, 1])
            assert not journal.has("a", [1, 2])
            assert not journal.has("c", [1, 1])
            np.testing.assert_array_equal(journal.vectors("a"), vectors)
            assert (journal.outcome("a"), journal.outcome("b")) == (2, "no sound")
        assert path.stat().st_size == size
    with Journal(path, {"model": "y"}) as journal:
        assert not journal.has("a", [1, 1])


def test_one_output_is_written_by_one_process(tmp_path):
    with (
        Journal(tmp_path / "j", {}),
        pytest.raises(tagalign.TagalignError, match="j is in use; another process"),
    ):
        Journal(tmp_path / "j", {})


def test_what_cannot_be_embedded_is_refused(model_path, sounds, tmp_path):
    output = tmp_path / "out.h5"
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "bad.csv").write_text("name\nx\n")
    for arguments, message in [
        ([sounds / "absent.wav"], r"absent\.wav does not exist"),
        ([empty], r"empty holds no sound"),
        ([tmp_path / "bad.csv"], r"bad\.csv has no column 'file', only name"),
        ([sounds / "text.wav"], r"none of the 1 sounds can be read; the first, text\.wav"),
        ([sounds / "stereo.wav", sounds / "stereo.wav"], r"2 sounds are called stereo\.wav"),
    ]:
        result = run("embed", model_path, *arguments, "-o", output)
        assert isinstance(result.exception, InputError)
        with pytest.raises(InputError, match=message):
            raise result.exception
        assert sorted(tmp_path.glob("out*")) == []
    refused = run("embed", model_path, sounds, "-o", tmp_path / "out.txt")
    assert "the ending tells the format" in str(refused.exception)


def test_sounds_are_found_by_their_suffix(sounds):
    from tagalign.embedding.listing import find_sounds

    (sounds / "LOUD.WAV").write_bytes(b"")
    (sounds / ".hidden.wav").write_bytes(b"")
    names = [sound.id for sound in find_sounds([sounds])]
    assert "LOUD.WAV" in names
    assert not {"readme.txt", ".hidden.wav"} & set(names)


def test_linked_directories_are_searched_once_and_other_files_named(sounds, tmp_path, model_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "=1+1.wav").write_bytes((sounds / "stereo.wav").read_bytes())
    top = tmp_path / "top"
    top.mkdir()
    (top / "linked").symlink_to(tmp_path / "elsewhere")
    (top / "round").symlink_to(top)
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (top / name).write_text("")
    result = run("embed", model_path, top, "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert f"{top}: 4 files have no ending of a sound: a.txt, b.txt, c.txt and 1 more" in (
        result.output
    )
    with open(tmp_path / "out.csv", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["linked/=1+1.wav"]


def test_no_cell_is_a_formula(sounds, tmp_path, model_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "=1+1.wav").write_bytes((sounds / "stereo.wav").read_bytes())
    (folder / "@bad.wav").write_text("no sound")
    assert run("embed", model_path, folder, "-o", tmp_path / "out.csv").exit_code == 0
    for name, identifier in (("out.csv", "'=1+1.wav"), ("out.failed.csv", "'@bad.wav")):
        with open(tmp_path / name, newline="") as file:
            assert [row["id"] for row in csv.DictReader(file)] == [identifier]
