"""What a codec is trained on: distances, judges and the balance between them, by property."""

from __future__ import annotations

import math

import pytest
import torch

from training.codec.balancer import Balancer
from training.codec.discriminators import (
    CONTESTS,
    Discriminators,
    PeriodDiscriminator,
    StftDiscriminator,
    ask_discriminators,
    discriminator_loss,
    make_discriminators,
)
from training.codec.settings import CodecTraining
from training.codec.spectra import FLOOR, MEL_SCALES, mel_filters, mel_scales, wave_distance


@pytest.fixture(autouse=True)
def one_seed() -> None:
    torch.manual_seed(0)


def tone(hz: float, gain: float = 0.5, seconds: float = 0.5) -> torch.Tensor:
    times = torch.arange(round(24_000 * seconds)) / 24_000
    return (gain * torch.sin(2 * torch.pi * hz * times))[None]


@pytest.mark.parametrize(("size", "bands"), MEL_SCALES)
def test_every_mel_filter_sums_to_one(size: int, bands: int) -> None:
    filters = mel_filters(24_000, size, bands)
    assert filters.shape == (bands, size // 2 + 1)
    torch.testing.assert_close(filters.sum(1), torch.ones(bands))
    assert (filters >= 0).all()


def test_distances_are_zero_only_for_equal_sound() -> None:
    for scale in mel_scales(24_000):
        same, softer = scale(tone(440), tone(440)), scale(tone(440), tone(440, gain=0.25))
        assert float(same.mel) == float(same.linear) == float(same.balance) == 0.0
        assert float(same.log) == 0.0
        assert float(softer.mel) > 0.01
        assert float(softer.log) > 0.001
        assert float(softer.linear) == pytest.approx(1.0, rel=0.01)


def test_twice_as_loud_is_six_decibels_in_every_band_above_the_floor() -> None:
    noise = torch.randn(2, 12_000)
    for scale in mel_scales(24_000):
        d = scale(noise, 0.5 * noise)
        assert float(d.mel) == pytest.approx(math.log10(2), rel=0.01)
        assert float(d.balance) == pytest.approx(math.log10(2), rel=0.01)


def test_a_full_scale_sine_has_magnitude_one() -> None:
    scale = mel_scales(24_000)[-1]
    peak = float(scale.magnitude(tone(1500, gain=1.0)).max())
    assert peak == pytest.approx(1.0, rel=0.02)
    assert float(scale.magnitude(torch.zeros(1, 12_000)).max()) < FLOOR


def test_distances_of_a_batch_are_the_means_of_its_halves() -> None:
    real = torch.randn(4, 4096) * torch.tensor([[1.0], [0.1], [0.5], [0.01]])
    fake = real + 0.3 * real.std(1, keepdim=True) * torch.randn(4, 4096)
    for scale in mel_scales(24_000):
        whole, halves = scale(fake, real), [scale(fake[i], real[i]) for i in ([0, 1], [2, 3])]
        for name in ("mel", "linear", "log", "balance"):
            mean = (getattr(halves[0], name) + getattr(halves[1], name)) / 2
            torch.testing.assert_close(getattr(whole, name), mean)
    waves = [wave_distance(fake[i][:, None], real[i][:, None]) for i in ([0, 1], [2, 3])]
    torch.testing.assert_close(wave_distance(fake[:, None], real[:, None]), torch.stack(waves).mean())


def test_stft_judges_have_encodecs_layers() -> None:
    judge = StftDiscriminator(256, channels=32)
    assert sum(p.numel() for p in judge.parameters()) == 94_498
    features = judge(torch.randn(2, 2048))
    assert [tuple(f.shape) for f in features] == [
        (2, 32, 33, 129),
        (2, 32, 33, 65),
        (2, 32, 33, 33),
        (2, 32, 33, 17),
        (2, 32, 33, 17),
        (2, 1, 33, 17),
    ]


def test_period_judges_see_rows_of_a_period() -> None:
    judge = PeriodDiscriminator(5, channels=2)
    features = judge(torch.randn(2, 1001))  # 201 rows, the last filled up
    assert features[0].shape == (2, 2, 67, 5)
    assert features[-2].shape[1] == 64
    assert features[-1].shape[1] == 1
    assert features[-1].shape[-1] == 5


@pytest.mark.parametrize("contest", sorted(CONTESTS))
@pytest.mark.parametrize("kind", ["stft", "periods"])
def test_judges_learn_to_tell_and_say_so(contest: str, kind: str) -> None:
    settings = CodecTraining(judges=kind, judge_windows=(256,), judge_periods=(3,), judge_channels=4)
    judges, rules = make_discriminators(settings), CONTESTS[contest]
    assert judges is not None
    real, fake = tone(440, seconds=0.2), 0.1 * torch.randn(1, 4800)
    optimizer = torch.optim.Adam(judges.parameters(), 1e-2)
    first = discriminator_loss(judges, real, fake, rules).item()
    for _ in range(40):
        optimizer.zero_grad()
        discriminator_loss(judges, real, fake, rules).backward()
        optimizer.step()
    assert discriminator_loss(judges, real, fake, rules).item() < 0.75 * first
    caught, passed = (ask_discriminators(judges, real, x, rules) for x in (fake, real))
    assert caught.fool.item() > passed.fool.item()
    assert passed.match.item() == 0.0


def test_the_lesson_leaves_the_codec_alone() -> None:
    judges = Discriminators(windows=(128,), channels=2)
    fake = (0.1 * torch.randn(1, 2000)).requires_grad_()
    discriminator_loss(judges, torch.randn(1, 2000), fake, CONTESTS["hinge"]).backward()
    assert fake.grad is None
    verdict = ask_discriminators(judges, torch.randn(1, 2000), fake, CONTESTS["hinge"])
    (verdict.fool + verdict.match).backward()
    assert fake.grad is not None
    assert float(fake.grad.abs().sum()) > 0


def test_hinge_and_squares_by_hand() -> None:
    good, bad = torch.tensor([2.0, 0.5]), torch.tensor([-0.5, -3.0])
    hinge, squares = CONTESTS["hinge"], CONTESTS["squares"]
    assert hinge.teach(good, bad).item() == pytest.approx((0 + 0.5) / 2 + (0.5 + 0) / 2)
    assert hinge.fool(bad).item() == pytest.approx((1.5 + 4) / 2)
    assert squares.teach(good, bad).item() == pytest.approx((1 + 0.25) / 2 + (0.25 + 9) / 2)
    assert squares.fool(bad).item() == pytest.approx((2.25 + 16) / 2)


def test_no_judges_where_none_are_asked_for() -> None:
    assert make_discriminators(CodecTraining()) is None
    both = make_discriminators(CodecTraining(judges="both", judge_channels=2))
    assert both is not None
    assert len(both.views) == 10


def test_the_balancer_by_hand() -> None:
    """Two entries of two samples. Loss a has gradient (3, 4) in each, b (0, 2) and (0, 0)."""
    sound = torch.zeros(2, 2, requires_grad=True)
    balancer = Balancer(decay=0.5)

    def losses(size: float) -> dict[str, torch.Tensor]:
        a = size * (sound * torch.tensor([3.0, 4.0])).sum()
        return {"a": a, "b": 2 * sound[0, 1]}

    # norms: a 5 and 5, mean 5; b 2 and 0, mean 1; weights 3 and 1 are shares 3/4 and 1/4
    first = balancer.gradient(losses(1.0), {"a": 3.0, "b": 1.0}, sound)
    expected = torch.tensor([[0.45, 0.6 + 0.5], [0.45, 0.6]]) / 2
    torch.testing.assert_close(first, expected)
    # a ten times as large: average norm (0.5 * 5 + 50) / (0.5 + 1) = 35, so a counts 50 / 35
    second = balancer.gradient(losses(10.0), {"a": 3.0, "b": 1.0}, sound)
    a = torch.tensor([0.45, 0.6]) * 50 / 35
    torch.testing.assert_close(second, torch.stack((a + torch.tensor([0.0, 0.5]), a)) / 2)
    again = Balancer(decay=0.5)
    again.restore(balancer.state(), torch.device("cpu"))
    weights = {"a": 1.0, "b": 1.0}
    torch.testing.assert_close(
        again.gradient(losses(2.0), weights, sound), balancer.gradient(losses(2.0), weights, sound)
    )


def test_balanced_losses_pull_alike_whatever_their_size() -> None:
    sound = torch.randn(1, 1000, requires_grad=True)
    up, side = torch.randn(1000), torch.randn(1000)
    balancer = Balancer()
    losses = {"huge": 1e4 * (sound * up).sum(), "tiny": 1e-4 * (sound * side).sum()}
    got = balancer.gradient(losses, {"huge": 1.0, "tiny": 1.0}, sound)[0]
    assert float(got @ up / up.norm()) == pytest.approx(0.5, abs=0.05)
    assert float(got @ side / side.norm()) == pytest.approx(0.5, abs=0.05)
