"""Resampling with and without torchaudio, and everything that needs it in a Python without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from d2m_core.media import resampling
from d2m_core.media.resampling import resampled, with_scipy

ROOT = Path(__file__).resolve().parents[3]
RATES = [(44_100, 48_000), (24_000, 48_000), (48_000, 24_000), (8_000, 44_100), (44_100, 32_000)]
LONGEST_S = 300
RESAMPLING = (
    "media/test_sound.py::test_saved_sound_loads_back",
    "media/test_sound.py::test_window_rate_and_mono",
    "media/test_sound.py::test_original_sound_is_mixed_in",
    "media/test_mux.py::test_the_best_container",
    "codec/test_encodec.py::test_encode_mixes_to_mono_and_resamples",
    "media/test_resampling.py::test_scipy_gives_what_torchaudio_gives",
)
"""Tests in which sound gets another rate: every format, films, a clip's own sound, the codec.
The last one is skipped where torchaudio is missing, and so tells that it is."""


def noise(samples: int, peak: float = 4.0) -> torch.Tensor:
    sound = torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(samples))
    return sound * peak / sound.abs().max()


def tone(rate: int, samples: int, hertz: float = 440.0) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(samples, dtype=torch.float64) / rate).float()


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("samples", [1, 7, 20_011])
def test_scipy_gives_what_torchaudio_gives(from_rate: int, to_rate: int, samples: int) -> None:
    functional = pytest.importorskip("torchaudio.functional")
    sound = noise(samples)
    there = functional.resample(sound, from_rate, to_rate)
    here = with_scipy(sound, from_rate, to_rate)
    assert (here.shape, here.dtype) == (there.shape, there.dtype)
    assert (here - there).abs().max() < 1e-4


@pytest.mark.parametrize("way", [resampled, with_scipy])
@pytest.mark.parametrize(("from_rate", "to_rate"), [*RATES, (44_101, 48_000)])
def test_a_tone_stays_the_same_tone(way, from_rate: int, to_rate: int) -> None:  # type: ignore[no-untyped-def]
    made = way(tone(from_rate, from_rate // 2), from_rate, to_rate)
    assert len(made) == -(-(from_rate // 2) * to_rate // from_rate)
    inner = slice(to_rate // 20, -to_rate // 20)  # the filter sees silence beyond the ends
    assert (made - tone(to_rate, len(made)))[inner].abs().max() < 2e-3


@pytest.mark.parametrize("way", [resampled, with_scipy])
def test_what_is_above_the_lower_rate_is_taken_out(way) -> None:  # type: ignore[no-untyped-def]
    made = way(tone(48_000, 48_000, hertz=7_000), 48_000, 8_000)
    assert made[400:-400].abs().max() < 1e-3


def test_nothing_to_do_changes_nothing() -> None:
    sound = noise(100)
    assert resampled(sound, 24_000, 24_000) is sound
    assert resampled(sound[..., :0], 24_000, 48_000).shape == (2, 2, 0)


@pytest.mark.parametrize("error", ["OSError", "RuntimeError", "ImportError"])
def test_a_broken_torchaudio_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """As beside another torch: the library that it loads asks for one that is not there."""
    (tmp_path / "torchaudio.py").write_text(f"raise {error}('libcudart.so.13: no such file')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)
    resampling.torchaudio_resample.cache_clear()
    try:
        sound = noise(500)
        assert resampling.torchaudio_resample() is None
        assert torch.equal(resampled(sound, 44_100, 48_000), with_scipy(sound, 44_100, 48_000))
    finally:
        resampling.torchaudio_resample.cache_clear()


def test_sound_films_and_codec_without_torchaudio() -> None:
    """The tests of all that resamples, in a Python that cannot import torchaudio."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rs",
            "-p",
            "no:cacheprovider",
            *(f"tests/d2m_core/{name}" for name in RESAMPLING),
        ],
        cwd=ROOT,
        env=os.environ | {"D2M_NO_TORCHAUDIO": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "(D2M_NO_TORCHAUDIO)" in done.stdout, "it could be imported"
