"""Band music is kept by what it was made of: code, materials, length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from d2m_core.band import Materials
from training.codec import band_music
from training.codec.band_music import held_out_pieces, open_pool


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.npy")}


def test_a_pool_is_made_again_for_another_length_other_materials_and_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_code: Callable[[], None]
) -> None:
    monkeypatch.setattr(band_music, "installed_materials", Materials)  # synths alone: fast, everywhere
    (first,) = open_pool(tmp_path, 1 / 60, piece_s=1.0)
    there = files(tmp_path)
    (again,) = open_pool(tmp_path, 1 / 60, piece_s=1.0)
    assert files(tmp_path) == there
    np.testing.assert_array_equal(first, again)
    (longer,) = open_pool(tmp_path, 1 / 60, piece_s=2.0)
    assert len(longer) == 2 * len(first)
    samples = tmp_path / "samples"
    samples.mkdir()
    monkeypatch.setattr(band_music, "installed_materials", lambda: Materials(samples=samples))
    open_pool(tmp_path, 1 / 60, piece_s=1.0)
    other_code()
    open_pool(tmp_path, 1 / 60, piece_s=1.0)
    assert len(files(tmp_path)) == 4


def test_held_out_music_is_made_again_by_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_code: Callable[[], None]
) -> None:
    monkeypatch.setattr(band_music, "installed_materials", Materials)
    monkeypatch.setattr(band_music, "STYLES", ("house",))
    first = held_out_pieces(tmp_path, 1.0)
    assert first.shape == (2, 1, band_music.SAMPLE_RATE)
    np.testing.assert_array_equal(first, held_out_pieces(tmp_path, 1.0))
    other_code()
    held_out_pieces(tmp_path, 1.0)
    assert len(files(tmp_path)) == 2
