"""Names and progress of `mux`; what it writes is tested with sound files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from d2m_core.errors import Cancelled
from d2m_core.media import open_clip
from d2m_core.media.mux import best_suffix, mux
from d2m_core.types import Waveform

MakeClip = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [("a.mp4", "libx264", ".mp4"), ("b.mkv", "libx264", ".mp4"), ("c.webm", "libvpx", ".mkv")],
)
def test_the_best_container(make_clip: MakeClip, name: str, codec: str, suffix: str) -> None:
    path = make_clip(name, duration_s=1.5, codec=codec)
    assert best_suffix(open_clip(path)) == suffix
    assert best_suffix(open_clip(path, 0.2, 1.1)) == ".mp4", "a window is coded again"
    wave = Waveform(torch.zeros(1, 1, 24_000), 24_000)
    assert mux(open_clip(path), wave, path.with_name(f"out{suffix}")).is_file()


def test_progress_rises_to_the_end_and_may_cancel(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = open_clip(make_clip("clip.mp4", duration_s=2.0))
    wave = Waveform(torch.zeros(1, 1, 24_000), 24_000)
    seen: list[tuple[int, int]] = []
    mux(clip, wave, tmp_path / "out.mp4", on_progress=lambda *at: seen.append(at))
    assert {total for _done, total in seen} == {2000}
    assert max(done for done, _total in seen) > 1900

    def stop(done: int, _total: int) -> None:
        if done > 500:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        mux(clip, wave, tmp_path / "stopped.mp4", on_progress=stop)
    assert sorted(os.listdir(tmp_path)) == ["clip.mp4", "out.mp4"]
