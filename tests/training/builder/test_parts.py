"""Cutting, gates, engines and records of the builder, one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import MediaError, SettingError
from d2m_core.types import MotionFeatures, Waveform
from training.builder import engine, gates
from training.builder.build import Order, build
from training.builder.cluster import run_ray
from training.builder.cutting import _look, changes, cut
from training.builder.engine import Crash, Queue, run_local
from training.builder.records import Outcome, Store, clip_name
from training.builder.report import figures, tempo_histogram
from training.builder.rows import rows_of
from training.builder.settings import Cutting, Gates
from training.run.provenance import ROOT
from training.sources import SourceOptions, Unreadable
from training.sources.recording import LABEL_LOST, NO_VIDEO, UNREADABLE
from training.studio.picture.drawing import demo_dance, draw_scene

from .films import RATE, beat
from .workers import job, work

# --- changes of shot ---


def _drawn(seed: int, tempo: float, seconds: float) -> list[np.ndarray]:
    return list(draw_scene(demo_dance(seed, tempo, seconds, 25.0), 160, 90))


@pytest.fixture(scope="module")
def fast() -> list[np.ndarray]:
    """Two seconds of a fast dance."""
    return _drawn(3, 175.0, 2.0)


def _changes(pictures: list[np.ndarray]) -> list[float]:
    return changes(np.array([_look(picture) for picture in pictures]), 25.0)


def test_a_fast_dance_is_one_shot(fast: list[np.ndarray]) -> None:
    assert _changes(fast) == []


def test_a_join_of_two_films_is_found_to_the_frame(fast: list[np.ndarray]) -> None:
    assert _changes(fast + _drawn(4, 120.0, 1.2)) == [2.0]


def test_the_same_room_closer_is_another_shot(fast: list[np.ndarray]) -> None:
    closer = [np.kron(f[22:67, 40:120], np.ones((2, 2, 1), np.uint8)) for f in fast[25:]]
    assert _changes(fast[:25] + closer) == [1.0]


def test_a_flash_and_a_moving_camera_are_no_change(fast: list[np.ndarray]) -> None:
    flash = fast[:20] + [np.full_like(f, 250) for f in fast[20:23]] + fast[23:]
    wide = np.concatenate([fast[0], fast[9][:, ::-1], fast[30]], axis=1)
    pan = [wide[:, 6 * step : 6 * step + 160] for step in range(50)]
    assert _changes(flash) == []
    assert _changes(pan) == []


# --- windows ---


def test_shots_are_cut_into_windows_and_their_ends_kept_if_long_enough() -> None:
    found = cut(24.1, [11.0], Cutting(seconds=5.0, shortest=3.0))
    spans = [(c.start_s, c.seconds, c.drop) for c in found]
    assert spans == [
        (0.0, 5.0, ""),
        (5.0, 5.0, ""),
        (10.0, 1.0, "too short"),
        (11.0, 5.0, ""),
        (16.0, 5.0, ""),
        (21.0, 3.0, ""),
    ]
    assert [c.number for c in found] == list(range(6))


def test_overlapping_windows_share_what_was_asked() -> None:
    found = cut(20.0, [], Cutting(seconds=10.0, overlap=5.0))
    assert [c.start_s for c in found] == [0.0, 5.0, 10.0]


@pytest.mark.parametrize(("how", "drops"), [("drop", 1), ("ignore", 0)])
def test_clips_with_a_change_are_dropped_or_not_looked_at(how: str, drops: int) -> None:
    found = cut(15.0, [7.0], Cutting(seconds=5.0, shots=how))
    assert [c.drop for c in found].count("shot change") == drops
    assert len(found) == 3


@pytest.mark.parametrize("wrong", [{"seconds": 0.5}, {"overlap": 30.0}, {"shots": "cut"}])
def test_settings_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(SettingError):
        Cutting(**wrong)


# --- gates ---


def _wave(samples: np.ndarray) -> Waveform:
    return Waveform(torch.from_numpy(samples.astype(np.float32))[None, None], RATE)


def test_music_passes() -> None:
    assert gates.heard(beat(6.0), Gates()) == ("", "")
    assert gates.onsets_per_s(beat(6.0)) == pytest.approx(4.0, abs=0.7)  # kicks and hats


def test_what_is_no_music_is_named() -> None:
    times, rng = np.arange(6 * RATE) / RATE, np.random.default_rng(0)
    half = beat(6.0).samples[0, 0].numpy().copy()
    half[2 * RATE :] = 0
    sounds = {
        gates.TOO_QUIET: 1e-4 * rng.normal(size=len(times)),
        gates.NO_MUSIC: 0.1 * rng.normal(size=len(times)) + 0.1 * np.sin(2 * np.pi * 50 * times),
        gates.SILENT: half,
    }
    for reason, sound in sounds.items():
        assert gates.heard(_wave(sound), Gates())[0] == reason


def test_an_absent_or_still_dancer_is_named() -> None:
    names = ("present", "total_speed")
    for present, speed, reason in ((0.5, 0.4, gates.AWAY), (1, 0.01, gates.STILL), (1, 0.4, "")):
        values = np.zeros((100, 2), np.float32)
        values[: round(present * 100)] = 1.0, speed
        assert gates.seen(MotionFeatures(values, names), Gates())[0] == reason


# --- engines ---


def test_a_deadly_job_is_given_up_and_all_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ATTEMPTS", 2)
    jobs = Queue([job(name, tmp_path) for name in ("deadly", "once", "a", "fatal")])
    found = {}

    def collect() -> None:
        for done, answer in run_local(work, jobs, workers=1):
            found[done.key] = answer
            if done.key == "a":
                jobs.put([job("later", tmp_path)])

    with pytest.raises(SettingError, match="No room"):  # what stops all jobs is raised
        collect()
    assert found.pop("deadly") == Crash("its process ended by SIGKILL, 2 times")
    assert (tmp_path / "deadly.tried").read_text() == "xx"
    assert found == {"once": "ONCE", "a": "A", "later": "LATER"}


def test_a_worker_that_died_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ATTEMPTS", 2)
    jobs = Queue([job(name, tmp_path) for name in ("a", "talker", "b")])
    found = {done.key: answer for done, answer in run_local(work, jobs, workers=1)}
    assert found["talker"] == Crash(
        "its process ended with exit code 7, 2 times; last words: the library fell over"
    )
    assert (found["a"], found["b"]) == ("A", "B")


def test_workers_that_cannot_begin_stop_the_build(tmp_path: Path) -> None:
    """Else every clip of a data set would be noted as one that crashed."""
    script = Path(__file__).with_name("guardless.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert "A worker process could not begin" in done.stdout


def test_a_cluster_does_the_job_of_a_killed_worker_again(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (extra `cluster`)")
    jobs = Queue([job(name, tmp_path) for name in ("once", "a", "b")])
    found = {done.key: answer for done, answer in run_ray(work, jobs, workers=2)}
    assert found == {"once": "ONCE", "a": "A", "b": "B"}
    assert (tmp_path / "once.tried").read_text() == "xx"


# --- records ---


def test_a_kept_clip_without_its_file_counts_as_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_outcome("a_0000", Outcome(bytes=3))
    assert store.outcome("a_0000") is None
    path = store.pair_path("a_0000")
    path.write_bytes(b"abc")
    assert store.outcome("a_0000") == Outcome(bytes=3)
    store.write_outcome("a_0001", Outcome(gates.CRASHED, "thrice"))
    assert store.forget((gates.CRASHED,)) == 1
    assert store.outcome("a_0001") is None


def test_long_names_are_shortened_and_stay_different() -> None:
    one, other = clip_name("x" * 99 + "1", 7), clip_name("x" * 99 + "2", 7)
    assert one != other
    assert len(one) <= 70
    assert clip_name("short", 7) == "short_0007"


def test_tempos_are_counted_by_tens() -> None:
    assert tempo_histogram([99.9, 100.0, 104.0, 131.0]) == {"90": 1, "100": 2, "130": 1}


# --- the report ---


def test_what_a_source_leaves_out_stands_in_the_report_by_reason(tmp_path: Path) -> None:
    found = [
        Unreadable("labels.csv, line 2", "there is no video 'x' in the folder", NO_VIDEO),
        Unreadable("labels.csv, line 3", "a quoted field does not end"),
        *(Unreadable(f"{name}.mp4", "labels.csv, line 2 may mean it", LABEL_LOST) for name in "ab"),
    ]
    told = figures(rows_of(found, Store(tmp_path), tmp_path, "folder"))
    assert told["reasons"] == {NO_VIDEO: 1, UNREADABLE: 1, LABEL_LOST: 2}
    assert told["examples"][LABEL_LOST][0] == "a.mp4: labels.csv, line 2 may mean it"


def test_a_place_that_takes_no_files_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "file").write_text("here")
    for place in (tmp_path / "file" / "set", tmp_path / ("x" * 300)):
        order = Order("folder", SourceOptions(tmp_path / "films"), place)
        with pytest.raises(MediaError):
            build(order, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "films"]
