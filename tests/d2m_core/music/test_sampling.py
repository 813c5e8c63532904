"""Writing music with a tiny random network: lengths, windows, seeds, cancel, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from d2m_core.errors import Cancelled, ModelError, SettingError
from d2m_core.grid import PHASE_NAMES, phase_features, steady_beats
from d2m_core.music import DanceToMusic, LoadedModel, ModelConfig, SamplingConfig, generate_tokens, sampling
from d2m_core.music.drawing import _guided
from d2m_core.music.patterns import apply_delay
from d2m_core.music.windows import (
    Window,
    guidance_sides,
    plan_windows,
    stack,
    window_conditions,
    without_conditions,
)
from d2m_core.types import AudioTokens, CodecSpec, MotionFeatures, Rhythm

SPEC = CodecSpec("tiny", 24_000, 50.0, 3, 16)
NAMES = ("hip", "hand")


def loaded(seed: int = 0, window_s: float = 2.0) -> LoadedModel:
    torch.manual_seed(seed)
    config = ModelConfig(
        features=len(NAMES),
        codebooks=SPEC.codebooks,
        cardinality=SPEC.cardinality,
        dim=16,
        heads=2,
        encoder_layers=1,
        decoder_layers=2,
        ffn=32,
        window_s=window_s,
    )
    model = DanceToMusic(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return LoadedModel(model, SPEC, NAMES, {})


def dance(duration_s: float, seed: int = 0) -> tuple[MotionFeatures, Rhythm]:
    rng = np.random.default_rng(seed)
    frames = round(duration_s * 25)
    beats_s = steady_beats(120, duration_s, 0.1)
    motion = MotionFeatures(rng.normal(size=(frames, len(NAMES))).astype(np.float32), NAMES)
    curves = rng.random((frames, 2)).astype(np.float32)
    return motion, Rhythm(beats_s, np.arange(len(beats_s)) % 4 == 0, curves, 120.0)


def write(model: LoadedModel, duration_s: float, **settings: object) -> AudioTokens:
    config = replace(SamplingConfig(overlap_s=0.5), **settings)  # type: ignore[arg-type]
    return generate_tokens(model, *dance(duration_s), SPEC, config)


@pytest.mark.parametrize("duration_s", [0.04, 1.0, 2.0, 2.04, 5.72])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_any_length_gives_its_tokens_and_no_others(duration_s: float, guidance: float) -> None:
    tokens = write(loaded(), duration_s, guidance=guidance)
    assert tokens.codes.shape == (1, SPEC.codebooks, SPEC.steps(duration_s))
    assert tokens.codes.min() >= 0
    assert tokens.codes.max() < SPEC.cardinality  # neither start, nor pad, nor unknown


def test_seed_repeats_bit_for_bit_and_other_seeds_differ() -> None:
    model = loaded()
    first = write(model, 3.0, seed=11).codes
    assert torch.equal(first, write(model, 3.0, seed=11).codes)
    assert not torch.equal(first, write(model, 3.0, seed=2**64 - 1).codes)
    state = torch.random.get_rng_state()
    write(model, 0.5, seed=11)
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's randomness is touched


@pytest.mark.parametrize(("style", "said"), [("waltz", True), ("house", False), (None, False)])
def test_a_metre_that_the_style_does_not_have_is_told(
    style: str | None, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    write(loaded(), 4.0, style=style)
    assert ("bars of 3 beats and this rhythm has bars of 4" in caplog.text) == said


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 1e-9}])
def test_likeliest_token_whatever_the_seed(settings: dict[str, float]) -> None:
    model = loaded()
    greedy = write(model, 1.0, temperature=0.0).codes
    for seed in (1, 2):
        assert torch.equal(write(model, 1.0, seed=seed, **settings).codes, greedy)


def test_greedy_tokens_are_the_likeliest_of_one_parallel_pass() -> None:
    model, (motion, rhythm) = loaded(), dance(1.0)
    codes = write(model, 1.0, temperature=0.0, guidance=1.0).codes
    given = window_conditions(motion, rhythm, -1, model.model, SPEC, Window(0, 50))
    delayed = apply_delay(codes, model.model.pad)
    with torch.no_grad():
        likeliest = model.model(model.model.shift_right(delayed), given).argmax(-1)
    inside = delayed != model.model.pad
    assert torch.equal(likeliest[inside], delayed[inside])


def test_guidance_zero_forgets_the_dance() -> None:
    model = loaded()
    other_motion, other_rhythm = dance(1.0, seed=9)
    config = SamplingConfig(guidance=0.0)
    free = generate_tokens(model, other_motion, other_rhythm, SPEC, config).codes
    assert torch.equal(write(model, 1.0, guidance=0.0).codes, free)
    assert not torch.equal(
        write(model, 1.0).codes,
        generate_tokens(model, other_motion, other_rhythm, SPEC, SamplingConfig()).codes,
    )


def test_style_guidance_leans_on_what_the_style_changes() -> None:
    """Logits by hand: free + g (asked - free) + s (asked - any style), and each side is its own."""
    config = SamplingConfig(style="funk", guidance=2.0, style_guidance=3.0)
    asked, free, any_style = (torch.full((1, 2, 4), value) for value in (1.0, 0.5, 0.8))
    mixed = _guided(torch.cat([asked, free, any_style]), config)
    torch.testing.assert_close(mixed, torch.full((1, 2, 4), 0.5 + 2 * 0.5 + 3 * 0.2))
    model, (motion, rhythm) = loaded(), dance(1.0)
    given = window_conditions(motion, rhythm, 3, model.model, SPEC, Window(0, 50))
    sides = stack(guidance_sides(given, config))
    assert sides.style.tolist() == [3, -1, -1]
    assert sides.has_rhythm.tolist() == [True, False, True]
    alone = guidance_sides(given, SamplingConfig(style="funk", guidance=1.0, style_guidance=3.0))
    assert [side.style.tolist() for side in alone] == [[3], [-1]]


def test_style_guidance_changes_music_in_a_style_and_no_other() -> None:
    model = loaded()
    base = write(model, 1.0, temperature=0.0, style="funk").codes
    assert not torch.equal(base, write(model, 1.0, temperature=0.0, style="funk", style_guidance=3.0).codes)
    assert torch.equal(write(model, 1.0).codes, write(model, 1.0, style_guidance=3.0).codes)


@pytest.mark.parametrize("total", [1, 99, 100, 101, 174, 175, 176, 1000])
def test_windows_cover_everything_once(total: int) -> None:
    windows = plan_windows(total, SPEC, window_s=2.0, overlap_s=0.5)
    written = [s for w in windows for s in range(w.first + w.known, w.first + w.steps)]
    assert written == list(range(total))
    assert all(w.steps == min(100, total) for w in windows)
    assert all(w.known >= 25 for w in windows[1:])


def test_overlap_longer_than_a_window_still_gets_on() -> None:
    windows = plan_windows(500, SPEC, window_s=2.0, overlap_s=60.0)
    assert windows[-1].first + windows[-1].steps == 500
    assert len(windows) == 9


def test_a_further_window_keeps_what_is_written() -> None:
    model, (motion, rhythm), config = loaded(), dance(3.0), SamplingConfig()
    start = replace(motion, values=motion.values[:50]), replace(rhythm, curves=rhythm.curves[:50])
    short = generate_tokens(model, *start, SPEC, config).codes
    long = generate_tokens(model, motion, rhythm, SPEC, config).codes
    assert torch.equal(short, long[:, :, : short.shape[2]])


def test_windows_of_one_clip_share_the_grid() -> None:
    model, (motion, rhythm) = loaded(), dance(6.0)
    window = Window(first=75, steps=100)  # half a motion frame after frame 37
    given = window_conditions(motion, rhythm, 0, model.model, SPEC, window)
    times_s = 1.5 + np.arange(102) / 50
    expected = phase_features(rhythm.beats_s, rhythm.downbeats, times_s)
    np.testing.assert_allclose(given.step_phases[0], expected, atol=1e-6)
    np.testing.assert_allclose(given.motion[0], motion.values[37:87])
    assert given.frame_at[0, 0] == 0.5
    assert given.phases.shape == (1, 50, len(PHASE_NAMES))


def test_motion_or_rhythm_or_both_may_be_missing() -> None:
    model, (motion, rhythm) = loaded(), dance(1.0)
    config = SamplingConfig()
    for given in ((motion, None), (None, rhythm)):
        assert generate_tokens(model, *given, SPEC, config).codes.shape[-1] == 50
    free = generate_tokens(model, None, None, SPEC, config, duration_s=1.5)
    assert free.codes.shape[-1] == 75
    with pytest.raises(SettingError, match="duration"):
        generate_tokens(model, None, None, SPEC, config)


def test_free_side_of_guidance_is_empty() -> None:
    model, (motion, rhythm) = loaded(), dance(1.0)
    given = window_conditions(motion, rhythm, 2, model.model, SPEC, Window(0, 50))
    both = stack([given, without_conditions(given)])
    assert both.has_motion.tolist() == both.has_rhythm.tolist() == [True, False]
    assert both.style.tolist() == [2, -1]


def test_progress_rises_to_the_end_and_can_cancel() -> None:
    seen: list[tuple[int, int]] = []
    model, (motion, rhythm) = loaded(), dance(3.0)
    generate_tokens(model, motion, rhythm, SPEC, SamplingConfig(), lambda *now: seen.append(now))
    assert seen[-1] == (150, 150)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) >= 150

    def cancel(done: int, total: int) -> None:
        if done >= 5:
            raise Cancelled("stop")

    threads = torch.get_num_threads()
    with pytest.raises(Cancelled):
        generate_tokens(model, motion, rhythm, SPEC, SamplingConfig(), cancel)
    assert torch.get_num_threads() == threads


def test_a_codec_with_more_codebooks_reads_the_tokens() -> None:
    model, (motion, rhythm) = loaded(), dance(1.0)
    tokens = generate_tokens(model, motion, rhythm, replace(SPEC, codebooks=8), SamplingConfig())
    assert tokens.codec == SPEC
    assert tokens.codes.shape[1] == SPEC.codebooks


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    model, (motion, rhythm) = loaded(), dance(1.0)
    config = SamplingConfig()
    with pytest.raises(ModelError, match=r"3 x 16 at 50 Hz.*2 x 16"):
        generate_tokens(model, motion, rhythm, replace(SPEC, codebooks=2), config)
    with pytest.raises(ModelError, match=r"tiny.*other"):
        generate_tokens(model, motion, rhythm, replace(SPEC, name="other"), config)
    renamed = MotionFeatures(motion.values, ("hip", "foot"))
    with pytest.raises(ModelError, match="features"):
        generate_tokens(model, renamed, rhythm, SPEC, config)
    with pytest.raises(SettingError, match=r"'polka'.*house"):
        generate_tokens(model, motion, rhythm, SPEC, replace(config, style="polka"))
    with torch.no_grad():
        model.model.decoder_norm.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="finite"):
        generate_tokens(model, motion, rhythm, SPEC, config)


class Hearing(torch.nn.Module):
    """Stands for a codec in a test that replaces listening."""


@pytest.mark.parametrize("known_s", [0.0, 0.5])
def test_candidates_share_the_encoder_and_the_known_start(
    monkeypatch: pytest.MonkeyPatch, known_s: float
) -> None:
    """Three sides of guidance are encoded and prefilled once each, however many candidates there are."""
    model, (motion, rhythm) = loaded(), dance(1.5)
    encoded, decoded, begun, real = [], [], [], sampling.Pen.on

    def on(pen: sampling.Pen, sheet: sampling.Sheet, memory: Any, *more: Any) -> Any:
        begun.append((len(memory.added), len(sheet.delayed)))
        return real(pen, sheet, memory, *more)

    monkeypatch.setattr(sampling.Pen, "on", on)
    encode, decode = model.model.encode, model.model.decode
    monkeypatch.setattr(model.model, "encode", lambda g: encoded.append(len(g.style)) or encode(g))
    monkeypatch.setattr(model.model, "decode", lambda t, **more: decoded.append(len(t)) or decode(t, **more))
    monkeypatch.setattr(sampling, "decode_tokens", lambda _codec, tokens, finish: tokens)
    monkeypatch.setattr(sampling, "rhythm_agreement", lambda tokens, *_: float(tokens.codes.sum()))
    known = AudioTokens(torch.zeros(1, 3, 25, dtype=torch.int64), SPEC) if known_s else None
    config = SamplingConfig(style="house", candidates=4)
    codec: Any = Hearing()
    generate_tokens(model, motion, rhythm, SPEC, config, codec=codec, known=known)
    assert encoded == [3]
    assert decoded == [3], "the start, once; the rest in steps"
    assert begun == [(3, 4)]


def test_a_cache_for_several_is_that_of_each_but_for_rounding() -> None:
    """Products of more rows may be summed in another order; one candidate keeps every bit."""
    net, (motion, rhythm) = loaded().model, dance(1.0)
    sides = guidance_sides(
        window_conditions(motion, rhythm, 3, net, SPEC, Window(0, 50)), SamplingConfig(style="house")
    )
    tokens = torch.randint(0, SPEC.cardinality, (1, SPEC.codebooks, 5))
    with torch.no_grad():
        few, many = (
            net.start_cache(stack(sides)),
            net.start_cache(stack([s for s in sides for _ in range(4)])),
        )
        logits = net.decode(tokens.repeat(3, 1, 1), cache=few).repeat_interleave(4, 0)
        torch.testing.assert_close(logits, net.decode(tokens.repeat(12, 1, 1), cache=many))
        some = few.repeated(4)
        assert some.position == many.position == 5
        for ours, theirs in zip([*some.cross, some.added], [*many.cross, many.added], strict=True):
            torch.testing.assert_close(ours, theirs)
        for ours, theirs in zip(some.own, many.own, strict=True):
            torch.testing.assert_close(ours[..., :5, :], theirs[..., :5, :])
        token = tokens[:, :, :1].repeat(12, 1, 1)
        torch.testing.assert_close(net.decode(token, cache=some), net.decode(token, cache=many))
    assert few.repeated(1) is few
