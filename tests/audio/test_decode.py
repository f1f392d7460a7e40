"""Decoding gives the signal that was written, or the reason why there is none."""

import io
import warnings

import librosa
import numpy as np
import pytest
import soundfile

from tagalign.audio.decode import decode, from_samples, read_sound
from tagalign.audio.resample import resample
from tagalign.errors import AudioError

FORMATS = [
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("ogg", "VORBIS"),
    ("ogg", "OPUS"),
    ("mp3", "MPEG_LAYER_III"),
    ("aiff", "PCM_16"),
]
TRUNCATED = [entry for entry in FORMATS if entry[1] != "FLOAT"]


def encode(signal, rate, container, subtype) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, signal, rate, format=container, subtype=subtype)
    return target.getvalue()


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_every_format_gives_the_signal_back(sound, container, subtype):
    signal = resample(sound, 22050, 48000)  # a rate that all of these know
    decoded = decode(encode(signal, 48000, container, subtype), 48000)
    assert abs(len(decoded) - len(signal)) <= 0.05 * 48000  # lossy codecs may pad
    overlap = min(len(decoded), len(signal))
    assert np.corrcoef(decoded[:overlap], signal[:overlap])[0, 1] > 0.9


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(sound, channels):
    gains = np.arange(1, channels + 1, dtype=np.float32) / channels
    data = encode(np.outer(sound, gains), 22050, "wav", "FLOAT")
    decoded = decode(data, 22050)
    np.testing.assert_allclose(decoded, sound * gains.mean(), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000])
@pytest.mark.parametrize("resampler", ["soxr_hq", "kaiser_fast"])
def test_resampling_is_that_of_librosa(sound, tmp_path, rate, resampler):
    path = tmp_path / "sound.wav"
    soundfile.write(path, sound, rate, subtype="FLOAT")
    expected, _ = librosa.load(path, sr=22000, res_type=resampler)
    decoded = decode(path, 22000, resampler)
    assert decoded.dtype == np.float32
    assert decoded.shape == expected.shape
    np.testing.assert_allclose(decoded, expected, atol=1e-6)


def test_a_sound_at_the_wanted_rate_is_not_touched(sound):
    np.testing.assert_array_equal(decode(encode(sound, 22050, "wav", "FLOAT"), 22050), sound)


def test_path_and_bytes_give_the_same(corpus):
    path = corpus / "audio" / "110389_A.ogg"
    for source in (str(path), path.read_bytes()):
        np.testing.assert_array_equal(decode(source, 16000), decode(path, 16000))


def test_a_long_sound_is_decoded_in_blocks(sound, monkeypatch):
    data = encode(np.stack([sound, -0.5 * sound], axis=1), 22050, "flac", "PCM_16")
    whole = decode(data, 16000)
    monkeypatch.setattr("tagalign.audio.blocks.VALUES", 2000)
    np.testing.assert_array_equal(decode(data, 16000), whole)


def test_one_sample_is_a_sound():
    data = encode(np.array([0.5], np.float32), 44100, "wav", "FLOAT")
    assert decode(data, 22050).shape == (1,)
    with pytest.raises(AudioError, match="shorter than one sample"):
        decode(data, 22050, "kaiser_fast")


@pytest.mark.parametrize(("container", "subtype"), TRUNCATED)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_sound_is_refused(sound, container, subtype, share):
    data = encode(resample(sound, 22050, 48000), 48000, container, subtype)
    with pytest.raises(AudioError):
        decode(data[: int(share * len(data))], 22050)


def test_a_streamed_wav_of_unknown_length_is_read(sound):
    data = bytearray(encode(sound, 22050, "wav", "PCM_16"))
    for start in (4, data.index(b"data") + 4):  # the sizes that ffmpeg writes into a pipe
        data[start : start + 4] = b"\xff\xff\xff\xff"
    assert len(decode(bytes(data), 22050)) == len(sound)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"this is no sound\n" * 50, "not a readable sound"),
        (encode(np.zeros(0, np.float32), 22050, "wav", "PCM_16"), "no samples"),
        (
            encode(np.array([0.0, np.nan, 0.5], np.float32), 22050, "wav", "FLOAT"),
            "samples that are not finite",
        ),
        (
            encode(np.array([0.0, 1e30, -0.5], np.float32), 22050, "wav", "FLOAT"),
            r"samples far above full scale \(up to 1e\+30, full scale is 1\)",
        ),
    ],
    # Not the bytes: a wav of floats holds the second in which it was written.
    ids=["empty", "text", "no samples", "not finite", "huge"],
)
def test_what_is_no_sound_says_why(tmp_path, data, reason):
    path = tmp_path / "sound.wav"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=reason) as caught:
        decode(path, 22050)
    assert str(path) in str(caught.value)
    assert str(path) not in caught.value.reason
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scale", [10.0, 128.0, 2.0**15, 2.0**31])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_far_above_full_scale_are_refused(sound, scale, subtype):
    data = encode(sound / np.abs(sound).max() * scale, 22050, "wav", subtype)
    with pytest.raises(AudioError, match="far above full scale .* scale them"):
        decode(data, 22050)


def test_samples_somewhat_above_full_scale_are_a_sound():
    loud = np.array([1.5, -3.5, 0.0], np.float32)
    np.testing.assert_array_equal(decode(encode(loud, 22050, "wav", "FLOAT"), 22050), loud)


def test_a_kaiser_filter_in_stretches_is_that_in_one(monkeypatch):
    # A slow signal: where a sample of the result falls on one of the signal, resampy's own
    # rounding decides on which side of it that lies.
    signal = np.sin(np.arange(50_000) / 50).astype(np.float32)
    for rate, wanted in ((44100, 22000), (8000, 22050), (22050, 22000), (96000, 16000)):
        whole = resample(signal, rate, wanted, "kaiser_fast")
        with monkeypatch.context() as patch:
            patch.setattr("tagalign.audio.resample.BLOCK", 3000)
            parts = resample(signal, rate, wanted, "kaiser_fast")
        np.testing.assert_allclose(parts, whole, atol=1e-3)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(AudioError, match=r"absent\.wav: cannot be opened \(No such file"):
        decode(tmp_path / "absent.wav", 22050)


def test_all_real_sounds_are_whole(corpus):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in sorted((corpus / "audio").iterdir()):
            assert read_sound(path, 22050).seconds > 0


@pytest.mark.parametrize("resampler", ["soxr_hq", "kaiser_fast"])
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_samples_in_memory_give_the_bits_of_their_file(tmp_path, resampler, dtype):
    path = tmp_path / "sound.wav"
    signal = np.random.default_rng(0).normal(scale=0.1, size=(5000, 3))
    soundfile.write(path, signal, 16000, subtype="PCM_16")
    samples, rate = soundfile.read(path, dtype=dtype)
    np.testing.assert_array_equal(
        from_samples(samples, rate, 22050, resampler), decode(path, 22050, resampler)
    )


@pytest.mark.parametrize(
    ("samples", "rate", "reason"),
    [
        (np.zeros((2, 100)), 8000, r"samples of shape \(2, 100\); give \(samples,\) or"),
        (np.zeros(5, complex), 8000, "samples of type complex128; give floats or signed"),
        (np.zeros(5, np.uint8), 8000, "samples of type uint8"),
        (np.zeros(0), 8000, "no samples"),
        (np.array([0, np.inf]), 8000, "samples that are not finite"),
        (np.array([0, 1e300]), 8000, "samples that are not finite"),
        (np.array([0, 1e30]), 8000, "samples far above full scale"),
        (np.zeros(5), 0, "a rate of 0 Hz; give a whole number above 0"),
        (np.zeros(5), 44.1, "a rate of 44.1 Hz"),
    ],
)
def test_samples_that_are_no_sound_are_refused(samples, rate, reason):
    with pytest.raises(AudioError, match=reason):
        from_samples(samples, rate, 22050)
