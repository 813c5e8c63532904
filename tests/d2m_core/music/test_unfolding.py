"""Music that goes on beat by beat, by a tiny random network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from d2m_core.codec import Codec
from d2m_core.errors import SettingError
from d2m_core.music import LoadedModel
from d2m_core.music.streaming import decoded
from d2m_core.music.unfolding import AHEAD_STEPS, Coming, Unfolding
from d2m_core.settings import SamplingConfig
from d2m_core.types import AudioTokens

from .test_streaming import BOOKS, TOKENS, codec, model_for

CONFIG = SamplingConfig(seed=3, style="house", overlap_s=1.0)
STEPS = (24, 24, 26, 20, 24, 24)


def parts(stereo: bool = True) -> tuple[LoadedModel, Codec]:
    ear = codec(stereo=stereo)
    model = model_for(ear.spec, straight=True, place=8, copies=True)
    for parameter in model.model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model, ear


def written(ask: Callable[[int], Coming], config: SamplingConfig = CONFIG) -> torch.Tensor:
    """Tokens [K, T] of six beats; the tiny codec makes much the same sound of any."""
    piece: Unfolding
    piece = Unfolding(*parts(), config, 4, lambda: ask(len(piece.ends) - 1))
    while len(piece.ends) <= len(STEPS):
        piece.more()
    return piece._codes[:, : sum(STEPS)]


def told(beat: int, energy: float = 0.5) -> Coming:
    return Coming(STEPS[beat % len(STEPS)], energy, ((0.5, 0.9),) if beat % 4 == 3 else ())


@pytest.mark.parametrize("stereo", [False, True], ids=["mono", "stereo"])
def test_beats_last_as_long_as_asked_and_sound_follows_closely(stereo: bool) -> None:
    model, ear = parts(stereo)
    piece: Unfolding
    piece = Unfolding(model, ear, CONFIG, 4, lambda: told(len(piece.ends) - 1))
    samples = 0
    for _ in range(6):
        sound = piece.more()
        assert sound.samples.shape[:2] == (1, 1 + stereo)
        samples += sound.samples.shape[-1]
    assert piece.ends == [0, *np.cumsum(STEPS * 2)[: len(piece.ends) - 1]]
    behind = piece.ends[-1] - samples / sound.sample_rate * ear.spec.token_rate
    assert 0 <= behind < AHEAD_STEPS + 3


def test_a_seed_repeats_and_what_is_told_later_changes_nothing_before() -> None:
    first = written(told)
    assert torch.equal(written(told), first)
    other = written(lambda beat: told(beat, 0.5 if beat < 4 else 1.0))
    before = sum(STEPS[:4])
    assert torch.equal(other[:, :before], first[:, :before])
    assert not torch.equal(other, first)
    assert not torch.equal(written(told, replace(CONFIG, seed=4)), first)


def test_an_endless_piece_is_not_remembered_as_a_whole() -> None:
    model, ear = parts(stereo=False)
    piece = Unfolding(model, ear, replace(CONFIG, guidance=1.0, style_guidance=0.0), 1, lambda: Coming(16))
    sizes = []
    for _ in range(40):
        piece.more()
        sizes.append(piece._codes.shape[1])
        assert len(piece._curves) == sizes[-1] // 2
        assert piece._codes.min() >= 0
    assert max(sizes) <= 17 * 16
    assert piece.ends[-1] == 16 * (len(piece.ends) - 1)


def test_a_finisher_that_waits_long_enough_hears_the_whole() -> None:
    _, ear = parts()
    assert ear.finisher is not None
    codes = torch.randint(TOKENS, (1, BOOKS, 130), generator=torch.Generator().manual_seed(1))
    pieces = [AudioTokens(part, ear.spec) for part in codes.split(26, -1)]
    exact = torch.cat([sound.samples for sound in decoded(ear, pieces)], -1)
    waits = torch.cat([s.samples for s in decoded(ear, pieces, ear.finisher.config.context)], -1)
    torch.testing.assert_close(waits, exact, atol=1e-5, rtol=1e-4)


def test_a_codec_of_another_rate_is_refused() -> None:
    model, ear = parts()
    spec = replace(ear.spec, token_rate=75.0)
    with pytest.raises(SettingError, match="50 steps a second"):
        Unfolding(replace(model, spec=spec), Codec(ear.model, spec), CONFIG, 4, lambda: Coming(24))
