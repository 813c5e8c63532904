"""The transformer: MusicGen's equal where nothing is added; causal, cached, able to do without."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from d2m_core.grid import PHASE_NAMES
from d2m_core.music import DanceToMusic, ModelConfig
from d2m_core.music.model import FRONT_TOKENS, Conditions
from training.transformer.start_musicgen import musicgen_weights

FRAMES, STEPS = 20, 43
TINY = ModelConfig(
    features=5,
    codebooks=4,
    cardinality=32,
    dim=32,
    heads=4,
    encoder_layers=2,
    decoder_layers=3,
    ffn=48,
    dropout=0.2,
)


def tiny_model(seed: int = 0) -> DanceToMusic:
    """A tiny network whose every weight is random, those that start at zero too."""
    torch.manual_seed(seed)
    model = DanceToMusic(TINY).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def conditions(batch: int = 2, seed: int = 1) -> Conditions:
    random = torch.Generator().manual_seed(seed)
    columns = STEPS + TINY.codebooks - 1
    return Conditions(
        motion=torch.randn(batch, FRAMES, TINY.features, generator=random),
        curves=torch.rand(batch, FRAMES, 2, generator=random),
        phases=torch.randn(batch, FRAMES, len(PHASE_NAMES), generator=random),
        step_phases=torch.randn(batch, columns, len(PHASE_NAMES), generator=random),
        frame_at=(torch.arange(columns) / 2.0).expand(batch, -1),
        place=torch.zeros(batch, columns, 4, dtype=torch.int64),
        style=torch.tensor([0, -1] * batch)[:batch],
        tempo_bpm=torch.full((batch,), 128.0),
        has_motion=torch.ones(batch, dtype=torch.bool),
        has_rhythm=torch.ones(batch, dtype=torch.bool),
    )


def random_tokens(batch: int = 2) -> torch.Tensor:
    shape = (batch, TINY.codebooks, STEPS + TINY.codebooks - 1)
    return torch.randint(0, TINY.cardinality + 2, shape, generator=torch.Generator().manual_seed(2))


def test_decoder_equals_musicgen_with_its_weights() -> None:
    from transformers import MusicgenDecoderConfig, MusicgenForCausalLM

    torch.manual_seed(3)
    theirs = MusicgenForCausalLM(
        MusicgenDecoderConfig(
            vocab_size=TINY.cardinality,
            hidden_size=TINY.dim,
            num_hidden_layers=TINY.decoder_layers,
            num_attention_heads=TINY.heads,
            ffn_dim=TINY.ffn,
            num_codebooks=TINY.codebooks,
            max_position_embeddings=64,
            initializer_range=0.3,
        )
    ).eval()
    ours = tiny_model()
    mapped = musicgen_weights(theirs.state_dict())
    missing, unexpected = ours.load_state_dict(mapped, strict=False)
    assert not unexpected
    assert not [name for name in missing if name.startswith(("decoder", "heads", "tokens_in"))]
    tokens = random_tokens().clamp(max=TINY.cardinality)  # MusicGen: one id for start and pad
    memory = torch.randn(2, 7, TINY.dim)
    with torch.no_grad():
        expected = theirs(input_ids=tokens.flatten(0, 1), encoder_hidden_states=memory, use_cache=False)
        got = ours.decode(tokens, memory)
        no_memory = theirs(input_ids=tokens.flatten(0, 1), use_cache=False)
        got_no_memory = ours.decode(tokens)
    assert expected.logits.abs().max() > 0.5
    torch.testing.assert_close(got.flatten(0, 1), expected.logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(got_no_memory.flatten(0, 1), no_memory.logits, atol=1e-4, rtol=0)


def test_our_pad_gets_musicgens_row() -> None:
    model, tokens = tiny_model(), random_tokens()
    with torch.no_grad():
        model.tokens_in[:, model.pad] = model.tokens_in[:, model.start]
        as_start = torch.where(tokens == model.pad, model.start, tokens)
        assert torch.equal(model.decode(tokens), model.decode(as_start))


def test_new_model_starts_as_a_plain_decoder() -> None:
    torch.manual_seed(0)
    model, given = DanceToMusic(TINY).eval(), conditions()
    with torch.no_grad():
        assert not model.added(model.encode(given), given).any()


def test_decoder_never_looks_ahead() -> None:
    model, given, tokens = tiny_model(), conditions(), random_tokens()
    changed = tokens.clone()
    changed[:, :, 20:] = (changed[:, :, 20:] + 1) % TINY.cardinality
    with torch.no_grad():
        before, after = model(tokens, given), model(changed, given)
    torch.testing.assert_close(before[:, :, :20], after[:, :, :20], atol=1e-5, rtol=1e-5)
    assert (before[:, :, 20] - after[:, :, 20]).abs().max() > 1e-3


@pytest.mark.parametrize("prefix", [1, 17])
def test_cached_steps_equal_the_full_pass(prefix: int) -> None:
    model, given, tokens = tiny_model(), conditions(), random_tokens()
    with torch.inference_mode():
        full = model(tokens, given)
        cache = model.start_cache(given)
        parts = [model.decode(tokens[:, :, :prefix], cache=cache)]
        for p in range(prefix, tokens.shape[2]):
            parts.append(model.decode(tokens[:, :, p : p + 1], cache=cache))
    torch.testing.assert_close(torch.cat(parts, dim=2), full, atol=1e-4, rtol=1e-4)


def test_bfloat16_agrees_with_float32() -> None:
    model, given, tokens = tiny_model(), conditions(), random_tokens()
    with torch.no_grad():
        full = model(tokens, given)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(tokens, given)
    assert rough.dtype == torch.bfloat16
    assert (rough - full).abs().mean() < 0.03 * full.abs().mean()


def test_what_is_left_out_does_not_matter_and_the_rest_does() -> None:
    model, tokens = tiny_model(), random_tokens()
    given, other = conditions(seed=1), conditions(seed=4)
    never = torch.zeros(2, dtype=torch.bool)
    rhythm = {n: getattr(other, n) for n in ("curves", "phases", "step_phases")}
    with torch.no_grad():
        for name, swapped in (("has_motion", {"motion": other.motion}), ("has_rhythm", rhythm)):
            without = replace(given, **{name: never})
            same = model(tokens, replace(without, **swapped))
            assert torch.equal(model(tokens, without), same)
            assert not torch.allclose(model(tokens, given), model(tokens, replace(given, **swapped)))
        assert not torch.allclose(
            model(tokens, given), model(tokens, replace(given, style=torch.tensor([1, 1])))
        )


def test_added_are_the_encoders_frame_at_that_time_and_the_style() -> None:
    model, given = tiny_model(), replace(conditions(), has_rhythm=torch.zeros(2, dtype=torch.bool))
    with torch.no_grad():
        memory = model.encode(given)
        none = model.phase_add(torch.zeros(len(PHASE_NAMES)))
        style = model.style_add(torch.tensor([0, len(TINY.styles)]))[:, None]  # the last: none
        added = model.added(memory, given) - none - style
        frames = model.frame_add(memory[:, FRONT_TOKENS:])
    torch.testing.assert_close(added[:, 6], frames[:, 3])  # 50 tokens, 25 frames per second
    torch.testing.assert_close(added[:, 7], (frames[:, 3] + frames[:, 4]) / 2)
    torch.testing.assert_close(added[:, -1], frames[:, -1])  # past the end: the last frame


def test_one_broken_pose_cannot_blow_up_the_model() -> None:
    model, given = tiny_model(), conditions()
    given.motion[0, 3] = 1e30
    with torch.no_grad():
        assert torch.isfinite(model(random_tokens(), given)).all()


def test_shift_right_puts_start_in_front() -> None:
    model, tokens = tiny_model(), random_tokens()
    shifted = model.shift_right(tokens)
    assert (shifted[:, :, 0] == model.start).all()
    assert torch.equal(shifted[:, :, 1:], tokens[:, :, :-1])
