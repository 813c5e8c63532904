"""What a training has beside the network: losses in halves, extra heads, Muon, windows held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, load_model
from d2m_core.music.model import attend
from d2m_core.types import Waveform
from tests.training.test_train import SHAPE, TINY, gradients, same
from training.transformer.encoding import sound_of
from training.transformer.extra_heads import AHEAD, EVERY, Learner, heads_losses, sound_wanted
from training.transformer.items import SOUND, TrainItem, read_item, write_item
from training.transformer.losses import token_losses
from training.transformer.made_items import CODEC, make_items
from training.transformer.trainer import Trainer
from training.transformer.windows import draw_batch, split

HEADS = replace(TINY, heads_weight=0.3)


def sounding(count: int = 6) -> list[TrainItem]:
    """Items whose chroma goes by the first codebook."""
    made = []
    for item in make_items(count):
        sound = np.zeros((item.codes.shape[1], SOUND), np.float16)
        sound[np.arange(len(sound)), item.codes[0] % 12] = 1
        sound[:, -1] = -20
        made.append(replace(item, sound=sound))
    return made


def test_losses_in_halves_are_those_of_torch() -> None:
    random = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(300, 64, generator=random)
    targets = torch.randint(66, (300,), generator=random)  # 64 and 65 are no tokens
    wanted = F.cross_entropy(logits, torch.where(targets < 64, targets, -100), reduction="none")
    torch.testing.assert_close(token_losses(logits, targets), wanted)
    half = logits.bfloat16().requires_grad_()
    whole = half.detach().float().requires_grad_()
    weights = torch.rand(300, generator=random)
    found = token_losses(half, targets)
    exact = F.cross_entropy(whole, torch.where(targets < 64, targets, -100), reduction="none")
    torch.testing.assert_close(found.float(), exact, atol=1e-3, rtol=6e-3)
    (found * weights).sum().backward()
    (exact * weights).sum().backward()
    assert half.grad is not None
    assert whole.grad is not None
    torch.testing.assert_close(half.grad.float(), whole.grad, atol=6e-3, rtol=2e-2)
    assert not half.grad[targets >= 64].any()


def test_attention_by_products_is_that_of_torch() -> None:
    random = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 45, 16, generator=random) for _ in range(3))
    for causal in (True, False):
        wanted = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        found = attend(query.bfloat16(), key.bfloat16(), value.bfloat16(), causal)
        torch.testing.assert_close(found.float(), wanted, atol=0.03, rtol=0.03)


def test_heads_say_what_sounds_and_what_comes() -> None:
    item = sounding(1)[0]
    wanted = sound_wanted(item, 10, 50)[None]
    first = torch.from_numpy(item.codes[:1, 10:60].astype(np.int64))
    sound = torch.full((1, 53, SOUND), -20.0)
    sound[0, torch.arange(50), first[0] % 12] = 20.0
    sound[..., -1] = wanted[0, 0, -1]
    ahead = torch.zeros(len(AHEAD), 1, 27, CODEC.cardinality)
    for row, far in zip(ahead, AHEAD, strict=True):
        coming = first[0, far::EVERY]
        row[0, torch.arange(len(coming)), coming] = 40.0
    found = heads_losses(sound, ahead, wanted, first)
    assert all(float(loss) < 1e-6 for loss in found.values())
    off = heads_losses(sound.roll(1, 1), ahead.roll(1, 2), wanted, first)
    assert float(off["chroma"]) > 1
    assert float(off["ahead"]) > 1
    unknown = heads_losses(sound, ahead, sound_wanted(replace(item, sound=None), 10, 50)[None], first)
    assert float(unknown["chroma"]) == float(unknown["level"]) == 0.0


def test_heads_learn_are_not_exported_and_leave_the_network_alone(tmp_path: Path) -> None:
    config = replace(HEADS, folder=str(tmp_path), steps=30)
    trainer = Trainer(config, SHAPE, split(sounding(), 3))
    missed = []
    for step in range(30):
        parts = trainer.batch(step)
        missed.append(float(trainer.all_losses(parts[0], trainer.learner)[1].detach()))
        trainer.train_step(parts)
    assert np.mean(missed[-5:]) < 0.8 * np.mean(missed[:5])
    trainer.save()
    exported = load_model(tmp_path / "last.safetensors").model
    assert exported.state_dict().keys() == DanceToMusic(SHAPE).state_dict().keys()
    plain = Trainer(replace(config, heads_weight=0.0), SHAPE, split(sounding(), 3))
    assert [n for n, _ in plain.net.named_parameters()] == [n for n, _ in trainer.net.named_parameters()]
    assert isinstance(trainer.learner, Learner)


@pytest.mark.parametrize("more", [{"heads_weight": 0.3}, {"optimiser": "muon"}])
def test_a_run_with_them_goes_on_as_if_it_had_not_stopped(more: dict[str, object], tmp_path: Path) -> None:
    config, data = replace(TINY, folder=str(tmp_path), **more), split(sounding())
    whole = gradients(Trainer(config, SHAPE, data), 5)
    first = Trainer(config, SHAPE, data)
    gradients(first, 2)
    first.save()
    second = Trainer(config, SHAPE, data)
    assert second.restore()
    same(whole, gradients(second, 3))
    for name, value in second.learner.state_dict().items():
        assert torch.isfinite(value).all(), name


def test_muon_moves_the_layers_as_far_as_adamw_and_all_else_as_before() -> None:
    data, moved = split(sounding()), {}
    for name in ("adamw", "muon"):
        trainer = Trainer(replace(TINY, optimiser=name, weight_decay=0.0), SHAPE, data)
        before = {n: p.detach().clone() for n, p in trainer.net.named_parameters()}
        trainer.train_step(trainer.batch(0))
        moved[name] = {n: (p.detach() - before[n]) for n, p in trainer.net.named_parameters()}
    for name, step in moved["adamw"].items():
        other = moved["muon"][name]
        if name.startswith("encoder.") and step.ndim == 2:
            continue  # at first next to nothing reaches the encoder
        if name.startswith("decoder.") and step.ndim == 2:
            assert not torch.allclose(step, other), name
            assert 0.01 < float(other.square().mean() / step.square().mean()) ** 0.5 < 10, name
        else:
            assert torch.equal(step, other), name
    with pytest.raises(SettingError, match="choose adamw, muon"):
        replace(TINY, optimiser="sgd")


def test_every_held_out_item_is_measured_and_always_the_same(tmp_path: Path) -> None:
    data = split(sounding(12), 3)
    trainer = Trainer(HEADS, SHAPE, data)
    assert trainer.validate() == trainer.validate()
    net, rng = trainer.net, np.random.default_rng(0)
    batch = draw_batch(data.held_out, net, TINY, rng, [3, 0])
    assert batch.codes.shape[0] == 2
    for codes, number in zip(batch.codes, (3, 0), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(
            data.held_out[number].codes, codes.shape[1], axis=1
        )
        assert (windows.transpose(1, 0, 2) == codes.numpy()).all((1, 2)).any()


def test_sound_of_a_chord_and_of_silence_comes_back_from_the_item(tmp_path: Path) -> None:
    times = np.arange(48_000) / 24_000
    chord = sum(0.1 * np.sin(2 * np.pi * hz * times) for hz in (440.0, 554.37, 659.26))  # A C# E
    samples = np.where(times < 1, chord, 0.0).astype(np.float32)
    sound = sound_of(Waveform(torch.from_numpy(samples)[None, None], 24_000), 50.0, 100)
    assert sound.shape == (100, SOUND)
    inside = sound[10:40].astype(np.float64)
    assert set(np.argsort(inside[:, :12].mean(0))[-3:].tolist()) == {9, 1, 4}
    np.testing.assert_allclose(inside[:, :12].sum(1), 1.0, atol=0.01)
    np.testing.assert_allclose(inside[:, 12], 20 * np.log10(0.1 * np.sqrt(1.5)), atol=0.5)
    assert (sound[60:, 12] <= -79).all()
    item = replace(make_items(1, 2.0)[0], sound=sound)
    back = read_item(write_item(tmp_path / "a.safetensors", item))
    assert back.sound is not None
    np.testing.assert_array_equal(back.sound, sound)
    with pytest.raises(ValueError, match="sound"):
        replace(item, sound=sound[:50])
