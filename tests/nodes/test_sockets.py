"""What other nodes pass to ours in AUDIO and VIDEO, in ComfyUI's interpreter but without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.comfy_server import DECLARE_OPERATORS, PYTHON
from tests.media import make_clip

from .test_schemas import in_comfyui

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

START = (
    DECLARE_OPERATORS
    + """
import comfy.options
comfy.options.enable_args_parsing()
import importlib.util, json, sys
from fractions import Fraction
import numpy as np, torch
from comfy_api.latest import InputImpl, Types

name, pack = "pack_x", PACK
spec = importlib.util.spec_from_file_location(name, pack + "/__init__.py")
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
importlib.import_module(name + ".nodes")
sound, video = (importlib.import_module(f"{name}.nodes.{part}_socket") for part in ("sound", "video"))
errors = importlib.import_module(name + ".d2m_core.errors")
found = {}

def told(key, work):
    try:
        found[key] = work()
    except errors.MediaError as error:
        found[key] = str(error)
"""
)
"""Loads the pack; `told` notes a result, or the sentence of an error of ours."""

END = """
sys.stdout.write("REPORT " + json.dumps(found))
"""

SOUNDS = """
x = torch.linspace(-0.5, 0.5, 24000)
GIVEN = {
    "1 dimension": dict(waveform=x, sample_rate=24000),
    "2 dimensions": dict(waveform=x.repeat(2, 1), sample_rate=24000),
    "8 channels": dict(waveform=x.repeat(1, 8, 1), sample_rate=24000),
    "numpy": dict(waveform=x.repeat(1, 2, 1).numpy()[:, ::-1], sample_rate=np.int64(24000)),
    "whole numbers": dict(waveform=(x * 32768).short(), sample_rate=24000),
    "half": dict(waveform=x.half().requires_grad_(), sample_rate=24000.0),
    "tuple as rate": dict(waveform=x, sample_rate=(24000,)),
    "tensor as rate": dict(waveform=x, sample_rate=torch.tensor([24000])),
    "extra key": dict(waveform=x, sample_rate=24000, path="x.wav"),
    "nothing": None,
    "empty": dict(waveform=torch.zeros(1, 2, 0), sample_rate=24000),
    "no waveform": dict(samples=x, sample_rate=24000),
    "no keys": dict(),
    "no mapping": (x, 24000),
    "9 channels": dict(waveform=x.repeat(1, 9, 1), sample_rate=24000),
    "channels last": dict(waveform=torch.zeros(1, 24000, 2), sample_rate=24000),
    "4 dimensions": dict(waveform=torch.zeros(1, 1, 2, 9), sample_rate=24000),
    "no dimension": dict(waveform=torch.tensor(0.5), sample_rate=24000),
    "no numbers": dict(waveform=x * float("nan"), sample_rate=24000),
    "None": dict(waveform=None, sample_rate=24000),
    "text": dict(waveform="x.wav", sample_rate=24000),
    "complex": dict(waveform=x + 0j, sample_rate=24000),
    "two rates": dict(waveform=x, sample_rate=(24000, 44100)),
    "rate of 0": dict(waveform=x, sample_rate=0),
    "rate in words": dict(waveform=x, sample_rate="high"),
    "rate None": dict(waveform=x, sample_rate=None),
}

def facts(audio):
    wave = sound.from_audio(audio)
    off = float((wave.samples[0, -1] - x).abs().max())
    return [list(wave.samples.shape), wave.sample_rate, off, str(wave.samples.dtype)]

for key, audio in GIVEN.items():
    told(key, lambda audio=audio: facts(audio))
"""

TAKEN = {
    "1 dimension": [1, 1, 24000], "2 dimensions": [1, 2, 24000], "8 channels": [1, 8, 24000],
    "numpy": [1, 2, 24000], "whole numbers": [1, 1, 24000], "half": [1, 1, 24000],
    "tuple as rate": [1, 1, 24000], "tensor as rate": [1, 1, 24000], "extra key": [1, 1, 24000],
}  # fmt: skip
TOLD = {
    "nothing": "There is no sound in the audio input; connect audio that has some.",
    "empty": "There is no sound in the audio input; connect audio that has some.",
    "no waveform": "has no waveform, only samples, sample_rate; connect AUDIO",
    "no keys": "has no waveform and no sample_rate, only nothing; connect AUDIO",
    "no mapping": "is of type tuple; connect AUDIO",
    "9 channels": "shape [1, 9, 24000]; it must be [batch, channels, samples] with at most 8 channels",
    "channels last": "shape [1, 24000, 2]; it must be [batch, channels, samples]",
    "4 dimensions": "shape [1, 1, 2, 9]; it must be",
    "no dimension": "shape []; it must be",
    "no numbers": "values that are not numbers; make it again",
    "None": "waveform of the audio input cannot be read",
    "text": "waveform of the audio input cannot be read",
    "complex": "its numbers are torch.complex64",
    "two rates": "sample_rate of the audio input is (24000, 44100); it must be one number",
    "rate of 0": "sample_rate of the audio input is 0; it must be",
    "rate in words": "sample_rate of the audio input is 'high'; it must be",
    "rate None": "sample_rate of the audio input is None; it must be",
}


def test_audio_of_every_shape_is_taken_or_told(tmp_path: Path) -> None:
    found = in_comfyui(START + SOUNDS + END, tmp_path)
    assert found.keys() == TAKEN.keys() | TOLD.keys()
    for name, shape in TAKEN.items():
        assert found[name][:2] == [shape, 24000], name
        assert found[name][2] < 3e-4, name
        assert found[name][3] == "torch.float32"
    for name, words in TOLD.items():
        assert words in found[name], name
        assert "\n" not in found[name]


VIDEOS = """
import av

class Trimmed(InputImpl.VideoFromFile):
    # As VideoFromFile of 2026 answers after stock Trim Video.
    def __init__(self, file, start, duration):
        super().__init__(file)
        self.window = start, duration

    def get_active_trim_window(self):
        start, duration = self.window
        return (max(CLIP_S + start, 0.0) if start < 0 else start), duration

CLIP_S = 10.0
WINDOWS = {
    "whole": (0, 0), "too long": (0, 30), "near the end": (8, 5), "from the end": (-3, 10),
    "before the start": (-30, 4), "inside": (2, 3), "open": (4, 0), "behind the end": (12, 2),
}
for key, (start, duration) in WINDOWS.items():
    def facts(start=start, duration=duration):
        clip = video.clip_of(Trimmed(CLIP, start, duration))
        return [round(clip.start_s, 3), round(clip.duration_s, 3)]
    told(key, facts)

def frames(height, width, colours=3, audio=None):
    images = torch.zeros(50, height, width, colours)
    images[:, -16:], images[:, :, -16:] = 1.0, 1.0  # a white edge below and on the right
    parts = Types.VideoComponents(images=images, frame_rate=Fraction(25), audio=audio)
    clip = video.clip_of(InputImpl.VideoFromComponents(parts))
    with av.open(str(clip.path)) as film:
        last = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)][-1]
    edges = [int(last[-2:, 40].min()), int(last[40, -2:].min())]
    return [clip.width, clip.height, round(clip.duration_s, 3), clip.has_audio, edges]

tone = torch.sin(torch.arange(48000) * 0.05) / 2
told("text", lambda: video.clip_of("dance.mp4"))
told("361 lines", lambda: frames(361, 641))
told("361 lines of 640", lambda: frames(361, 640))
told("even", lambda: frames(360, 640))
told("with alpha", lambda: frames(120, 161, 4))
told("flat sound", lambda: frames(120, 160, 3, dict(waveform=tone, sample_rate=24000)))
told("5.1", lambda: frames(120, 160, 3, dict(waveform=tone.repeat(1, 6, 1), sample_rate=24000)))
told("empty sound", lambda: frames(120, 160, 3, dict(waveform=torch.zeros(1, 1, 0), sample_rate=24000)))
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    clip = make_clip(tmp_path_factory.mktemp("clips") / "base.mp4", duration_s=10.0)
    code = f"CLIP = {json.dumps(str(clip))}\n{VIDEOS}"
    return in_comfyui(START + code + END, tmp_path_factory.mktemp("videos"))


@pytest.mark.parametrize(
    ("name", "start_s", "duration_s"),
    [
        ("whole", 0.0, 10.0),
        ("too long", 0.0, 10.0),
        ("near the end", 8.0, 2.0),
        ("from the end", 7.0, 3.0),
        ("before the start", 0.0, 4.0),
        ("inside", 2.0, 3.0),
        ("open", 4.0, 6.0),
    ],
)
def test_windows_are_as_lenient_as_trim_videos(
    videos: dict[str, Any], name: str, start_s: float, duration_s: float
) -> None:
    assert videos[name] == [pytest.approx(start_s, abs=0.01), pytest.approx(duration_s, abs=0.01)]


def test_a_window_behind_the_end_is_told(videos: dict[str, Any]) -> None:
    assert "The window starts at 12 s, but base.mp4 goes from 0 to 10.00 s" in videos["behind the end"]


@pytest.mark.parametrize(
    ("name", "width", "height"), [("361 lines", 640, 360), ("361 lines of 640", 640, 360), ("even", 640, 360)]
)
def test_frames_of_odd_size_are_written(videos: dict[str, Any], name: str, width: int, height: int) -> None:
    """H.264 in 4:2:0 holds even sizes only."""
    *size, duration_s, has_audio, edges = videos[name]
    assert (size, duration_s, has_audio) == ([width, height], 2.0, False)
    assert min(edges) > 180


def test_what_is_no_video_is_told(videos: dict[str, Any]) -> None:
    assert videos["text"] == "The video input is of type str; connect a VIDEO, or a clip of this pack."


def test_frames_with_alpha_and_sounds_of_all_shapes_are_written(videos: dict[str, Any]) -> None:
    assert videos["with alpha"][:4] == [160, 120, 2.0, False]
    assert videos["flat sound"][:4] == videos["5.1"][:4] == [160, 120, 2.0, True]
    assert videos["empty sound"][:4] == [160, 120, 2.0, False]
