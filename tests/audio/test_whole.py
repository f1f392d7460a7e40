"""A sound is decoded whole, or there is a reason: every format, whole, cut, joined and damaged."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from encoded import BY_FFMPEG, BY_LIBSNDFILE, by_ffmpeg, by_libsndfile, tone
from tagalign.audio.decode import read_sound
from tagalign.errors import AudioError

CASES = Path(__file__).parent / "cases"
RIGHT = {  # seconds, or the reason
    "chained.ogg": 5.0,
    "concat.mp3": 8.0,
    "cut_stale_info.mp3": 2.0,
    "flac_unknown_total.flac": 2.0,
    "float_int_scale.wav": "samples far above full scale",
    "half_AU_PCM_16.bin": "truncated",
    "hole.ogg": "damaged: 1 Ogg pages are missing",
    "noinfo.mp3": 4.0,
    "ogg_no_eos.ogg": 2.0,
    "wav_rate1.wav": "a sample rate of 1 Hz",
    "wav_rate_2e9.wav": "a sample rate of 2000000000 Hz",
    "wav_size_36.wav": "damaged: 88164 bytes follow the 36 that it announces",
    "wav_size_zero.wav": 2.0,
}
CODEC = 0.07  # seconds that encoders with a delay may add or drop
# Formats that no one cuts into patches: neither their header nor FFmpeg tells their length.
NOT_TAKEN = {"HTK", "IRCAM", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "WVE", "XI"}
NOT_TAKEN |= {"ac3", "avi", "flv", "ircam", "mpegts", "nut"}


def seconds(data: bytes) -> float | str:
    """What comes of a sound: its duration or the reason."""
    try:
        return read_sound(data, 22050).seconds
    except AudioError as error:
        return error.reason


@pytest.mark.parametrize("name", RIGHT)
def test_the_collected_cases(name):
    found, right = seconds((CASES / name).read_bytes()), RIGHT[name]
    if isinstance(right, str):
        assert str(found).startswith(right)
    else:
        assert found == pytest.approx(right, abs=CODEC)


def check_format(data: bytes, container: str) -> None:
    """Whole, joined, with a tail, and cut at several places."""
    whole = seconds(data)
    if container in NOT_TAKEN:
        assert isinstance(whole, str)
        return
    # VOC has only 256 sample rates.
    assert whole == pytest.approx(2.0, abs=0.1 if container == "VOC" else CODEC)
    for tail in (bytes(5000), b"TAG" + b"x" * 125, b"TAG" + bytes(125) + bytes(300)):
        assert seconds(data + tail) == pytest.approx(whole, abs=1e-6)
    shorter = seconds(data[:-1])
    assert isinstance(shorter, str) or shorter == pytest.approx(whole, abs=1e-6)
    twice = seconds(data + data)
    assert isinstance(twice, str) or twice == pytest.approx(2 * whole, abs=CODEC)
    generator = np.random.default_rng(len(data))
    for share in (0.5, *generator.uniform(0.01, 0.98, 5)):
        cut = int(share * len(data))
        found = seconds(data[:cut])
        # A stream of frames that announces nothing may end after any whole frame.
        assert isinstance(found, str) or found == pytest.approx(whole * share, abs=CODEC)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("container", "subtype"), BY_LIBSNDFILE)
def test_every_format_that_libsndfile_writes(container, subtype, channels):
    data = by_libsndfile(container, subtype, channels)
    if data is None:
        pytest.skip("libsndfile does not write that")
    if subtype.startswith("DWVW"):  # libsndfile writes it, and soundfile cannot read it in blocks
        assert isinstance(seconds(data), str)
        return
    check_format(data, container)


@pytest.mark.parametrize(("name", "codec"), BY_FFMPEG)
def test_every_format_that_ffmpeg_writes(name, codec):
    check_format(by_ffmpeg(name, codec), name)


@pytest.mark.parametrize(
    ("name", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("wv", "wavpack")]
)
def test_six_channels_are_averaged_by_ffmpeg_as_well(name, codec):
    assert seconds(by_ffmpeg(name, codec, 6)) == pytest.approx(2.0, abs=CODEC)


@pytest.mark.parametrize(
    ("name", "codec"), [("mp4", "alac"), ("matroska", "flac"), ("mov", "pcm_s16le")]
)
def test_ffmpeg_gives_the_samples_that_were_written(name, codec):
    signal = tone(48000)[:, 0]
    sound = read_sound(by_ffmpeg(name, codec), 48000)
    np.testing.assert_allclose(sound.signal, signal, atol=2**-14)


@pytest.mark.parametrize("options", [{"live": "1"}, {"cluster_size_limit": "2000"}])
def test_matroska_that_was_streamed_or_has_many_clusters(options):
    data = by_ffmpeg("webm", "libopus", **options)
    assert seconds(data) == pytest.approx(2.0, abs=CODEC)
    for share in (0.2, 0.5, 0.9):
        assert "truncated" in seconds(data[: int(share * len(data))])


@pytest.mark.parametrize("flags", ["faststart", "frag_keyframe+empty_moov"])
def test_mp4_with_its_index_first_or_in_fragments(flags):
    data = by_ffmpeg("mp4", "aac", movflags=flags)
    assert seconds(data) == pytest.approx(2.0, abs=CODEC)
    for share in (0.3, 0.5, 0.9):
        assert "truncated" in seconds(data[: int(share * len(data))])


def sized(container: str, values: tuple[int, int], order: str = "<") -> bytes:
    """A WAV or AIFF whose sizes, of the file and of its samples, are `values`."""
    data = bytearray(by_libsndfile(container, "PCM_16"))
    chunk = data.index(b"data" if container == "WAV" else b"SSND")
    for position, value in zip((4, chunk + 4), values, strict=True):
        struct.pack_into(f"{order}I", data, position, value)
    return bytes(data)


@pytest.mark.parametrize("value", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000])
def test_a_streamed_wav_is_read_to_its_end(value):
    assert seconds(sized("WAV", (value, value))) == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize("container", ["WAV", "AIFF"])
@pytest.mark.parametrize("value", [36, 1000, 50_000])
def test_an_old_size_is_a_reason(container, value):
    found = seconds(sized(container, (value + 36, value), "<" if container == "WAV" else ">"))
    assert "bytes follow the" in found


def test_chunks_behind_the_samples_belong_to_the_file():
    data = by_libsndfile("WAV", "PCM_16")
    assert seconds(data + b"LIST" + struct.pack("<I", 4000) + b"x" * 4000) == 2.0
    assert seconds(data + b"x" * 4000 + bytes(range(256)) * 40).startswith("damaged")


def mp3(seconds_: float = 2.0, mode: str = "VARIABLE", frequency: float = 440.0) -> bytes:
    target = io.BytesIO()
    soundfile.write(
        target,
        tone(44100, seconds_, 2, frequency),
        44100,
        format="MP3",
        bitrate_mode=mode,
        compression_level=0.5,
    )
    return target.getvalue()


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT", "AVERAGE"])
def test_an_mp3_within_tags(mode):
    data = mp3(mode=mode)
    picture = 300_000
    size = bytes(picture >> shift & 0x7F for shift in (21, 14, 7, 0))
    head = b"ID3\x04\0\0" + size + b"\xff\xfb\x90\x44" * (picture // 4)
    ape = b"APETAGEX" + struct.pack("<IIII8x", 2000, 2000, 1, 0xA000_0000) + b"\xff" * 2000
    for sound in (head + data, head + bytes(700) + data, data + ape + b"TAG" + b" " * 125):
        assert seconds(sound) == pytest.approx(2.0, abs=1e-6)
    assert seconds(head + data + head + data + b"TAG" + b" " * 125) == pytest.approx(4.0, abs=1e-6)


def without_information(data: bytes) -> bytes:
    """An MP3 without its first frame, which tells how many there are."""
    assert data[36:40] in (b"Xing", b"Info")
    return data[data.index(data[:2], 4) :]


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
def test_an_mp3_without_information(mode):
    data = without_information(mp3(mode=mode))
    assert seconds(data) == pytest.approx(2.05, abs=CODEC)
    assert seconds(data + data) == pytest.approx(4.1, abs=2 * CODEC)
    assert "truncated" in seconds(data[:-50])


def test_bytes_between_the_frames_of_an_mp3_are_damage():
    data = mp3(4.0)
    middle = len(data) // 2
    damaged = data[:middle] + bytes(range(1, 200)) * 3 + data[middle + 597 :]
    assert "damaged" in seconds(damaged)


def pages(data: bytes) -> list[bytes]:
    starts = [index for index in range(len(data)) if data.startswith(b"OggS", index)]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_each_page_of_an_ogg_counts(subtype):
    data = by_libsndfile("OGG", subtype, seconds=30.0)
    all_pages = pages(data)
    assert len(all_pages) > 5
    assert seconds(data) == pytest.approx(30.0)
    for lost in range(1, len(all_pages) - 1):
        assert "missing" in seconds(b"".join(all_pages[:lost] + all_pages[lost + 1 :]))
    swapped = [*all_pages[:3], all_pages[4], all_pages[3], *all_pages[5:]]
    assert "missing" in seconds(b"".join(swapped))
    for position in np.random.default_rng(0).integers(30, len(data), 20):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        assert isinstance(seconds(bytes(flipped)), str)


def test_links_of_a_chain_may_differ_in_rate():
    target = io.BytesIO()
    soundfile.write(target, tone(44100, 3.0), 44100, format="OGG", subtype="VORBIS")
    chain = by_libsndfile("OGG", "OPUS") + target.getvalue()
    sound = read_sound(chain, 22050)
    assert sound.seconds == pytest.approx(5.0)
    assert len(sound.signal) == 5 * 22050


def test_a_damaged_flac_is_a_reason():
    data = by_libsndfile("FLAC", "PCM_16")
    for position in np.random.default_rng(0).integers(200, len(data), 10):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        assert isinstance(seconds(bytes(flipped)), str)


def unknown_total(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[21] &= 0xF0
    changed[22:26] = bytes(4)
    return bytes(changed)


def test_a_flac_of_unknown_length_is_read_to_its_end():
    data = unknown_total(by_libsndfile("FLAC", "PCM_16"))
    assert seconds(data) == pytest.approx(2.0)
    assert seconds(data + data) == pytest.approx(4.0)
    for share in (0.3, 0.5, 0.99):
        assert "truncated" in seconds(data[: int(share * len(data))])


def test_a_playlist_opens_nothing(tmp_path):
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, tone(44100)[:, 0], 44100)
    for text in (
        f"ffconcat version 1.0\nfile {secret}\n",
        f"#EXTM3U\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n",
    ):
        assert seconds(text.encode()).startswith("not a readable sound")


def test_mutated_sounds_raise_nothing_else():
    generator = np.random.default_rng(0)
    sources = [by_libsndfile(*pair, seconds=0.3) for pair in BY_LIBSNDFILE]
    sources += [by_ffmpeg(*pair, seconds=0.3) for pair in BY_FFMPEG]
    for data in filter(None, sources):
        for _ in range(8):
            changed = bytearray(data[: generator.integers(1, len(data) + 1)])
            for _ in range(generator.integers(0, 6)):
                place = generator.integers(0, min(len(changed), generator.choice([64, 10**6])))
                changed[place] = generator.integers(0, 256)
            seconds(bytes(changed))
