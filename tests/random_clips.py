"""Valid clips made at random from a seed: container x codec x stamps x rotation x rate x sound x length."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.media import CLOCKWISE, SPEED, numbered, set_display_matrix

CLICK_S = 0.5
"""When the clip's own sound clicks, in seconds after its first picture."""

_TICKS = 90_000
_STEADY = frozenset({"mpeg4", "mpeg2video", "h263", "wmv2", "flv", "rawvideo"})
"""Encoders, and AVI's pictures, that know no other times than those of a steady rate."""

_PIXELS = {
    "gif": "rgb8",
    "prores_ks": "yuv422p10le",
    "dnxhd": "yuv422p",
    "qtrle": "rgb24",
    "png": "rgb24",
    "mjpeg": "yuvj420p",
}
_FILES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ".mp4": (("libx264", "libx265", "mpeg4", "libvpx-vp9", "mjpeg"), ("aac", "libmp3lame", "libopus")),
    ".mov": (("libx264", "libx265", "prores_ks", "dnxhd", "qtrle", "png", "mjpeg"), ("aac", "pcm_s16le")),
    ".mkv": (
        ("libx264", "libx265", "libvpx", "libvpx-vp9", "ffv1", "mjpeg", "mpeg4"),
        ("aac", "flac", "libopus", "libmp3lame"),
    ),
    ".webm": (("libvpx", "libvpx-vp9"), ("libopus",)),
    ".avi": (("mpeg4", "mjpeg", "rawvideo"), ("libmp3lame", "pcm_s16le")),
    ".ts": (("libx264", "libx265", "mpeg2video"), ("aac", "libmp3lame", "mp2")),
    ".mpg": (("mpeg2video",), ("mp2",)),
    ".flv": (("flv", "libx264"), ("aac",)),
    ".wmv": (("wmv2",), ("wmav2",)),
    ".3gp": (("h263", "mpeg4"), ("aac",)),
    ".gif": (("gif",), ()),
}
"""Per ending: encoders of pictures and of sound."""

_RATES = (12, 15, Fraction(24_000, 1001), 24, 25, Fraction(30_000, 1001), 30, 50, 60)
_MPEG_RATES = _RATES[2:]
_GIF_RATES = (10, 20, 25, 50)


@dataclass(frozen=True)
class Recipe:
    """All that one clip is made of."""

    suffix: str
    codec: str
    rate: Fraction
    times_s: tuple[float, ...]
    """When each picture is shown, from 0 on."""
    offset_s: float
    """What the file's own clock shows at the first picture."""
    turned: int
    sound: str
    channels: int
    sound_late_s: float
    """By how much the sound begins later than the picture."""
    reordered: bool

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as stored."""
        fixed = {"dnxhd": (256, 128), "h263": (176, 144)}
        return fixed.get(self.codec, (96, 64))

    @property
    def duration_s(self) -> float:
        return self.times_s[-1] + float(1 / self.rate)


def recipe(seed: int) -> Recipe:
    rng = np.random.default_rng(seed)

    def pick(options: Any) -> Any:
        return options[int(rng.integers(len(options)))]

    suffix = pick(sorted(_FILES))
    codecs, sounds = _FILES[suffix]
    codec = pick(codecs)
    rates = {"gif": _GIF_RATES, "mpeg2video": _MPEG_RATES, "h263": (Fraction(30_000, 1001),)}.get(
        codec, _RATES
    )
    rate = Fraction(pick(rates))
    count = int(rate * pick((1.1, 1.6, 2.4, 3.7)))
    times = [float(k / rate) for k in range(count)]
    free = codec not in _STEADY and suffix not in (".avi", ".gif")
    if free and rng.random() < 0.3:  # a phone's uneven times, no picture over another
        times = [0.0, *(t + float(rng.uniform(-0.4, 0.4) / rate) for t in times[1:])]
    offset_s = 0.0
    if suffix in (".ts", ".mkv", ".mp4", ".mov", ".flv") and rng.random() < 0.3:
        offset_s = pick((0.4, 2.5)) if suffix != ".ts" else pick((2.5, 36_000.0, 95_442.0))
    return Recipe(
        suffix,
        codec,
        rate,
        tuple(times),
        offset_s,
        turned=pick((0, 90, 180, 270)) if suffix in (".mp4", ".mov") else 0,
        sound=pick(("", *sounds, *sounds)),
        channels=pick((1, 2)),
        sound_late_s=pick((0.0, 0.0, 0.2)) if suffix in (".mp4", ".mov", ".mkv", ".ts") else 0.0,
        reordered=codec in ("libx264", "libx265", "mpeg4") and rng.random() < 0.5,
    )


def make(made_of: Recipe, path: Path) -> Path:
    """Writes the clip, picture by picture numbered, with a click in its sound."""
    far = made_of.offset_s > 100  # MPEG-TS: the muxer adds it, and wraps
    options = {"output_ts_offset": str(made_of.offset_s)} if far else {}
    with av.open(str(path), "w", options=options) as out:
        video = _video_stream(out, made_of)
        sound = _sound_stream(out, made_of) if made_of.sound else None
        offset_s = 0.0 if far else made_of.offset_s
        packets = [
            *_pictures(video, made_of, offset_s),
            *(_clicks(sound, made_of, offset_s) if sound else ()),
        ]
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            out.mux(packet)
    if made_of.turned:
        set_display_matrix(path, CLOCKWISE[made_of.turned])
    return path


def _video_stream(out: Any, made_of: Recipe) -> Any:
    options = dict(SPEED.get(made_of.codec, {}))
    if made_of.codec == "libx265":
        options["x265-params"] = "log-level=none" + ("" if made_of.reordered else ":bframes=0")
    if made_of.codec == "dnxhd":
        options["profile"] = "dnxhr_hq"
    if made_of.reordered and made_of.codec != "libx265":
        options["bf"] = "2"
    stream = out.add_stream(made_of.codec, rate=made_of.rate, options=options)
    stream.width, stream.height = made_of.size
    stream.pix_fmt = _PIXELS.get(made_of.codec, "yuv420p")
    stream.gop_size = 12
    if not _is_steady(made_of):
        stream.codec_context.time_base = Fraction(1, _TICKS)
    return stream


def _is_steady(made_of: Recipe) -> bool:
    return made_of.codec in _STEADY or made_of.suffix in (".avi", ".gif")


def _pictures(stream: Any, made_of: Recipe, offset_s: float) -> list[Any]:
    packets = []
    unit = 1 / made_of.rate if _is_steady(made_of) else Fraction(1, _TICKS)
    turns = made_of.turned // 90
    width, height = made_of.size if turns % 2 == 0 else made_of.size[::-1]
    for index, time_s in enumerate(made_of.times_s):
        stored = np.rot90(numbered(index, width, height), turns)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
        frame.pts, frame.time_base = round(time_s / unit) + round(offset_s / unit), unit
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _sound_stream(out: Any, made_of: Recipe) -> Any:
    layout = "mono" if made_of.channels == 1 else "stereo"
    rate = 44_100 if made_of.suffix in (".flv", ".wmv") else 48_000
    stream = out.add_stream(made_of.sound, rate=rate, layout=layout)
    if made_of.sound == "wmav2":
        stream.bit_rate = 128_000
    return stream


def _clicks(stream: Any, made_of: Recipe, offset_s: float) -> list[Any]:
    rate, packets = stream.rate, []
    begin_s = made_of.sound_late_s
    samples = np.zeros(round((made_of.duration_s - begin_s) * rate), np.float32)
    at = round((CLICK_S - begin_s) * rate)
    samples[at : at + 200] = 0.8 * np.sin(np.arange(200) * 0.4)
    for begin in range(0, len(samples), 1152):
        chunk = np.tile(samples[begin : begin + 1152], (made_of.channels, 1))
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(chunk), format="fltp", layout=stream.layout.name
        )
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = round((begin_s + offset_s) * rate) + begin
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]
