"""The scoreboard of the music: measures on cases worked out by hand, and its command, small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.grid import steady_beats
from d2m_core.media import save_audio
from d2m_core.scores import beat_f, meeting_of
from d2m_core.styles import STYLES
from d2m_core.types import MOTION_FPS, MotionFeatures, Rhythm, Waveform
from tests.tiny_models import CODEC_FOLDER, write_all
from tests.training.sources.samples import aist_annotations, write_lines
from training.evaluate import main
from training.judges.style import EMBEDDING_DIM, StyleJudge, StyleNet, load_judge, save_judge
from training.judges.style_spectra import Pulse
from training.scoreboard.music.controls import best_steady_grid, loop_s, mean_of
from training.scoreboard.music.long import LongScore, Seams, long_json, long_markdown, seams, steadiness
from training.scoreboard.music.making import Heard, Take, clicks
from training.scoreboard.music.report import FAD, set_figures, set_markdown
from training.scoreboard.music.scores import COLUMNS, Case, score_cases, timing
from training.scoreboard.music.sets import Dance, spread, styles_for

SECONDS = 8.0
BEATS = steady_beats(120, SECONDS, 0.25)
ACCENTS = np.array([0.25, 1.5, 3.0])


def judge() -> StyleJudge:
    torch.manual_seed(0)
    net = StyleNet(len(STYLES)).eval()
    return StyleJudge(net, STYLES, {"accuracy": 0.5}, np.zeros(EMBEDDING_DIM), np.eye(EMBEDDING_DIM))


def a_dance(name: str = "one", **more: object) -> Dance:
    motion = MotionFeatures(np.zeros((round(SECONDS * MOTION_FPS), 1), np.float32), ("x",))
    slow = {"aist++": BEATS, "bailando": BEATS}
    given: dict = {"style": "house", "beats_s": BEATS, "made": True, **more}
    return Dance(name, motion, ACCENTS, slow, **given)


def a_take(times_s: np.ndarray, seed: int = 0) -> Take:
    codes = torch.randint(0, 64, (2, 400), generator=torch.Generator().manual_seed(seed))
    return Take(clicks(times_s, SECONDS), codes, Path("unused"))


def a_case(heard_s: np.ndarray = BEATS, seed: int = 0, **more: object) -> Case:
    dance = a_dance(f"dance {seed}", **more)
    curves = np.zeros((len(dance.motion.values), 2), np.float32)
    rhythm = Rhythm(BEATS, np.arange(len(BEATS)) % 4 == 0, curves, 120.0)
    song = None if dance.soundtrack is None else Heard(BEATS, BEATS)
    return Case(
        dance,
        rhythm,
        "house",
        a_take(heard_s, seed),
        a_take(heard_s, seed + 50),
        a_take(heard_s[::2], seed + 99),
        Heard(heard_s, heard_s),
        Heard(heard_s[::2], heard_s),
        song,
    )


def test_music_on_the_beats_follows() -> None:
    case = a_case(soundtrack=clicks(BEATS, SECONDS))
    scores = timing(Heard(BEATS, np.array([0.25, 0.75, 1.5, 2.6])), case)
    assert scores["asked_f"] == scores["dance_f"] == scores["asked_cmlt"] == 1.0
    assert scores["asked_tempo"] == scores["dance_tempo"] == 1.0
    assert scores["accents_met"] == pytest.approx(2 / 3)
    assert scores["onsets_met"] == 0.5
    assert scores["bas_aist"] == scores["bas_bailando"] == 1.0
    # onsets in the seconds 0, 1 and 2 of the song's 8
    assert (scores["bcs_loris"], scores["bhs_loris"]) == (1.0, 3 / 8)
    assert scores["bcs_gan"] == 3 / 8
    assert scores["td_bpm"] == pytest.approx(0.0, abs=1e-6)


def test_half_time_is_right_but_for_the_octave() -> None:
    scores = timing(Heard(BEATS[::2], BEATS[::2]), a_case())
    assert scores["asked_f"] == pytest.approx(2 / 3)
    assert (scores["asked_tempo"], scores["asked_octaves"]) == (0.0, 1.0)
    assert (scores["asked_cmlt"], scores["asked_amlt"]) == (0.0, 1.0)
    assert "bcs_loris" not in scores  # without a soundtrack


def test_a_loose_clock_is_fitted_for_the_dance_alone() -> None:
    late = Heard(BEATS + 0.2, BEATS + 0.2)
    assert timing(late, a_case(loose=True, made=False))["dance_f"] == 1.0
    assert timing(late, a_case(loose=True, made=False))["asked_f"] == 0.0
    assert timing(late, a_case())["dance_f"] == 0.0


def test_the_best_steady_grid_is_found() -> None:
    beats = steady_beats(97, 20.0, 0.4)
    assert beat_f(beats, best_steady_grid(beats, 20.0)) > 0.95
    assert len(best_steady_grid(np.zeros(0), 4.0)) == 8  # a metronome at 120


def test_columns_and_their_controls() -> None:
    song = clicks(BEATS, SECONDS)
    right, off = a_case(soundtrack=song), a_case(BEATS[:-1] + 0.25, 1, soundtrack=song)
    one, other = score_cases([right, off], judge())
    assert tuple(one.columns) == COLUMNS
    assert one.columns["music"]["asked_f"] == 1.0
    assert one.columns["shuffled"]["asked_f"] == 1.0  # both dances have the same beats
    assert other.columns["music"]["asked_f"] == other.columns["shuffled"]["asked_f"] == 0.0
    assert one.columns["steady grid"]["dance_f"] == one.columns["soundtrack"]["dance_f"] == 1.0
    # 120 BPM at eight phases: an eighth of a beat is 62 ms, so three of eight are near enough
    assert one.columns["metronome 120"]["asked_f"] == pytest.approx(3 / 8, abs=0.02)
    assert one.columns["unconditioned"]["asked_octaves"] == 1.0
    assert 0 <= one.columns["music"]["token_agreement"] < 0.1
    assert one.columns["music"]["apart"] == pytest.approx(0.0, abs=1e-6)  # the same clicks
    assert one.columns["music"]["clipped"] == 0.0
    figures = set_figures([one, other], judge())
    f = figures["rhythm-following: beat F"]["music"]
    assert (f["mean"], f["sd"], f["clips"]) == (0.5, 0.5, 2)
    assert figures["F1, 1 s, LORIS"]["soundtrack"]["mean"] == 1.0
    assert figures["CSD, 5 Hz"]["soundtrack"]["mean"] == 0.0
    assert figures[FAD].keys() == {"music", "metronome 120", "unconditioned", "soundtrack"}
    text = set_markdown("drawn", "dances", figures, 2)
    assert "| rhythm-following: beat F | 0.500 | 0.500 | 0.000 .. 1.000 | 0.500 |" in text


def test_stuck_tokens_count_where_one_hears_them() -> None:
    codes = torch.zeros(2, 400, dtype=torch.int64)
    silent = Waveform(torch.zeros(1, 1, 24_000 * 8), 24_000)
    loud = Waveform(torch.full((1, 1, 24_000 * 8), 0.2), 24_000)
    assert loop_s(Take(silent, codes, Path("unused"))) == 0.0
    assert loop_s(Take(loud, codes, Path("unused"))) == pytest.approx(399 / 50)


def test_dances_are_spread_and_keep_their_styles() -> None:
    assert spread(20, 4) == [0, 6, 13, 19]
    assert spread(3, 10) == [0, 1, 2]
    dances = [a_dance(style=style) for style in ("waltz", "funk", None)]
    assert styles_for(dances, ("house", "techno", "disco", "funk")) == ["house", "funk", "disco"]


def test_means_leave_out_what_cannot_be_said() -> None:
    assert mean_of([{"a": 1.0, "b": np.nan}, {"a": 2.0}])["a"] == 1.5
    assert np.isnan(mean_of([{"b": np.nan}])["b"])
    assert mean_of([]) == {}


def test_seams_are_seen_and_steady_music_has_none() -> None:
    beats = steady_beats(120, 30.0)
    wave = Waveform(torch.full((1, 1, 30 * 1000), 0.1), 1000)
    even = seams(wave, Heard(beats, beats), beats, [10.0, 20.0])
    assert even.joins == 2
    assert even.onsets_per_s == pytest.approx(even.onsets_per_s_elsewhere, abs=0.1)
    assert (even.jump_db, even.phase_step_ms) == pytest.approx((0.0, 0.0), abs=1e-6)
    wave.samples[..., 10_000:] *= 10  # 20 dB more from 10 s on
    moved = np.where(beats < 10, beats, beats + 0.04)
    torn = seams(wave, Heard(moved, moved), beats, [10.0])
    assert torn.jump_db == pytest.approx(20.0, abs=0.1)
    assert torn.jump_db_elsewhere == pytest.approx(0.0, abs=0.1)
    assert torn.phase_step_ms == pytest.approx(40.0, abs=1.0)
    assert torn.phase_step_ms_elsewhere < 10


def test_long_music_half_a_beat_off_is_told() -> None:
    right, off = meeting_of(BEATS, BEATS), meeting_of(BEATS, BEATS + np.diff(BEATS)[0] / 2)
    none = Seams(0, *([float("nan")] * 6))
    score = LongScore("long", 60.0, "pop", off, off, right, right, (off, right), 1.0, 0.0, none)
    said = long_markdown([score])
    assert "rhythm-following F 0.00, AMLt" in said
    assert said.count("half a beat off") == 3
    assert "Dance-following F 1.00, AMLt 1.00;" in said
    assert long_json([score])[0]["asked"]["way"] == "half a beat off"


def test_steadiness_by_hand() -> None:
    asked = np.arange(5.0)
    assert steadiness(asked, asked) == 1.0
    assert steadiness(np.array([0, 1, 2.5, 3.5]), asked) == pytest.approx(2 / 3)
    assert steadiness(np.zeros(1), asked) == 0.0


AIST = "gBR_sBM_cAll_d04_mBR1_ch01"


def test_the_command_scores_aist_and_keeps_its_music(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """AIST++ as it is unpacked, with the user's own song; small random networks."""
    root = aist_annotations(tmp_path / "aist", AIST, frames=240)
    write_lines(root / "splits" / "crossmodal_test.txt", AIST)
    save_audio(clicks(steady_beats(110, 6.0), 6.0), _made(root / "music" / "mBR1.wav"))
    write_all(tmp_path / "weights")
    save_judge(judge(), tmp_path / "judge.safetensors")
    weights = tmp_path / "weights"
    command = [
        "--out",
        str(tmp_path / "out"),
        "music",
        "--aist",
        str(root),
        "--seconds",
        "3",
        "--model",
        str(weights / "model.safetensors"),
        "--codec",
        str(weights / CODEC_FOLDER),
        "--rhythm",
        str(weights / "rhythm.safetensors"),
        "--judge",
        str(tmp_path / "judge.safetensors"),
        "--poses",
        str(tmp_path / "poses"),
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "## aist" in printed
    assert "| rhythm-following: beat F |" in printed
    out = tmp_path / "out" / "music"
    report = json.loads((out / "metrics.json").read_text())
    (case,) = report["sets"]["aist"]["cases"]
    assert case["scores"]["music"]["lufs"] is not None
    assert case["scores"]["soundtrack"]["bhs_loris"] == 1.0
    assert (out / "metrics.md").read_text() == printed
    assert len(list((out / "pages").glob("aist_*.png"))) == 1
    made = {path: path.stat().st_mtime_ns for path in (out / "made").iterdir()}
    assert len([path for path in made if path.suffix == ".wav"]) == 3
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "made").iterdir()} == made


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_set_without_its_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_judge(judge(), tmp_path / "judge.safetensors")
    flags = ["--out", str(tmp_path), "music", "--judge", str(tmp_path / "judge.safetensors")]
    assert main([*flags, "--sets", "melody"]) == 1
    assert "--melody DIR" in capsys.readouterr().err
    assert main([*flags[:-1], str(tmp_path / "none")]) == 1
    assert "training.train_style_judge" in capsys.readouterr().err


def test_the_judge_comes_back_as_it_went(tmp_path: Path) -> None:
    one = replace(judge(), mean=np.arange(32.0))
    other = load_judge(save_judge(one, tmp_path / "judge.safetensors"))
    assert other.styles == one.styles
    np.testing.assert_array_equal(other.mean, one.mean)
    wave = clicks(BEATS, SECONDS)
    np.testing.assert_allclose(other.embed(wave, Pulse(BEATS)), one.embed(wave, Pulse(BEATS)), atol=0.05)
