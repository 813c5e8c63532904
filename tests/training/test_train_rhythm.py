"""The trainer of the rhythm network: its dances, one short run, and going on from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.checkpoint import read_info
from d2m_core.errors import SettingError
from d2m_core.grid import TEMPO_RANGE_BPM, tempo_of
from d2m_core.motion import MOTION_NAMES, find_accents
from d2m_core.motion.accents import STRONG_ACCENT
from d2m_core.rhythm import load_rhythm
from d2m_core.weights import default_weights
from training.ablate_rhythm import main as ablate
from training.rhythm.losses import CUES, LOSSES, left_out_moves, loss_of, unseen_columns
from training.rhythm.pool import TARGETS, Pool, cached_pool, example_scene, targets_of, tempo_at
from training.rhythm.trainer import Trainer, TrainRhythmConfig, batch_of
from training.run.closure import closure_of
from training.run.provenance import ROOT
from training.scoreboard.rhythm_sets import drawn_dance
from training.seeds import RHYTHM_HELD_OUT_SEED, RHYTHM_SEED
from training.studio.any_scene import random_grid
from training.train_rhythm import main, parse, train

SECONDS = 4.0


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return cached_pool(tmp_path_factory.mktemp("pool"), range(6), SECONDS)


def test_grids_stay_within_the_clip_and_the_tempo_range() -> None:
    low, high = TEMPO_RANGE_BPM
    for seed in range(40):
        beats, downbeats = random_grid(10.0, np.random.default_rng(seed))
        assert (beats >= 0).all()
        assert (beats < 10).all()
        assert len(beats) == len(downbeats)
        assert downbeats.any()
        assert 0.95 * low < tempo_of(beats) < 1.05 * high


def test_the_pool_is_danced_once(tmp_path: Path) -> None:
    first = cached_pool(tmp_path, range(50, 52), 2.0)
    (kept,) = tmp_path.glob("*.npz")
    stamp = kept.stat().st_mtime_ns
    second = cached_pool(tmp_path, range(50, 52), 2.0)
    assert kept.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first.motion, second.motion)
    assert first.motion.shape == (2, 50, len(MOTION_NAMES))


def test_a_pool_of_other_features_is_danced_anew(tmp_path: Path, other_code: Callable[[], None]) -> None:
    cached_pool(tmp_path, range(50, 51), 2.0, workers=1)
    other_code()
    cached_pool(tmp_path, range(50, 51), 2.0, workers=1)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    decides = {"d2m_core.motion.braking", "d2m_core.motion.accents", "training.studio.dancer.performer"}
    assert decides < closure_of(["training.rhythm.pool"], ROOT).keys()


def test_targets_peak_on_the_beats() -> None:
    scene, motion = example_scene(3, 6.0)
    truth, targets = scene.dances[0], targets_of(scene, len(motion.values))
    nearest = np.round(truth.beats_s * 25).astype(int)
    inside = nearest[nearest < len(targets)]
    assert (targets[inside, TARGETS.index("beat")] > 0.85).all()
    between = ((truth.beats_s[1:] + truth.beats_s[:-1]) * 12.5).astype(int)
    assert (targets[between, TARGETS.index("beat")] < 0.2).all()
    assert targets.min() >= 0
    assert targets.max() <= 1
    seen = find_accents(scene.poses).stronger_than(STRONG_ACCENT)
    assert len(seen) > 2
    at = np.minimum(np.round(seen.times_s * 25).astype(int), len(targets) - 1)
    assert (targets[at, TARGETS.index("felt")] > 0.4).all()
    assert targets[:, TARGETS.index("hat")].max() > 0.2  # every style has something up there


def test_the_tempo_at_a_moment_is_that_of_the_beats_around_it() -> None:
    beats = np.array([0.0, 0.5, 1.0, 2.0, 3.0])
    found = tempo_at(np.array([-1.0, 0.4, 1.0, 2.6, 9.0]), beats)
    np.testing.assert_allclose(found, [120, 120, 60 / (0.5 + 0.5 / 3), 60, 60])


def test_what_is_left_out_is_known_and_unseen() -> None:
    assert left_out_moves(("swing", "tempo", "knees")) == {"swing"}
    with pytest.raises(SettingError, match="'hips'"):
        left_out_moves(("hips",))
    for cue in CUES:
        assert 0 < len(unseen_columns([cue])) < len(MOTION_NAMES) / 2
    assert {MOTION_NAMES[c] for c in unseen_columns(["knees"])} == {
        "knee_bend_l",
        "knee_bend_r",
        "knee_v",
        "knee_a",
        "knee_v_even",
    }


def test_left_out_losses_and_cues_teach_nothing(pool: Pool) -> None:
    motion, targets, tempo = batch_of(pool, 2, np.random.default_rng(0))
    present = torch.ones(motion.shape[:2], dtype=torch.bool)
    blind = Trainer(TrainRhythmConfig(channels=8, layers=2, leave_out=("hands",)), pool).net.eval()
    other = motion.clone()
    other[..., unseen_columns(["hands"])] += 5
    torch.testing.assert_close(blind(motion, present).beat, blind(other, present).beat)
    trainer = Trainer(TrainRhythmConfig(channels=8, layers=2, leave_out=("hands",)), pool)
    trainer.train_step(pool)
    assert trainer.averaged_net()(motion, present).beat.isfinite().all()
    net = Trainer(TrainRhythmConfig(channels=8, layers=2), pool).net
    rows = {"downbeat": [1], "felt": [2], "energy": [3], "parts": [4, 5, 6], "tempo": [7, 20, 54]}
    assert set(rows) == set(LOSSES)
    for name, heads in rows.items():
        net.zero_grad()
        loss_of(net(motion, present), targets, tempo, present, (name,)).backward()
        slope = net.head.weight.grad
        assert slope is not None
        assert not slope[heads].any()
        assert slope[0].any()


def test_batches_keep_motion_and_targets_together(pool: Pool) -> None:
    motion, targets, tempo = batch_of(pool, 4, np.random.default_rng(0))
    assert motion.shape[:2] == targets.shape[:2] == tempo.shape
    assert motion.shape[2:] == (len(MOTION_NAMES),)
    plain = motion[len(motion) // 2 :]  # the other half is mirrored
    rows = {row.tobytes() for row in pool.motion.reshape(-1, len(MOTION_NAMES)).astype(np.float32)}
    assert all(frame.numpy().tobytes() in rows for frame in plain[:, 0])


def test_the_loss_falls_and_a_run_goes_on_where_it_stopped(pool: Pool, tmp_path: Path) -> None:
    config = TrainRhythmConfig(batch=4, channels=32, device="cpu")
    one = Trainer(config, pool)
    losses = [one.train_step(pool) for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])
    one.save(tmp_path / "state.pt")
    two = Trainer(config, pool)
    assert two.restore(tmp_path / "state.pt")
    assert (two.step, two.spent_s, two.loss) == (one.step, one.spent_s, one.loss)
    for name, value in one.net.state_dict().items():
        torch.testing.assert_close(two.net.state_dict()[name], value)
    assert [f.name for f in tmp_path.iterdir()] == ["state.pt"]


def test_a_state_of_other_settings_or_dances_is_refused(pool: Pool, tmp_path: Path) -> None:
    config = TrainRhythmConfig(batch=2, channels=8, layers=2, device="cpu")
    Trainer(config, pool).save(tmp_path / "state.pt")
    assert Trainer(replace(config, minutes=1.0, threads=2), pool).restore(tmp_path / "state.pt")
    for other, sentence in (
        (replace(config, seed=7), "seed was 0 and is 7"),
        (replace(config, leave_out=("hands",)), r"leave_out was \[\] and is \['hands'\]"),
    ):
        with pytest.raises(SettingError, match=sentence):
            Trainer(other, pool).restore(tmp_path / "state.pt")
    fewer = Pool(*(getattr(pool, part)[:4] for part in ("motion", "targets", "tempo", "seeds")))
    with pytest.raises(SettingError, match=r"data was 6 dances .* and is 4 dances"):
        Trainer(config, fewer).restore(tmp_path / "state.pt")


def test_a_finished_run_is_not_written_under_another_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, words = tmp_path / "a.safetensors", ["--folder", str(tmp_path), "--device", "cpu", "--batch", "2"]
    words += ["--minutes", "1e-4", "--validation", "1", "--channels", "8", "--layers", "2", "--out", str(out)]
    assert main([*words, "--dances", "2"]) == 0
    written = out.read_bytes()
    assert main([*words, "--dances", "2", "--seed", "7"]) == 1
    assert "seed was 0 and is 7" in capsys.readouterr().err
    assert main([*words, "--dances", "3"]) == 1
    assert "dances was 2 and is 3" in capsys.readouterr().err
    assert out.read_bytes() == written
    assert main([*words, "--dances", "3", "--no-resume"]) == 0
    assert read_info(out, "rhythm")["data"].startswith("3 dances")


def test_a_wrong_flag_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--leave-out", "hips", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: Left out is 'hips'; choose of")


def test_a_run_writes_weights_that_load(tmp_path: Path) -> None:
    out = tmp_path / "rhythm.safetensors"
    config = TrainRhythmConfig(
        out=out, folder=tmp_path / "runs", minutes=1e-4, dances=3, validation=1, batch=2, device="cpu"
    )
    found = train(config, "python -m training.train_rhythm")
    assert 0 <= found.beat_f <= 1
    net = load_rhythm(out)
    assert net.config.features == len(MOTION_NAMES)
    assert net.std.min() > 0


def test_every_field_is_an_option() -> None:
    config = parse(["--minutes", "3", "--out", "x.safetensors", "--weight-decay", "0.1"])
    assert config == TrainRhythmConfig(out=Path("x.safetensors"), minutes=3.0, weight_decay=0.1)
    assert RHYTHM_HELD_OUT_SEED + config.validation < RHYTHM_SEED
    assert parse(["--leave-out", "tempo", "swing"]).leave_out == ("tempo", "swing")


def test_evaluation_dances_cover_the_tempi() -> None:
    tempi = [tempo_of(drawn_dance(n, 5, 8.0).plan.beats_s) for n in range(5)]
    assert tempi == sorted(tempi)
    assert 70 <= tempi[0] < 90
    assert 150 < tempi[-1] <= 170


def test_an_ablation_of_other_minutes_is_trained_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ["--folder", str(tmp_path / "rows"), "--pool", str(tmp_path / "pool")]
    command = [*folders, "--dances", "2", "--scored", "1", "--only", "no tempo loss"]
    for minutes in ("0.01", "0.02", "0.01"):
        assert ablate([*command, "--minutes", minutes]) == 0
    assert len(list((tmp_path / "rows").glob("*.json"))) == 2
    assert capsys.readouterr().out.count("no tempo loss") == 3


def test_trained_files_are_scored_beside_the_ablations(capsys: pytest.CaptureFixture[str]) -> None:
    weights = str(default_weights("rhythm"))
    assert ablate(["--weights", weights, "--scored", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["rhythm", "rhythm, on these"]
