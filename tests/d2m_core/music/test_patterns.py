"""The delay pattern, over a sweep of small sizes."""

from __future__ import annotations

import pytest
import torch

from d2m_core.music.patterns import apply_delay, undo_delay

PAD = -7


@pytest.mark.parametrize("codebooks", [1, 2, 4, 9])
@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_undo_is_the_inverse(codebooks: int, steps: int) -> None:
    codes = torch.randint(0, 1024, (3, codebooks, steps))
    delayed = apply_delay(codes, PAD)
    assert delayed.shape == (3, codebooks, steps + codebooks - 1)
    assert torch.equal(undo_delay(delayed), codes)


@pytest.mark.parametrize("codebooks", [1, 3, 4])
def test_column_p_holds_time_p_minus_k_and_pads_elsewhere(codebooks: int) -> None:
    steps = 6
    codes = torch.arange(codebooks * steps).view(1, codebooks, steps)
    delayed = apply_delay(codes, PAD)
    for k in range(codebooks):
        for p in range(delayed.shape[2]):
            inside = 0 <= p - k < steps
            assert delayed[0, k, p] == (codes[0, k, p - k] if inside else PAD)


def test_too_few_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        undo_delay(torch.zeros(1, 4, 2, dtype=torch.long))
