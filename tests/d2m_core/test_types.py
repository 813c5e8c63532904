"""What flows: metre and curves of a rhythm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.types import METRE, RHYTHM_CURVES, Rhythm, metre_of_bars


def rhythm(downbeats: list[int], beats: int = 13) -> Rhythm:
    """Beats every half second; bars start at the given ones."""
    starts = np.isin(np.arange(beats), downbeats)
    curves = np.random.default_rng(0).random((200, len(RHYTHM_CURVES))).astype(np.float32)
    return Rhythm(np.arange(beats) / 2, starts, curves, 120.0)


@pytest.mark.parametrize(
    ("downbeats", "metre"),
    [([0, 4, 8], 4), ([1, 4, 7, 10], 3), ([0, 3, 8, 13], 5), ([2, 4], 2), ([3], None), ([], None)],
)
def test_the_metre_is_the_way_from_bar_line_to_bar_line(downbeats: list[int], metre: int | None) -> None:
    one = rhythm(downbeats, 14)
    assert metre_of_bars(one.downbeats) == metre
    assert one.metre == (metre or METRE)


def test_curves_go_by_name() -> None:
    one = rhythm([0])
    np.testing.assert_array_equal(one.accent, one.curves[:, 0])
    np.testing.assert_array_equal(one.energy, one.curves[:, 1])
    turned = replace(one, curves=one.curves[:, ::-1].copy(), names=RHYTHM_CURVES[::-1])
    np.testing.assert_array_equal(turned.accent, one.accent)
    np.testing.assert_array_equal(turned.energy, one.energy)
