"""Users embed sounds and tags with a model file."""

import json

import h5py
import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from tagalign import store
from tagalign.audio.decode import decode
from tagalign.audio.frames import cut_frames
from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.embedding.sounds import embed_clips, find_sounds
from tagalign.errors import InputError
from tagalign.model.file import Model, load_model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling

VOCABULARY = ["dog", "bark", "rain", "field-recording"]
SECTIONS = config.resolve_sections({}, ["patches", "tags", "frames", "model"])


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    """An untrained narrow model whose file is like that of a trained one."""
    torch.manual_seed(1)
    system, settings = SYSTEMS["w2v-128-1h"], SECTIONS["model"] | {"channels": 8}
    vectors = torch.randn(len(VOCABULARY), system.width)
    network = Network(system, settings, 96, 96, len(VOCABULARY), vectors)
    network.audio_encoder(torch.rand(8, 1, 96, 96))  # batch norm has seen something
    model = Model(
        system=system,
        network=network,
        settings=settings,
        vocabulary=VOCABULARY,
        front_end=SECTIONS["patches"],
        cleaning=SECTIONS["tags"],
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32), "band", "both"),
        tags_per_sound=10,
    )
    path = tmp_path_factory.mktemp("model") / "0.h5"
    model.save(path, stage="train", config={}, inputs={})
    return path


@pytest.fixture
def sounds(corpus, tmp_path):
    """Sounds of one to three frames in two directories, and a text that pretends to be one."""
    directory = tmp_path / "sounds"
    (directory / "below").mkdir(parents=True)
    names = ["101676_A.ogg", "13116_elec_bell.ogg", "110389_A.ogg", "195341_ambi_drone.ogg"]
    for index, name in enumerate(names):
        target = directory / "below" / name if index > 1 else directory / name
        target.write_bytes((corpus / "audio" / name).read_bytes())
    signal, rate = soundfile.read(directory / names[0])
    soundfile.write(directory / "stereo.wav", np.stack([signal, signal], 1), rate)
    (directory / "readme.txt").write_text("no sound and no wish to be one")
    (directory / "text.wav").write_text("no sound")
    return directory


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_embed_gives_the_mean_over_the_frames(model_path, sounds, tmp_path):
    output = tmp_path / "out.h5"
    result = run("embed", model_path, sounds, "-o", output, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert "embed: text.wav: not a readable sound" in result.output
    model = load_model(model_path)
    with store.read(output, stage="embed") as file:
        names = store.read_strings(file["id"])
        assert names == [
            "101676_A.ogg",
            "13116_elec_bell.ogg",
            "below/110389_A.ogg",
            "below/195341_ambi_drone.ogg",
            "stereo.wav",
        ]
        assert [identifier for identifier, _ in store.read_failures(file)] == ["text.wav"]
        assert file["embedding"].dtype == np.float32
        for name, embedding in zip(names, file["embedding"][()], strict=True):
            signal = decode(sounds / name, 22050)
            frames = cut_frames(signal, model.front_end, SECTIONS["frames"])
            expected = model.embed_frames(frames).astype(np.float64).mean(axis=0)
            np.testing.assert_array_equal(embedding, expected.astype(np.float32))


def write_with_front_end(model_path, output, front_end):
    model = load_model(model_path)
    model.front_end = front_end
    model.save(output, stage="train", config={}, inputs={})
    return output


@pytest.mark.parametrize(("preset", "count"), [("config", 2), ("reference", 4)])
def test_without_frames_a_sound_is_padded_as_in_training(
    model_path, sounds, tmp_path, request, preset, count
):
    """A clip of 4 s is cut as the preset of its model cuts the clips of a task."""
    sections = config.load(request.config.rootpath / "config" / f"{preset}.yaml")
    path = write_with_front_end(model_path, tmp_path / "model.h5", sections["patches"])
    signal, rate = soundfile.read(sounds / "101676_A.ogg")
    clip, output = tmp_path / "clip.wav", tmp_path / "out.h5"
    soundfile.write(clip, signal[: 4 * rate], rate)
    front_end, given = sections["patches"], sections["frames"]
    decoded = decode(clip, front_end["sample_rate"], front_end["resampler"])
    frames = cut_frames(decoded, front_end, given)
    assert len(frames) == count
    expected = load_model(path).embed_frames(frames).astype(np.float64).mean(axis=0)
    for options in ([], ["--params", json.dumps({"frames": given})]):
        result = run("embed", path, clip, "-o", output, "--jobs", 1, *options)
        assert result.exit_code == 0, result.output
        with store.read(output) as file:
            np.testing.assert_array_equal(file["embedding"][0], expected.astype(np.float32))
            versions = store.attributes(file)["versions"]
        used = {"config": "soxr", "reference": "resampy"}[preset]
        assert {"soxr", "resampy"} & set(versions) == {used}


def test_frames_that_are_given_count(model_path, sounds, tmp_path):
    vectors = []
    for number, tail in enumerate(("pad", "drop")):
        output = tmp_path / f"{number}.h5"
        params = json.dumps({"frames": {"tail": tail}})
        run("embed", model_path, sounds / "101676_A.ogg", "-o", output, "--params", params)
        with h5py.File(output) as file:
            vectors.append(file["embedding"][0])
    assert not np.array_equal(*vectors)


def test_a_sound_has_the_same_embedding_in_any_company(model_path, sounds, tmp_path):
    alone, together = tmp_path / "alone.h5", tmp_path / "together.h5"
    drone = sounds / "below" / "195341_ambi_drone.ogg"
    assert run("embed", model_path, drone, "-o", alone).exit_code == 0
    assert run("embed", model_path, sounds, "-o", together, "--jobs", 2).exit_code == 0
    with h5py.File(alone) as one, h5py.File(together) as many:
        assert store.read_strings(one["id"]) == [drone.name]
        row = store.read_strings(many["id"]).index(f"below/{drone.name}")
        np.testing.assert_array_equal(one["embedding"][0], many["embedding"][row])


def test_two_runs_give_the_same_bytes(model_path, sounds, tmp_path):
    for name, jobs in (("a.h5", 1), ("b.h5", 2)):
        run("embed", model_path, sounds, "-o", tmp_path / name, "--jobs", jobs)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_clips_are_drawn_as_needed_and_come_back_in_order(monkeypatch):
    monkeypatch.setattr("tagalign.embedding.sounds.FRAMES_AT_ONCE", 4)

    class Sums:
        def embed_frames(self, frames):
            sizes.append(len(frames))
            return frames.sum(axis=2)

    sizes, rng = [], np.random.default_rng(0)
    clips = [rng.random((k, 3, 5), dtype=np.float32) for k in (1, 2, 3, 9, 1)]
    vectors = list(embed_clips(Sums(), iter(clips)))
    assert sizes == [6, 9, 1]
    for clip, vector in zip(clips, vectors, strict=True):
        np.testing.assert_allclose(vector, clip.sum(axis=2).mean(axis=0), rtol=1e-6)


def test_what_cannot_be_embedded_is_refused(model_path, sounds, tmp_path):
    output = tmp_path / "out.h5"
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, message in [
        ([sounds / "absent.wav"], r"absent\.wav does not exist"),
        ([empty], r"empty holds no sound"),
        ([sounds / "text.wav"], r"none of the 1 sounds can be read; the first, text\.wav"),
        ([sounds / "stereo.wav", sounds / "stereo.wav"], r"2 sounds are called stereo\.wav"),
    ]:
        result = run("embed", model_path, *arguments, "-o", output)
        assert isinstance(result.exception, InputError)
        assert result.exception.args[0]
        with pytest.raises(InputError, match=message):
            raise result.exception
        assert not output.exists()


def test_sounds_are_found_by_their_suffix(sounds):
    (sounds / "LOUD.WAV").write_bytes(b"")
    (sounds / ".hidden.wav").write_bytes(b"")
    names = [name for name, _ in find_sounds([sounds])]
    assert "LOUD.WAV" in names
    assert not {"readme.txt", ".hidden.wav"} & set(names)


def test_embed_tags(model_path, tmp_path):
    output = tmp_path / "tags.h5"
    result = run(
        "embed-tags", model_path, "Dogs, dog, barks, zebra", "field recording", "-o", output
    )
    assert result.exit_code == 0, result.output
    assert "'zebra' is not in the vocabulary" in result.output
    assert "dog" not in result.output.replace("zebra", "")
    with store.read(output, stage="embed-tags") as file:
        assert store.read_ragged(file["tags"]) == [["dog", "bark"], ["field-recording"]]
        expected = load_model(model_path).embed_tags([["dog", "bark"], ["field-recording"]])
        np.testing.assert_array_equal(file["embedding"][()], expected)
    refused = run("embed-tags", model_path, "zebra, yak", "-o", tmp_path / "none.h5")
    assert isinstance(refused.exception, InputError)
    assert "no tag of 'zebra, yak'" in str(refused.exception)
    assert not (tmp_path / "none.h5").exists()
