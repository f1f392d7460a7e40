"""Sounds encoded by libsndfile and by FFmpeg, in every format that they write."""

import io
import tempfile

import av
import numpy as np
import soundfile

RATES = (48000, 44100, 8000)  # Hz, tried in this order
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
BY_LIBSNDFILE = [
    (container, subtype)
    for container in soundfile.available_formats()
    if container not in ("RAW", "SD2")  # no header of their own
    for subtype in soundfile.available_subtypes(container)
]
BY_FFMPEG = [
    *(("3gp", "aac"), ("adts", "aac"), ("aiff", "adpcm_ima_qt"), ("aiff", "pcm_s16be")),
    *(("asf", "wmav1"), ("asf", "wmav2"), ("au", "pcm_s16be"), ("caf", "alac")),
    *(("caf", "pcm_s16be"), ("flac", "flac"), ("ipod", "aac"), ("ircam", "pcm_s16le")),
    *(("matroska", "aac"), ("matroska", "flac"), ("matroska", "pcm_f32le"), ("mov", "pcm_s16le")),
    *(("mp2", "mp2"), ("mp3", "libmp3lame"), ("mp4", "alac"), ("mp4", "flac"), ("mp4", "libopus")),
    *(("ogg", "flac"), ("ogg", "libopus"), ("tta", "tta"), ("voc", "pcm_u8"), ("wav", "ac3")),
    *(("wav", "adpcm_ima_wav"), ("wav", "adpcm_ms"), ("wav", "libmp3lame"), ("wav", "pcm_f32le")),
    *(("wav", "wmav2"), ("webm", "libopus"), ("wv", "wavpack"), ("w64", "pcm_s16le")),
    # Not taken: formats of video and of telephony.
    *(("ac3", "ac3"), ("avi", "pcm_s16le"), ("flv", "aac"), ("mpegts", "aac"), ("nut", "flac")),
]


def tone(rate: int, seconds: float = 2.0, channels: int = 1, frequency: float = 440.0):
    """A tone in noise [shape=(n, channels), dtype=float32]."""
    time = np.arange(round(rate * seconds)) / rate
    noise = np.random.default_rng(0).standard_normal(time.size)
    signal = 0.3 * np.sin(2 * np.pi * frequency * time) + 0.02 * noise
    return np.repeat(signal.astype(np.float32)[:, None], channels, axis=1)


def by_libsndfile(container: str, subtype: str, channels: int = 1, seconds: float = 2.0):
    """Bytes of a tone; None where libsndfile does not write that."""
    for rate in RATES:
        target = io.BytesIO()
        try:
            signal = tone(rate, seconds, channels)
            soundfile.write(target, signal, rate, format=container, subtype=subtype)
        except soundfile.LibsndfileError:
            continue
        return target.getvalue()
    return None


def by_ffmpeg(
    name: str, codec: str, channels: int = 1, seconds: float = 2.0, rate: int = 48000, **options
) -> bytes:
    """Bytes of a tone; `options` are those of FFmpeg's muxer."""
    layout = LAYOUTS[channels]
    with tempfile.NamedTemporaryFile() as target:  # some formats are read again when written
        _write(target.name, name, codec, layout, tone(rate, seconds, channels), rate, options)
        return target.read()


def _write(path, name, codec, layout, signal, rate, options):
    with av.open(path, "w", format=name, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 128_000
        stream.codec_context.open()
        context = stream.codec_context
        planar = np.ascontiguousarray(signal.T)
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
        frame.rate, frame.pts = rate, 0
        fitting = av.AudioResampler(context.format, context.layout, rate, context.frame_size)
        for piece in (*fitting.resample(frame), *fitting.resample(None), None):
            container.mux(stream.encode(piece))
