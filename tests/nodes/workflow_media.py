"""What the example workflows run on in tests: small drawn clips, and a song of clicks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from d2m_core.band import make_plan
from d2m_core.media import save_audio
from d2m_core.types import Waveform
from scripts.workflow_dancer import PORTRAIT
from scripts.workflow_parts import CLAPS, CONTINUE, LOAD, POSE, SELECT, SONG
from training.studio.picture.drawing import demo_dance, render_scene
from training.studio.stage.scene import stage

from .graphs import DURATION_S


@dataclass(frozen=True)
class Media:
    """Names that uploaded files have on the server."""

    clip: str
    group: str
    song: str


def draw_clip(path: Path) -> Path:
    """One dancer."""
    scene = demo_dance(3, 112.0, DURATION_S, 25.0, aspect=320 / 240)
    return render_scene(scene, path, width=320, height=240)


def draw_group(path: Path) -> Path:
    """Three people."""
    scene = stage(make_plan(5, DURATION_S, "pop", 116.0), 5, fps=25.0, people=3)
    return render_scene(scene, path, width=480, height=270)


def write_song(path: Path) -> Path:
    """Twelve seconds of clicks at another tempo than the dance's."""
    rate = 24_000
    samples = torch.zeros(1, 1, 12 * rate)
    for beat in range(23):
        start = round((0.2 + beat * 0.52) * rate)
        samples[..., start : start + 300] = torch.linspace(0.8, 0.0, 300)
    save_audio(Waveform(samples, rate), path)
    return path


def with_media(graph: dict[str, Any], media: Media) -> dict[str, Any]:
    """A workflow in API form, changed in place to run on these files and without a download."""
    change(graph, LOAD, file=media.group if str(SELECT) in graph else media.clip)
    if "download" in graph[str(POSE)]["inputs"]:
        change(graph, POSE, download=False)
    change(graph, CLAPS, audio=media.song)
    change(graph, SONG, audio=media.song)
    change(graph, PORTRAIT, image=media.clip)  # any file of the input folder passes
    change(graph, CONTINUE, keep_s=1.0)
    return graph


def change(graph: dict[str, Any], node: int, **values: Any) -> None:
    """Sets inputs of a node, if the graph has it; only inputs that are there."""
    if str(node) in graph:
        assert values.keys() <= graph[str(node)]["inputs"].keys()
        graph[str(node)]["inputs"].update(values)
