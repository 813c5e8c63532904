"""Clips made at random: each becomes a film that is right, or is refused in a sentence before any work.

D2M_CLIPS says how many; 500 are the full run.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core.media import load_audio, open_clip, shown_frames
from d2m_core.media.mux import best_suffix, mux
from d2m_core.media.plan import plan_film
from d2m_core.media.video import RgbConverter
from d2m_core.types import VideoClip, Waveform
from tests.media import read_number
from tests.random_clips import make, recipe

CLIPS = int(os.environ.get("D2M_CLIPS", "30"))
SYNC_S = 0.010
MUSIC_RATE = 24_000
BEAT_S = 0.7
"""When the music clicks."""


def music(duration_s: float) -> Waveform:
    samples = torch.zeros(1, 1, round(duration_s * MUSIC_RATE))
    at = round(BEAT_S * MUSIC_RATE)
    samples[..., at : at + 100] = 0.8 * torch.sin(torch.arange(100) * 0.8)
    return Waveform(samples, MUSIC_RATE)


def first_sound_s(wave: Waveform, from_s: float, to_s: float) -> float:
    """When the sound rises to half its peak between two times."""
    begin = round(from_s * wave.sample_rate)
    level = wave.samples[0].abs().amax(dim=0)[begin : round(to_s * wave.sample_rate)]
    return (begin + int(torch.nonzero(level > 0.5 * level.max())[0])) / wave.sample_rate


def shown(clip: VideoClip) -> list[tuple[float, int]]:
    """(time, number) of every picture."""
    to_rgb = RgbConverter(clip.width, clip.height)
    return [(each.time_s, read_number(to_rgb(each.frame))) for each in shown_frames(clip)]


@pytest.mark.parametrize("seed", range(CLIPS))
def test_a_valid_clip_becomes_a_right_film(seed: int, tmp_path: Path) -> None:
    made_of = recipe(seed)
    path = make(made_of, tmp_path / f"clip{made_of.suffix}")
    rng = np.random.default_rng(10_000 + seed)
    before = hashlib.sha256(path.read_bytes()).digest()
    whole = open_clip(path)
    frame_s = max(np.diff(made_of.times_s).max(), float(1 / made_of.rate))
    times_s = as_ffmpeg_reads(path)
    assert len(times_s) == len(made_of.times_s)
    length_s = times_s[-1] + float(1 / made_of.rate)
    assert whole.duration_s == pytest.approx(length_s, abs=frame_s + 0.002), made_of
    clip = open_clip(path, 0.05) if rng.random() < 0.3 and made_of.duration_s > 1.1 else whole
    suffix = (best_suffix(clip), ".mp4", ".mov", ".mkv")[int(rng.integers(4))]
    plan = plan_film(clip, tmp_path / f"out{suffix}")
    gain = 0.5 if clip.has_audio and rng.random() < 0.5 else 0.0
    film = open_clip(mux(clip, music(clip.duration_s), plan.path, gain, recode=plan.recode))
    assert film.duration_s == pytest.approx(clip.duration_s, abs=frame_s + 0.002), made_of
    assert (film.width // 2, film.height // 2) == (clip.width // 2, clip.height // 2)
    assert film.first_s == pytest.approx(0.0, abs=0.0015)
    _check_pictures(times_s, clip, film)
    heard = load_audio(film.path)
    assert heard.duration_s == pytest.approx(film.duration_s, abs=frame_s + 0.03)
    assert first_sound_s(heard, 0.65, 0.75) == pytest.approx(BEAT_S, abs=SYNC_S), made_of
    if gain:
        own = first_sound_s(load_audio(path), 0.4, 0.6) - clip.start_s
        assert first_sound_s(heard, 0.35, 0.6) == pytest.approx(own, abs=SYNC_S), made_of
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert sorted(os.listdir(tmp_path)) == sorted((path.name, plan.path.name))


def as_ffmpeg_reads(path: Path) -> list[float]:
    """When each picture is shown, from the first on. (AVI holds a gap where its sound begins early.)"""
    with av.open(str(path)) as container:
        times_s = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    return [time_s - times_s[0] for time_s in times_s]


def _check_pictures(times_s: list[float], clip: VideoClip, film: VideoClip) -> None:
    """Each picture of the clip is in the film, once, when it was shown in the clip."""
    wanted: list[Any] = [(t - clip.start_s, n) for n, t in enumerate(times_s)]
    passed = [at for at in wanted if at[0] <= 0.001]
    wanted = [(0.0, passed[-1][1]), *(at for at in wanted if at[0] > 0.001)]
    found = shown(film)
    assert [number for _t, number in found] == [number % 256 for _t, number in wanted]
    late = np.array([t for t, _n in found]) - np.array([t for t, _n in wanted])
    assert np.abs(late).max() < SYNC_S
