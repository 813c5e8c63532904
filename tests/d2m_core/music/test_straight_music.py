"""Music in straight time, by a tiny random network: places, copies, grids, the way back, going on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from d2m_core.codec import Codec, decode_tokens
from d2m_core.codec.encodec import spec_of
from d2m_core.errors import ModelError, SettingError
from d2m_core.grid import seconds_at
from d2m_core.music import (
    DanceToMusic,
    LoadedModel,
    ModelConfig,
    SamplingConfig,
    beginning,
    decode_music,
    generate_tokens,
)
from d2m_core.music.copies import NONE, CopyReader, copied_tokens, delayed_copies
from d2m_core.music.model import Conditions
from d2m_core.music.patterns import apply_delay
from d2m_core.music.place import place_facts
from d2m_core.music.straightening import straighten, way_of
from d2m_core.music.windows import Window, stack, steps_back, window_conditions
from d2m_core.straight import LAGS, StepGrid
from d2m_core.types import AudioTokens, MotionFeatures, Rhythm
from training.codec.network import make_codec
from training.codec.settings import CodecTraining

from .test_sampling import NAMES, SPEC, dance

CONFIG = SamplingConfig(overlap_s=0.5, seed=3)
BEAT = 26
"""Token steps of a beat of `dance`, which is at 120 BPM."""
GRID = StepGrid(5 + 24 * np.arange(12), np.arange(12) % 4 == 1)


def shape(**changes: object) -> ModelConfig:
    plain = ModelConfig(
        features=len(NAMES),
        codebooks=SPEC.codebooks,
        cardinality=SPEC.cardinality,
        dim=16,
        heads=2,
        encoder_layers=1,
        decoder_layers=2,
        ffn=32,
        dropout=0.0,
        window_s=2.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def straight_model(seed: int = 0, std: float = 0.3) -> LoadedModel:
    torch.manual_seed(seed)
    model = DanceToMusic(shape(straight=True, place=8, copies=True)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return LoadedModel(model, SPEC, NAMES, {})


def tokens_of(steps: int, batch: int = 1, seed: int = 1) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(SPEC.cardinality, (batch, SPEC.codebooks, steps), generator=random)


def given(net: DanceToMusic, window: Window) -> Conditions:
    motion, rhythm = dance(8.0)
    laid = straighten(motion, rhythm, 8.0, SPEC.token_rate)
    parts = [
        window_conditions(laid.motion, laid.rhythm, style, net, SPEC, window, laid.grid) for style in (2, -1)
    ]
    return stack(parts)


# --- copies ---


def test_copies_are_what_stood_there_and_none_before_the_piece() -> None:
    codes = tokens_of(120)
    window = Window(40, 60)
    copied = copied_tokens(codes[..., 40:100], codes[..., :40], steps_back(GRID, window))
    assert copied.shape == (1, len(LAGS), SPEC.codebooks, 60)
    assert torch.equal(copied[0, 0, :, 0], codes[0, :, 16])
    assert torch.equal(copied[0, 0, :, 59], codes[0, :, 75])
    assert (copied[0, 1, :, :56] == NONE).all()
    assert torch.equal(copied[0, 1, :, 56], codes[0, :, 0])
    assert (copied[0, 2:] == NONE).all()
    assert (copied_tokens(codes, codes[..., :0], steps_back(None, Window(0, 120))) == NONE).all()


@pytest.mark.parametrize("first", [0, 30, 200])
def test_a_reader_sees_what_training_sees(first: int) -> None:
    codes, window = tokens_of(first + 90), Window(first, 90)
    back = steps_back(GRID, window)
    own, past = codes[..., first:], codes[..., :first]
    reader = CopyReader(past[0], back, apply_delay(own, 99).repeat(2, 1, 1))
    seen = reader.columns(0, 92)
    wanted = delayed_copies(own, past, back)
    assert torch.equal(seen, wanted.repeat(2, 1, 1, 1))
    assert (wanted >= 0).any()
    assert torch.equal(reader.columns(50, 51), wanted.repeat(2, 1, 1, 1)[..., 50:51])


# --- the network ---


def test_step_by_step_is_as_all_at_once() -> None:
    net, window = straight_model().model, Window(60, 70)
    codes = tokens_of(130, batch=2)
    own, past = codes[..., 60:], codes[..., :60]
    asked = given(net, window)
    back = steps_back(GRID, window).expand(2, -1, -1)
    copied = delayed_copies(own, past, back)
    tokens = net.shift_right(apply_delay(own, net.pad))
    with torch.no_grad():
        whole = net(tokens, asked, copied)
        cache = net.start_cache(asked)
        parts = [net.decode(tokens[..., :9], cache=cache, copied=copied[..., :9])]
        parts += [
            net.decode(tokens[..., at : at + 1], cache=cache, copied=copied[..., at : at + 1])
            for at in range(9, tokens.shape[-1])
        ]
    torch.testing.assert_close(torch.cat(parts, 2), whole, atol=2e-4, rtol=1e-3)
    assert not torch.allclose(net(tokens, asked, None), whole, atol=0.1)


def test_nothing_comes_from_the_future() -> None:
    net, window = straight_model().model, Window(0, 80)
    asked, back = given(net, window), steps_back(GRID, window).expand(2, -1, -1)
    codes = tokens_of(80, batch=2)
    other = codes.clone()
    other[..., 50:] = (other[..., 50:] + 1) % SPEC.cardinality
    with torch.no_grad():
        one, two = (
            net(net.shift_right(apply_delay(c, net.pad)), asked, delayed_copies(c, c[..., :0], back))
            for c in (codes, other)
        )
    for book in range(SPEC.codebooks):  # column p of a book is predicted from the columns before
        same = 50 + book if book == 0 else 50
        torch.testing.assert_close(one[:, book, : same + 1], two[:, book, : same + 1])
    assert not torch.allclose(one[:, 0, 51:], two[:, 0, 51:])


def test_a_fresh_network_starts_without_its_new_parts() -> None:
    torch.manual_seed(0)
    plain = DanceToMusic(shape()).eval()
    new = DanceToMusic(shape(straight=True, place=8, copies=True)).eval()
    missing = new.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing
    assert all(name.startswith(("place_in", "copies")) for name in missing)
    window = Window(0, 70)
    tokens = new.shift_right(apply_delay(tokens_of(70, 2), new.pad))
    copied = delayed_copies(tokens_of(70, 2), tokens_of(0, 2), steps_back(GRID, window).expand(2, -1, -1))
    asked = given(new, window)
    with torch.no_grad():
        torch.testing.assert_close(new(tokens, asked, copied), plain(tokens, asked))


def test_every_step_of_a_bar_is_told_apart_and_no_grid_tells_nothing() -> None:
    for length, metre in ((16, 4), (26, 4), (50, 3)):
        grid = StepGrid(length * np.arange(9), np.arange(9) % metre == 0)
        facts = place_facts(torch.from_numpy(grid.places(np.arange(length * metre))))
        apart = torch.cdist(facts, facts) + 9 * torch.eye(len(facts))
        assert float(apart.min()) > 0.5
        again = place_facts(torch.from_numpy(grid.places(length * metre + np.arange(length * metre))))
        torch.testing.assert_close(again, facts)
    assert not place_facts(torch.zeros(1, 3, 4, dtype=torch.int64)).any()


def test_place_and_copies_need_straight_time() -> None:
    for part in ({"place": 8}, {"copies": True}):
        with pytest.raises(SettingError, match="straight grid"):
            shape(**part)


# --- writing ---


def test_tokens_carry_the_way_back_to_the_beats() -> None:
    motion, rhythm = dance(7.3)
    model = straight_model()
    tokens = generate_tokens(model, motion, rhythm, SPEC, CONFIG)
    assert tokens.bend is not None
    np.testing.assert_allclose(tokens.bend[:, 1], rhythm.beats_s)
    steps = tokens.bend[:, 0] * SPEC.token_rate
    np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
    assert set(np.diff(steps).round()) == {BEAT}
    end_s = seconds_at(tokens.bend[:, 0], np.array([(rhythm.duration_s - rhythm.beats_s[0]) / 0.5]))[0]
    assert tokens.codes.shape[-1] == int(np.ceil(end_s * SPEC.token_rate - 1e-6))
    assert int(tokens.codes.min()) >= 0
    again = generate_tokens(model, motion, rhythm, SPEC, CONFIG)
    assert torch.equal(tokens.codes, again.codes)
    free = generate_tokens(model, motion, None, SPEC, CONFIG)
    assert free.bend is None
    assert free.codes.shape[-1] == 364


def test_gates_that_are_open_repeat_the_beat_before() -> None:
    model = straight_model(std=0.02)
    net = model.model
    assert net.copies is not None
    with torch.no_grad():
        net.copies.gates.bias.view(SPEC.codebooks, len(LAGS))[:, 0] = 50.0
    motion, rhythm = dance(6.0)
    codes = generate_tokens(model, motion, rhythm, SPEC, replace(CONFIG, style="house")).codes[0]
    assert torch.equal(codes[:, BEAT:], codes[:, :-BEAT])


def test_what_is_kept_keeps_its_own_time_and_the_rest_goes_on() -> None:
    motion, rhythm = dance(6.0)
    model = straight_model()
    whole = generate_tokens(model, motion, rhythm, SPEC, CONFIG)
    kept = AudioTokens(whole.codes[..., :150].clone(), SPEC, whole.bend)
    longer = generate_tokens(model, *dance(9.0), SPEC, CONFIG, known=kept)
    assert torch.equal(longer.codes[..., :150], kept.codes)
    assert longer.bend is not None
    np.testing.assert_allclose(
        np.interp(rhythm.beats_s, longer.bend[:, 1], longer.bend[:, 0]), whole.bend[:, 0], atol=1e-9
    )
    sound = AudioTokens(kept.codes, SPEC)  # as encoded from any music: on the dance's own clock
    on = generate_tokens(model, *dance(9.0), SPEC, CONFIG, known=sound)
    assert torch.equal(on.codes[..., :150], kept.codes)
    assert on.bend is not None
    inside = on.bend[on.bend[:, 1] <= 3.0]
    np.testing.assert_allclose(inside[:, 0], inside[:, 1], atol=1e-9)
    steps = on.bend[on.bend[:, 1] > 3.01, 0] * SPEC.token_rate
    np.testing.assert_allclose(np.diff(steps), BEAT, atol=1e-6)


def test_candidates_are_heard_in_straight_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chooser listens to what is written, on the grid that it was written to."""
    from d2m_core.music import sampling

    heard: list[Rhythm] = []

    def decode(codec: object, tokens: AudioTokens, finish: bool) -> AudioTokens:
        assert tokens.bend is None
        assert not finish
        return tokens

    def agreement(tokens: AudioTokens, rhythm: Rhythm, start_s: float, from_s: float) -> float:
        heard.append(rhythm)
        return float(tokens.codes.sum())

    monkeypatch.setattr(sampling, "decode_tokens", decode)
    monkeypatch.setattr(sampling, "rhythm_agreement", agreement)
    motion, rhythm = dance(3.0)
    ear = object()
    best = generate_tokens(
        straight_model(),
        motion,
        rhythm,
        SPEC,
        replace(CONFIG, candidates=3),
        codec=ear,  # type: ignore[arg-type]
    )
    assert best.bend is not None
    assert len(heard) % 3 == 0
    assert all(set(np.round(np.diff(r.beats_s * 50), 6)) == {BEAT} for r in heard)


def test_motion_is_read_where_the_straight_clock_is() -> None:
    beats_s = 0.2 + 0.53 * np.arange(12)
    frames = 170
    ramp = np.arange(frames, dtype=np.float32)[:, None] / 25
    rhythm = Rhythm(beats_s, np.arange(12) % 3 == 0, np.repeat(ramp / 7, 2, 1), 60 / 0.53)
    laid = straighten(MotionFeatures(ramp, ("t",)), rhythm, 6.8, 50.0)
    assert laid.motion is not None
    assert set(np.diff(laid.grid.beats)) == {26}
    at = laid.way.to_dance(np.arange(len(laid.motion.values)) / 25)
    np.testing.assert_allclose(laid.motion.values[:, 0], np.clip(at, 0, ramp[-1, 0]), atol=1e-5)
    np.testing.assert_allclose(laid.rhythm.beats_s * 50, laid.grid.beats)
    assert laid.rhythm.tempo_bpm == pytest.approx(3000 / 26)
    assert laid.grid.metre == 3


def test_the_beginning_is_counted_in_the_time_of_the_dance() -> None:
    motion, rhythm = dance(6.0)
    tokens = generate_tokens(straight_model(), motion, rhythm, SPEC, CONFIG)
    kept = beginning(tokens, 4.0)
    assert kept.bend is tokens.bend
    way = way_of(tokens)
    assert kept.codes.shape[-1] == int(float(way.to_straight(4.0)) * SPEC.token_rate + 1e-6)
    assert kept.codes.shape[-1] > 4.0 * SPEC.token_rate, "straight time is slower here"
    plain = AudioTokens(tokens.codes, SPEC)
    assert beginning(plain, 4.0).codes.shape[-1] == 200
    assert beginning(plain, 1e-4).codes.shape[-1] == 1


def test_music_is_as_long_as_asked_in_the_time_of_the_dance() -> None:
    torch.manual_seed(0)
    codec = tiny_codec()
    model = straight_model()
    motion, rhythm = dance(3.0)
    spec = replace(model.spec, name=codec.spec.name)
    tokens = replace(generate_tokens(model, motion, rhythm, SPEC, CONFIG), codec=spec)
    wave = decode_music(codec, tokens, 3.0)
    assert wave.samples.shape == (1, 1, 72_000)
    assert torch.isfinite(wave.samples).all()
    assert float(wave.samples.abs().max()) <= 1.0
    by_itself = decode_music(codec, tokens)
    assert by_itself.duration_s == pytest.approx(float(way_of(tokens).to_dance(tokens.duration_s)), abs=1e-4)
    plain = AudioTokens(tokens.codes, spec)
    assert torch.equal(decode_music(codec, plain, 2.0).samples, decode_tokens(codec, plain, 2.0).samples)
    with pytest.raises(ModelError, match="in straight time; decode it with decode_music"):
        decode_tokens(codec, tokens, 3.0)


def tiny_codec() -> Codec:
    settings = CodecTraining(
        filters=4, hidden=16, cardinality=SPEC.cardinality, codebooks=SPEC.codebooks, lstm_layers=0
    )
    model = make_codec(settings)
    return Codec(model, spec_of(model.config, "tiny"))
