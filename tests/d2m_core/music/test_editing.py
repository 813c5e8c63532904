"""Music that is changed: what stays bit for bit, what is written, who is chosen, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from d2m_core.errors import Cancelled, ModelError, SettingError
from d2m_core.music import LoadedModel, SamplingConfig, extend_left, extend_right, generate_tokens, repaint
from d2m_core.music.filling import Gap, plan_fill
from d2m_core.music.straightening import way_of
from d2m_core.spans import Span
from d2m_core.types import AudioTokens

from .test_sampling import SPEC, dance, loaded
from .test_straight_music import BEAT, straight_model

CONFIG = SamplingConfig(overlap_s=0.5, seed=4, candidates=3)
SECONDS = 6.0


def written(model: LoadedModel) -> AudioTokens:
    return generate_tokens(model, *dance(SECONDS), SPEC, replace(CONFIG, candidates=1))


@pytest.mark.parametrize("straight", [False, True])
@pytest.mark.parametrize("span", [Span(0.0, 1.0), Span(1.1, 2.1), Span(0.5, 5.0), Span(4.1, SECONDS)])
def test_only_the_span_is_new(straight: bool, span: Span) -> None:
    """From the start, within a window, over several windows, and up to the end."""
    model = straight_model() if straight else loaded()
    old, (motion, rhythm) = written(model), dance(SECONDS)
    told: list[tuple[int, int]] = []
    edited = repaint(model, old, [span], rhythm, CONFIG, lambda *at: told.append(at), motion=motion)
    new = edited.tokens
    way = way_of(old)
    first, end = (round(float(way.to_straight(at)) * 50) for at in (span.start_s, span.end_s))
    end = min(end, old.codes.shape[-1])
    assert torch.equal(new.codes[..., :first], old.codes[..., :first])
    assert torch.equal(new.codes[..., end:], old.codes[..., end:])
    assert not torch.equal(new.codes[..., first:end], old.codes[..., first:end])
    assert int(new.codes.min()) >= 0
    assert (new.bend is None) == (not straight)
    if straight:
        np.testing.assert_allclose(new.bend, old.bend)
    (changed,) = edited.changed
    assert changed.start_s == pytest.approx(span.start_s, abs=0.02)
    assert changed.end_s == pytest.approx(span.end_s, abs=0.02)
    assert told[-1] == (end - first, end - first)
    assert len(edited.fits[0].losses) == (3 if end < old.codes.shape[-1] else 0)


def test_the_candidate_that_leads_on_best_is_taken() -> None:
    """The loss of the next bar is that of a plain forward pass over the piece as it came out."""
    model, (_, rhythm) = loaded(), dance(SECONDS)
    old = written(model)
    one = repaint(model, old, [Span(0.2, 0.7)], rhythm, CONFIG)
    (fit,) = one.fits
    assert len(set(fit.losses)) == 3
    assert fit.losses[fit.chosen] == min(fit.losses)
    assert fit.before is not None
    same = repaint(model, one.tokens, [Span(0.2, 0.7)], rhythm, replace(CONFIG, seed=9))
    assert same.fits[0].before == pytest.approx(min(fit.losses), abs=1e-5)


def test_likeness_goes_from_free_to_a_copy() -> None:
    model, (_, rhythm) = loaded(), dance(SECONDS)
    old, span = written(model), Span(1.1, 4.1)
    kept = []
    for likeness in (0.0, 0.5, 1.0):
        edited = repaint(model, old, [span], rhythm, replace(CONFIG, candidates=1), likeness=likeness)
        kept.append(float((edited.tokens.codes == old.codes)[..., 55:205].float().mean()))
    assert kept[0] < kept[1] < kept[2] == 1.0


@pytest.mark.parametrize("guided", [{"guidance": 1.0}, {"style": "house"}, {"temperature": 0.0}])
def test_a_pull_is_the_same_however_it_is_guided(guided: dict[str, object]) -> None:
    model, (_, rhythm) = loaded(), dance(SECONDS)
    old, config = written(model), replace(CONFIG, candidates=1, **guided)  # type: ignore[arg-type]
    copy = repaint(model, old, [Span(1.1, 4.1)], rhythm, config, likeness=1.0)
    assert torch.equal(copy.tokens.codes, old.codes)


@pytest.mark.parametrize("straight", [False, True])
def test_bars_come_in_front_and_the_old_beats_keep_their_places(straight: bool) -> None:
    model = straight_model() if straight else loaded()
    old, (motion, rhythm) = written(model), dance(SECONDS)
    edited = extend_left(model, old, 2, rhythm, CONFIG, motion=motion)
    steps = edited.tokens.codes.shape[-1] - old.codes.shape[-1]
    assert steps == (8 * BEAT if straight else 200)
    assert torch.equal(edited.tokens.codes[..., steps:], old.codes)
    assert edited.added_s == pytest.approx(4.0)
    assert edited.duration_s == pytest.approx(10.0, abs=0.02)  # tokens are whole steps
    beats = edited.rhythm.beats_s
    np.testing.assert_allclose(beats, np.arange(len(beats)) * 0.5 + 0.1, atol=1e-9)
    np.testing.assert_array_equal(edited.rhythm.downbeats, np.arange(len(beats)) % 4 == 0)
    assert edited.rhythm.duration_s == pytest.approx(10.0, abs=0.02)
    np.testing.assert_allclose(edited.rhythm.curves[100:], rhythm.curves)
    np.testing.assert_allclose(edited.rhythm.curves[:50], rhythm.curves[50:100])  # bars 2, 3
    if straight:
        before, after = way_of(old), way_of(edited.tokens)
        np.testing.assert_allclose(
            after.to_straight(rhythm.beats_s + 4.0), before.to_straight(rhythm.beats_s) + steps / 50
        )
        steps_of_beats = after.to_straight(beats) * 50
        np.testing.assert_allclose(steps_of_beats, steps_of_beats.round(), atol=1e-6)
    assert len(edited.fits[0].losses) == 3
    assert edited.changed == (Span(0.0, pytest.approx(4.0, abs=0.02)),)


@pytest.mark.parametrize("straight", [False, True])
def test_bars_come_behind(straight: bool) -> None:
    model = straight_model() if straight else loaded()
    old, (motion, rhythm) = written(model), dance(SECONDS)
    edited = extend_right(model, old, 1, rhythm, CONFIG, motion=motion)
    kept = round(float(way_of(old).to_straight(SECONDS)) * 50 - 0.5)
    assert torch.equal(edited.tokens.codes[..., :kept], old.codes[..., :kept])
    assert edited.duration_s == pytest.approx(8.0, abs=0.02)
    assert way_of(edited.tokens).to_dance(edited.tokens.duration_s) == pytest.approx(8.0, abs=0.03)
    assert int(edited.tokens.codes.min()) >= 0
    assert edited.rhythm.duration_s == 8.0


def test_added_bars_that_copy_are_their_neighbours() -> None:
    model, (_, rhythm) = loaded(), dance(SECONDS)
    old = written(model)
    left = extend_left(model, old, 1, rhythm, CONFIG, likeness=1.0).tokens.codes
    assert torch.equal(left[..., :100], old.codes[..., :100])
    right = extend_right(model, old, 1, rhythm, CONFIG, likeness=1.0).tokens.codes
    assert torch.equal(right[..., 300:], old.codes[..., 200:])


@pytest.mark.parametrize(
    ("gap", "first", "last"),
    [
        (Gap(0, 50, 100), (0, 500), (0, 500)),
        (Gap(600, 700, 100), (300, 500), (300, 500)),
        (Gap(100, 900, 100), (0, 500), (500, 500)),
        (Gap(100, 550, 100), (0, 425), (150, 500)),
        (Gap(990, 1000, 0), (500, 500), (500, 500)),
    ],
)
def test_windows_reach_over_what_judges(gap: Gap, first: tuple[int, int], last: tuple[int, int]) -> None:
    windows = plan_fill(gap, 1000, 500, 150)
    assert (windows[0].first, windows[0].steps) == first
    assert (windows[-1].first, windows[-1].steps) == last
    assert all(here.first + here.steps < gap.end for here in windows[:-1])
    covered = {step for window in windows for step in range(window.first, window.first + window.steps)}
    assert set(range(gap.first, min(1000, gap.end + gap.after))) <= covered
    assert plan_fill(Gap(0, 60, 0), 60, 500, 150)[0].steps == 60


def test_what_cannot_be_edited_is_said() -> None:
    model, (_, rhythm) = loaded(), dance(SECONDS)
    old = written(model)
    for likeness in (-0.1, 1.1):
        with pytest.raises(SettingError, match="likeness"):
            repaint(model, old, [Span(0, 1)], rhythm, CONFIG, likeness=likeness)
    with pytest.raises(SettingError, match="begins at 9 s and the music lasts 6 s"):
        repaint(model, old, [Span(9, 10)], rhythm, CONFIG)
    with pytest.raises(SettingError, match="no span"):
        repaint(model, old, [], rhythm, CONFIG)
    with pytest.raises(SettingError, match="0 bars"):
        extend_left(model, old, 0, rhythm, CONFIG)
    with pytest.raises(ModelError, match="2 pieces"):
        repaint(model, replace(old, codes=old.codes.repeat(2, 1, 1)), [Span(0, 1)], rhythm, CONFIG)
    with pytest.raises(ModelError, match="straight time"):
        repaint(model, written(straight_model()), [Span(0, 1)], rhythm, CONFIG)

    def stop(done: int, total: int) -> None:
        if done >= 10:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        repaint(model, old, [Span(0, 1)], rhythm, CONFIG, stop)
