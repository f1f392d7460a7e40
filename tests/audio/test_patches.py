"""The patch of maximum energy, and the stage that cuts it from every sound of a shard."""

import csv
import os
import subprocess
import sys

import librosa
import numpy as np
import pytest
import soundfile

import stage_files
from tagalign.audio.decode import AudioError
from tagalign.audio.file import PatchShard
from tagalign.audio.mel import LogMel
from tagalign.audio.padding import pad_short
from tagalign.audio.patches import maximum_patch, measure_sound, run
from tagalign.errors import InputError
from tagalign.sources.folder import write_catalogue
from tagalign.sources.shards import Shard
from tagalign.store import digest

EPS = np.finfo(np.float32).eps
SOUNDS = 20  # of the corpus in the folder of the stage tests


def test_the_patch_is_the_loudest_by_brute_force(corpus, paper):
    for path in sorted((corpus / "audio").glob("*_A.ogg"))[:20]:
        signal, _ = soundfile.read(path, dtype="float32")
        energy = LogMel(paper).mel(signal).astype(np.float64)
        sums = [energy[:, start : start + 96].sum() for start in range(energy.shape[1] - 95)]
        patch = maximum_patch(signal, LogMel(paper), paper)
        assert patch.shape == (96, 96)
        assert patch.dtype == np.float32
        # Windows that differ in what is next to silence are equally loud.
        loudest = np.flatnonzero(np.array(sums) > (1 - 1e-8) * max(sums))
        expected = [np.log(energy[:, start : start + 96] + EPS) for start in loudest]
        assert any(np.allclose(patch, window, atol=1e-5) for window in expected)


def test_the_presets_differ_where_the_released_code_differs_from_the_text(paper, reference):
    assert reference == paper | {
        "sample_rate": 22000,
        "resampler": "kaiser_fast",
        "window": "hann",
        "power": 1,
        "edge_padding": "reflect",
        "pad_to_seconds": 10,
        "noise": 5e-4,
        "silent": "keep",
        "criterion": "log_mel",
        "step": 12,
    }


def test_the_reference_patch_is_that_of_the_released_code(corpus, reference):
    for path in sorted((corpus / "audio").glob("*_A.ogg"))[:10]:
        signal, _ = librosa.load(path, sr=22000, res_type="kaiser_fast")
        padded = pad_short(signal, 10, reference)  # with our noise: the release drew its own
        log_mel = librosa.feature.melspectrogram(
            y=padded, sr=22000, n_fft=1024, hop_length=512, n_mels=96, power=1.0, pad_mode="reflect"
        )
        log_mel = np.log(log_mel + EPS)
        windows = librosa.util.frame(log_mel, frame_length=96, hop_length=12)
        expected = windows[:, :, np.argmax(windows.sum(axis=0).sum(axis=0))]
        patch, duration = measure_sound(path.read_bytes(), LogMel(reference), reference)
        assert duration == pytest.approx(len(signal) / 22000, abs=1e-4)
        np.testing.assert_allclose(patch, expected, atol=2e-3)


def test_the_criteria_differ(sound, paper):
    # A scream is loud for a moment; the sum of logarithms prefers what is never quiet.
    by_log = paper | {"criterion": "log_mel"}
    assert not np.array_equal(
        maximum_patch(sound, LogMel(paper), paper), maximum_patch(sound, LogMel(by_log), by_log)
    )


def test_of_equally_loud_patches_the_first_is_taken(hit, paper):
    """Digital silence around a sound makes many windows equal; rounding must not choose."""
    hit = hit[: 4 * 512]
    for before in (0, 150 * 512, 300 * 512):
        signal = np.concatenate([np.zeros(before), hit, np.zeros(200 * 512)]).astype(np.float32)
        patch = maximum_patch(signal, LogMel(paper), paper)
        loud = np.flatnonzero(patch.max(axis=0) > np.log(EPS) + 1e-3)
        assert loud[0 if before == 0 else -1] == (0 if before == 0 else 95)


def test_a_short_sound_is_padded_with_silence(hit, paper):
    patch = maximum_patch(hit, LogMel(paper), paper)
    own = 1 + (len(hit) + 512) // 512  # frames that see any of the sound
    assert patch.shape == (96, 96)
    assert patch[:, : own - 2].max() > -5
    np.testing.assert_allclose(patch[:, own:], np.log(EPS), rtol=1e-6)


@pytest.mark.parametrize("seconds", [9.99, 10, 10.01])
def test_noise_covers_short_sounds_and_leaves_longer_ones_alone(reference, seconds):
    signal = np.full(round(seconds * 22000), 0.25, np.float32)
    padded = pad_short(signal, 10, reference)
    if seconds > 10:
        np.testing.assert_array_equal(padded, signal)
    else:
        noise = padded - np.pad(signal, (0, 220_000 - len(signal)))
        assert len(padded) == 220_000
        assert noise.min() >= 0
        assert noise.max() <= 5e-4
        assert noise[: len(signal)].mean() == pytest.approx(2.5e-4, rel=0.02)
        assert np.array_equal(padded, pad_short(signal, 10, reference))
        assert not np.array_equal(padded, pad_short(signal, 10, reference | {"seed": 1}))


def test_different_sounds_get_different_noise(sound, reference):
    first = pad_short(sound, 10, reference)[-1000:]
    second = pad_short(-sound, 10, reference)[-1000:]
    assert not np.array_equal(first, second)


# The stage


@pytest.fixture
def folder(corpus, tmp_path, sound):
    """Real sounds, two in other formats, and four that cannot be used."""
    names = sorted(path.name for path in (corpus / "audio").iterdir())[:SOUNDS]
    directory = tmp_path / "sounds"
    directory.mkdir()
    for name in names:
        (directory / name).write_bytes((corpus / "audio" / name).read_bytes())
    stereo = np.stack([sound, sound], axis=1)
    soundfile.write(directory / "stereo.flac", stereo, 44100)
    soundfile.write(directory / "slow.mp3", sound, 16000)
    (directory / "text.wav").write_text("these are words\n" * 30)
    whole = (corpus / "audio" / "101676_A.ogg").read_bytes()
    (directory / "half.ogg").write_bytes(whole[: len(whole) // 2])
    soundfile.write(directory / "silent.wav", np.zeros(22050), 22050)
    soundfile.write(directory / "offset.wav", np.full(22050, 0.1), 22050)
    with open(directory / "sounds.csv", "w", newline="") as file:
        rows = [(str(1000 + index), name, "dog") for index, name in enumerate(names)]
        rows += [("5", "stereo.flac", "dog"), ("6", "slow.mp3", "dog")]
        rows += [("11", "text.wav", "dog"), ("12", "half.ogg", "dog")]
        rows += [("13", "silent.wav", "dog"), ("14", "offset.wav", "dog")]
        csv.writer(file).writerows([("id", "file", "tags"), *rows])
    return directory


@pytest.fixture
def catalogue(folder, sections, tmp_path):
    source = sections["source"] | {
        "shard_size": SOUNDS + 4,
        "folder": sections["source"]["folder"]
        | {"csv": str(folder / "sounds.csv"), "audio": str(folder)},
    }
    write_catalogue(source, tmp_path / "catalogue.h5")
    return tmp_path / "catalogue.h5"


def test_the_stage_writes_patches_and_lists_what_failed(catalogue, folder, paper, tmp_path):
    output = tmp_path / "patches" / "0000.h5"
    failures = dict(run(output, catalogue, 0, paper, folder=folder))
    assert list(failures) == ["11", "12", "13", "14"]
    assert failures["11"].startswith("not a readable sound")
    assert failures["12"].startswith("truncated")
    assert failures["13"] == failures["14"] == "silent"
    made = PatchShard.read(output)
    assert made.id == ["5", "6", *map(str, range(1000, 998 + SOUNDS))]
    assert made.log_mel.shape == (SOUNDS, 96, 96)
    assert dict(made.failed) == failures
    assert made.front_end == paper
    expected, _ = measure_sound((folder / "stereo.flac").read_bytes(), LogMel(paper), paper)
    np.testing.assert_array_equal(made.log_mel[0], expected)
    assert made.duration[0] == soundfile.info(folder / "stereo.flac").frames / 44100


@pytest.mark.parametrize("preset", ["paper", "reference"])
def test_two_runs_and_any_number_of_jobs_give_the_same_bytes(
    catalogue, folder, tmp_path, request, preset, monkeypatch
):
    monkeypatch.setattr("tagalign.audio.patches.WORTH_A_PROCESS", 8)
    settings = request.getfixturevalue(preset)
    hashes = set()
    for index, jobs in enumerate([1, 1, 2]):
        output = tmp_path / f"{index}.h5"
        run(output, catalogue, 0, settings, folder=folder, jobs=jobs)
        hashes.add(digest(output))
    assert len(hashes) == 1


def test_a_sound_has_the_same_patch_in_any_shard(catalogue, folder, reference, sections, tmp_path):
    """The reference front end draws noise; the shard and the id must not matter."""
    run(tmp_path / "a.h5", catalogue, 1, reference, folder=folder)
    source = sections["source"] | {
        "shard_size": 1000,
        "folder": sections["source"]["folder"]
        | {"csv": str(folder / "sounds.csv"), "audio": str(folder)},
    }
    write_catalogue(source, tmp_path / "one.h5")
    run(tmp_path / "b.h5", tmp_path / "one.h5", 0, reference, folder=folder)
    a, b = PatchShard.read(tmp_path / "a.h5"), PatchShard.read(tmp_path / "b.h5")
    assert a.id == b.id[-2:] == ["1018", "1019"]
    np.testing.assert_array_equal(a.log_mel, b.log_mel[-2:])


def test_encoded_audio_gives_the_same_patches_as_files(catalogue, folder, paper, tmp_path):
    listed = Shard.select(catalogue, 0)
    names = zip(listed.id, listed.file, strict=True)
    sounds = {identifier: (folder / name).read_bytes() for identifier, name in names}
    stage_files.write_audio(tmp_path / "audio.h5", sounds, [("77", "404: no such preview")])
    run(tmp_path / "a.h5", catalogue, 0, paper, folder=folder)
    run(tmp_path / "b.h5", catalogue, 0, paper, audio=tmp_path / "audio.h5", jobs=2)
    a, b = PatchShard.read(tmp_path / "a.h5"), PatchShard.read(tmp_path / "b.h5")
    for name in ("id", "log_mel", "duration"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    # What could not be downloaded is carried on: the file of audio may be deleted.
    assert sorted(b.failed) == sorted([*a.failed, ("77", "404: no such preview")])
    with pytest.raises(InputError, match="holds sound 1000, which is not in this shard"):
        run(tmp_path / "c.h5", catalogue, 1, paper, audio=tmp_path / "audio.h5")
    assert not (tmp_path / "c.h5").exists()


def test_changed_and_vanished_sounds_are_listed(catalogue, folder, paper, tmp_path):
    (folder / "slow.mp3").unlink()
    (folder / "stereo.flac").write_bytes((folder / "text.wav").read_bytes())
    failures = dict(run(tmp_path / "out.h5", catalogue, 0, paper, folder=folder))
    assert failures["5"] == "changed since the catalogue was made; make the catalogue again"
    assert failures["6"] == "cannot be opened (No such file or directory)"


def test_a_sound_of_huge_samples_is_listed(folder, sections, paper, sound, tmp_path):
    """Its power spectrum would be infinite, which would stop the stage of the training file."""
    soundfile.write(folder / "huge.wav", sound * np.float32(1e30), 22050, subtype="FLOAT")
    table = tmp_path / "huge.csv"
    table.write_text("id,file,tags\n1,huge.wav,dog\n5,stereo.flac,dog\n")
    source = sections["source"] | {
        "folder": sections["source"]["folder"] | {"csv": str(table), "audio": str(folder)}
    }
    write_catalogue(source, tmp_path / "huge.h5")
    output = tmp_path / "out.h5"
    ((identifier, reason),) = run(output, tmp_path / "huge.h5", 0, paper, folder=folder)
    assert identifier == "1"
    assert reason.startswith("samples far above full scale")
    made = PatchShard.read(output)
    assert made.id == ["5"]
    assert np.isfinite(made.log_mel).all()


def test_the_release_keeps_silent_sounds(folder, reference):
    """Padding and noise make them a patch like any other."""
    data = (folder / "silent.wav").read_bytes()
    patch, seconds = measure_sound(data, LogMel(reference), reference)
    assert seconds == 1
    assert np.ptp(patch) > 0
    with pytest.raises(AudioError, match="silent"):
        measure_sound(data, LogMel(reference), reference | {"silent": "drop"})


def test_a_folder_of_unusable_sounds_is_an_error(folder, sections, paper, tmp_path):
    table = tmp_path / "bad.csv"
    table.write_text("id,file,tags\n1,text.wav,dog\n2,silent.wav,dog\n")
    source = sections["source"] | {
        "folder": sections["source"]["folder"] | {"csv": str(table), "audio": str(folder)}
    }
    write_catalogue(source, tmp_path / "bad.h5")
    with pytest.raises(InputError, match=r"none of the 2 sounds .* the first, 1: not a readable"):
        run(tmp_path / "out.h5", tmp_path / "bad.h5", 0, paper, folder=folder)
    assert not (tmp_path / "out.h5").exists()


def test_an_absent_shard_or_folder_is_an_error(catalogue, folder, paper, tmp_path):
    with pytest.raises(InputError, match=r"catalogue\.h5 has no shard 7"):
        run(tmp_path / "out.h5", catalogue, 7, paper, folder=folder)
    with pytest.raises(InputError, match="absent is not a directory"):
        run(tmp_path / "out.h5", catalogue, 0, paper, folder=tmp_path / "absent")


def test_the_command_line(catalogue, folder, tmp_path):
    output = tmp_path / "out.h5"
    command = [sys.executable, "-m", "tagalign", "patches", str(catalogue), "--shard", "0"]
    command += ["--folder", str(folder), "-o", str(output)]
    result = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert result.returncode == 0, result.stderr
    assert "patches: 13: silent" in result.stderr
    assert "24/24 sounds" in result.stderr
    assert PatchShard.read(output).log_mel.shape == (SOUNDS, 96, 96)
    refused = subprocess.run([*command, "--audio", "x.h5"], capture_output=True, text=True)
    assert refused.returncode != 0
    assert "not both" in refused.stderr
