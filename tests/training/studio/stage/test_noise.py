"""The noise model: repeatable, as large as was measured, and wrong in MediaPipe's ways."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.band import make_plan
from d2m_core.types import PoseSequence
from training.studio.stage.fit import fit_noise, level_of, simulated
from training.studio.stage.hiding import HIDDEN
from training.studio.stage.measure import (
    SWAP,
    Sighting,
    banded,
    errors,
    in_metres,
    lag_ms,
    picture_scale,
    runs,
    sighting,
)
from training.studio.stage.noise import FITTED, mediapipe_like
from training.studio.stage.noise_model import NoiseModel, load_noise, save_noise
from training.studio.stage.scene import Scene, stage
from training.studio.stage.shot import Shot
from training.studio.stage.shown import shown_at
from training.studio.stage.smoothing import one_euro, remembering


@pytest.fixture(scope="module")
def scene() -> Scene:
    return stage(make_plan(2, 12.0, "house"), 2, shot=Shot())


@pytest.fixture(scope="module")
def quiet() -> NoiseModel:
    """A model without any fault."""
    model = load_noise()
    return replace(
        model,
        bias_mean=0 * model.bias_mean,
        bias_spread=0 * model.bias_spread,
        gain_mean=0 * model.gain_mean,
        gain_spread=0 * model.gain_spread,
        levels=0 * model.levels,
        swap_rate=0 * model.swap_rate,
        gap_rate=0 * model.gap_rate,
        late_start=0.0,
    )


def like(poses: Scene | PoseSequence, seed: int, **more: object) -> PoseSequence:
    return mediapipe_like(poses, np.random.default_rng(seed), **more)  # type: ignore[arg-type]


def test_noise_is_small_repeatable_and_hip_centred(scene: Scene) -> None:
    seen, again, other = like(scene, 1), like(scene, 1), like(scene, 2)
    for name in ("world", "image", "visibility", "present"):
        assert getattr(seen, name).tobytes() == getattr(again, name).tobytes()
    assert not np.array_equal(seen.world, other.world)
    here = seen.present[:, 0]
    error = np.abs(seen.world - scene.poses.world)[here]
    assert 0.003 < np.median(error[..., :2]) < 0.09
    assert error[..., 2].mean() > error[..., :2].mean()
    assert np.abs(seen.world[:, 0, 23:25].mean(1)).max() < 1e-5
    assert np.isfinite(seen.image).all()


def test_severity_makes_it_worse(scene: Scene) -> None:
    def size(severity: float) -> float:
        gaps = [like(scene, n, severity=severity).world - scene.poses.world for n in range(4)]
        return float(np.mean([np.abs(np.diff(gap, axis=0)).mean() for gap in gaps]))

    assert size(2.0) > 1.4 * size(1.0)


def test_without_faults_only_the_filter_is_left(scene: Scene, quiet: NoiseModel) -> None:
    seen = like(scene, 1, model=quiet, as_shown=False)
    assert seen.present.all()
    scale = picture_scale(scene.poses)
    true, found = in_metres(scene.poses, scale), in_metres(seen, scale)
    good = np.ones(len(true), bool)
    for joint in (0, 15, 28):
        assert 0 < lag_ms(true[:, joint, 3:], found[:, joint, 3:], good, 25.0) < 50
    assert np.abs(found - true).max() < 0.25
    assert np.abs(found - true).mean() < 0.02


def test_slow_movements_lag_more_than_fast_ones() -> None:
    times = np.arange(400) / 25
    filters = np.array([[0.05, 80 / 2.2]])
    for size, least, most in ((0.02, 30.0, 150.0), (0.5, 0.0, 15.0)):
        way = size * np.sin(2 * np.pi * times)[:, None]
        late = lag_ms(way, one_euro(way, 25.0, filters), np.ones(400, bool), 25.0)
        assert least <= late <= most


def test_noise_with_a_memory_has_unit_size_and_that_memory() -> None:
    noise = remembering(np.random.default_rng(0).standard_normal((20000, 4)), 0.4, 25.0)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    kept = (noise[10:] * noise[:-10]).mean()
    assert kept == pytest.approx(np.exp(-1.0), abs=0.06)


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_clips_show_the_past_by_at_most_a_picture_or_a_lost_one(fps: float) -> None:
    late = []
    for seed in range(40):
        shown = shown_at(300, fps, np.random.default_rng(seed))
        assert (np.diff(shown) > -0.6).all()
        late.append((np.arange(300) - shown)[10:-10] / fps)
    typical = np.median(np.abs(late), axis=1)
    assert np.median(typical) < 0.03
    assert np.quantile(np.abs(late), 0.99) < 0.12


def test_hidden_joints_are_less_visible_and_further_off(scene: Scene) -> None:
    poses = scene.poses
    visibility = poses.visibility.copy()
    visibility[:, :, 25:] = HIDDEN
    cut = PoseSequence(poses.world, poses.image, visibility, poses.present, poses.fps)
    off, seen = np.zeros((2, 6)), np.zeros((2, 6, 2))
    for row, clean in enumerate((poses, cut)):
        for seed in range(6):
            found = like(clean, seed, severity=FITTED)
            there = found.present[:, 0]
            off[row, seed] = np.abs(found.image - poses.image)[there][:, 0, 27:].mean()
            seen[row, seed] = [found.visibility[there, 0, j].mean() for j in (27, 11)]
    whole, half = seen.mean(1)
    assert half[0] < 0.7 * whole[0], "ankles behind something"
    assert half[1] == pytest.approx(whole[1], abs=0.05), "shoulders in sight"
    assert off[1].mean() > 1.3 * off[0].mean()


def test_swaps_and_gaps_come_as_often_as_the_model_says(scene: Scene, quiet: NoiseModel) -> None:
    model = replace(
        quiet,
        swap_rate=np.full((2, 3), 0.5),
        swap_s=np.full((2, 3), 0.3),
        gap_rate=np.full(2, 0.4),
        gap_s=np.full(2, 0.4),
    )
    crossed, lost, starts, seconds = 0.0, 0.0, 0, 0.0
    for seed in range(12):
        seen = like(scene, seed, model=model, severity=FITTED, as_shown=False)
        lost += (~seen.present).mean()
        starts += len(runs(~seen.present[:, 0]))
        seconds += seen.duration_s
        pair = sighting(scene.poses, seen, ())
        found = errors(pair)
        crossed += 0 if found is None else found.swapped["legs"].mean()
    assert 0.2 < starts / seconds < 0.6
    assert 0.05 < lost / 12 < 0.3
    assert crossed / 12 > 0.02


def test_groups_are_seen_person_by_person() -> None:
    group = stage(make_plan(4, 4.0), 4, 3, shot=Shot())
    seen = like(group, 1)
    assert seen.people == 3
    gap = np.linalg.norm(seen.image - group.poses.image, axis=-1)
    assert np.median(gap[seen.present]) < 0.08


def test_bands_add_up_and_swapping_twice_is_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(100, 33, 5))
    np.testing.assert_allclose(banded(values, 25.0).sum(0), values)
    assert (SWAP[SWAP] == np.arange(33)).all()
    assert runs(np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)).tolist() == [2, 1, 3]


def test_a_fit_finds_the_noise_that_was_put_in() -> None:
    """Sightings made by one model: the model fitted to them makes errors of the same size."""
    truth_model = replace(load_noise(), clip_spread=0.1, joint_spread=0.05)
    rng = np.random.default_rng(0)
    pairs = []
    for seed in range(6):
        made = stage(make_plan(seed, 6.0), seed, shot=Shot())
        base = Sighting(made.poses, made.poses, made.poses.present[:, 0], ())
        pairs.append(simulated(base, truth_model, rng))
    fitted = fit_noise(pairs, 1, "a test", rounds=3)
    real = level_of([e for pair in pairs if (e := errors(pair)) is not None])
    again = [errors(simulated(pair, fitted, rng)) for pair in pairs]
    made_again = level_of([e for e in again if e is not None])
    ratio = np.log(made_again / real)[:, 11:, :]
    assert np.abs(np.median(ratio)) < 0.25
    assert np.quantile(np.abs(ratio), 0.8) < 0.6
    assert fitted.visibility[0, 15, 7] == pytest.approx(truth_model.visibility[0, 15, 7], abs=0.08)


def test_the_model_survives_its_file_and_refuses_another(tmp_path: Path) -> None:
    model = load_noise()
    again = load_noise(save_noise(model, tmp_path / "noise.json"))
    np.testing.assert_allclose(again.levels, model.levels, rtol=1e-3)
    assert again.measured == model.measured
    assert "MediaPipe" in model.measured
    (tmp_path / "bad.json").write_text('{"levels": []}')
    with pytest.raises(ValueError, match="levels"):
        load_noise(tmp_path / "bad.json")


def test_fast_enough_for_hours() -> None:
    """Stage and noise of 30 s may cost 0.4 s beside the dance; test machines are busy."""
    plan = make_plan(1, 30.0)
    stage(plan, 0)
    start = time.process_time()
    for seed in range(3):
        mediapipe_like(stage(plan, seed), np.random.default_rng(seed))
    assert (time.process_time() - start) / 3 < 1.2
