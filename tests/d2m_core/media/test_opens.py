"""How often a clip's file is opened: every time costs a look at its header and a decoded picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
import torch

from d2m_core.errors import PoseError
from d2m_core.media import open_clip
from d2m_core.media.mux import best_suffix, mux
from d2m_core.pictures import overlay_video
from d2m_core.pose import estimate_poses
from d2m_core.types import LANDMARKS, PoseSequence, Waveform

MakeClip = Callable[..., Path]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were opened to be read."""
    names: list[str] = []
    really = av.open

    def counting(file: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
        if mode == "r" and isinstance(file, str):  # not what is tried in memory
            names.append(Path(file).name)
        return really(file, mode, *args, **more)

    monkeypatch.setattr(av, "open", counting)
    return names


@pytest.mark.parametrize(("window", "gain", "right"), [((), 0.0, 5), ((), 0.5, 6), ((0.2, 1.5), 0.0, 4)])
def test_the_basic_graph_opens_its_clip_once_for_each_pass(
    make_clip: MakeClip, tmp_path: Path, opened: list[str], window: tuple, gain: float, right: int
) -> None:
    """Once for facts, poses, skeletons and own sound; for a result twice, as copying it is tried first."""
    path = make_clip("dance.mp4", duration_s=2.0, audio=True, width=160, height=120)
    clip = open_clip(path, *window)
    with pytest.raises(PoseError, match="A person was found in 0"):  # having looked at every picture
        estimate_poses(clip)
    overlay_video(clip, _nobody(round(clip.duration_s * 25)), tmp_path / "skeletons.mp4")
    wave = Waveform(torch.zeros(1, 1, 24_000), 24_000)
    mux(clip, wave, tmp_path / f"out{best_suffix(clip)}", gain)
    assert opened == ["dance.mp4"] * right


def _nobody(frames: int) -> PoseSequence:
    world, image, seen = (torch.zeros(frames, 1, LANDMARKS, n).numpy() for n in (3, 2, 1))
    return PoseSequence(world, image, seen[..., 0], seen[:, :, 0, 0] > 0, 25.0)
