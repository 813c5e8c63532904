"""Data sets built from real films: what comes out, what a stop costs, what is found broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from d2m_core.errors import SettingError
from d2m_core.pose.model_file import model_folder
from d2m_core.straight import StepGrid
from tests.media import make_clip
from training import build_dataset
from training.builder import build as building
from training.builder.build import Order, Summary, build
from training.builder.engine import Queue
from training.builder.jobs import Job
from training.builder.rows import read_rows
from training.builder.settings import ClipSettings, Cutting, Encoding, Seeing
from training.builder.verify import faults
from training.pairs.shards import PairFolder, shards_in
from training.run.provenance import ROOT, digest
from training.sources import SourceOptions
from training.transformer.windows import read_folder

from .films import TEMPO, film

pytestmark = pytest.mark.skipif(
    not (model_folder() / "pose_landmarker_lite.task").exists(),
    reason="the lite pose model is not on this machine",
)

SETTINGS = ClipSettings(
    Cutting(seconds=2.0),
    Seeing(pose_model="lite", fps=24.0),
    encoding=Encoding(str(ROOT / "weights" / "codec_3"), bandwidth=2.0),
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Sums in torch and numpy go by the number of threads; workers have one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dances, one of them twice; a film without sound, and one cut off."""
    root = tmp_path_factory.mktemp("films")
    first = film(root / "house" / "one.mp4")
    shutil.copy(first, root / "two.mp4")
    make_clip(root / "mute.mp4", duration_s=2.4)
    (root / "broken.mp4").write_bytes(first.read_bytes()[:2000])
    (root / "labels.csv").write_text("file,song\nhouse/one.mp4,tune\ntwo.mp4,tune\n")
    return root


def inline(stop_after: int = 10**6) -> Callable[..., Iterator[tuple[Job, Any]]]:
    """An engine in this process, which is interrupted after so many jobs."""

    def run(work: Callable[[Job], Any], jobs: Queue, *_: Any) -> Iterator[tuple[Job, Any]]:
        for _ in range(stop_after):
            job = jobs.take()
            if job is None:
                return
            yield job, work(job)
        raise KeyboardInterrupt

    return run


@pytest.fixture
def made(films: Path, whole: Path, tmp_path: Path) -> Path:
    """A copy of the finished set."""
    return Path(shutil.copytree(whole, tmp_path / "set"))


@pytest.fixture(scope="module")
def whole(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set built in one go."""
    out = tmp_path_factory.mktemp("sets") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "run_local", inline())
        _build(films, out)
    return out


def _order(films: Path, out: Path, **more: Any) -> Order:
    order = Order("folder", SourceOptions(films), out, SETTINGS, shares=(1.0, 0.0, 0.0))
    return replace(order, per_shard=3, **more)


def _build(films: Path, out: Path, **more: Any) -> Summary:
    return build(_order(films, out, **more), progress=False)


def test_clips_become_pairs_with_items(whole: Path) -> None:
    pairs = PairFolder(whole / "train")
    assert len(pairs) == 4  # 4.2 s twice, cut in 2 s
    assert [len(shards_in(whole / split)) for split in ("train", "val", "test")] == [2, 0, 0]
    pair = pairs[0]
    assert pair.seen is not None and pair.music is not None and pair.film is None  # noqa: PT018
    assert (pair.seen.frames, pair.seen.fps, pair.music.duration_s) == (48, 24.0, 2.0)
    assert pair.facts.tempo_bpm == pytest.approx(TEMPO, rel=0.03)
    assert np.diff(pair.facts.beats_s) == pytest.approx(0.5, abs=0.03)


def test_the_trainer_reads_them(whole: Path, tmp_path: Path) -> None:
    data = read_folder(whole / "train")
    assert len(data.train) == 4
    assert data.codec.codebooks == 4  # bandwidth 2 of codec 3
    assert data.styles == ("house",)
    item = data.train[0]
    assert item.motion is not None
    steps = item.codes.shape[1]
    assert item.motion.shape == (len(item.curves), len(item.motion_names))
    assert (steps, len(item.curves)) == (pytest.approx(100, abs=8), pytest.approx(steps / 2, abs=1))
    grid = StepGrid.of(item.beats_s, item.downbeats, item.codec.token_rate)
    assert grid is not None, "laid on the straight grid of its tempo"
    assert set(np.diff(grid.beats)) <= {24, 26, 28}
    with pytest.raises(SettingError, match="kept for measuring"):
        read_folder(whole)


def test_the_val_folder_is_what_a_trainer_holds_out(made: Path) -> None:
    shutil.copytree(made / "train", made / "val")
    data = read_folder(made / "train", hold_out=2)
    assert (len(data.train), len(data.held_out)) == (4, 4)


def test_every_clip_is_listed_with_its_reason(whole: Path) -> None:
    rows = read_rows(whole)
    reasons = {(row.recording, row.reason) for row in rows if not row.kept}
    assert reasons == {("broken", "unreadable"), ("mute", "no sound"), *_tails(rows)}
    kept = [row for row in rows if row.kept]
    assert {(row.song, row.split) for row in kept} == {("tune", "train")}
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["clips"] == {"kept": 4, "dropped": len(rows) - 4}
    report = json.loads((whole / "report.json").read_text())
    assert report["reasons"]["no sound"] == 1
    assert report["tempo_bpm"] in ({"120": 4}, {"110": 4}, {"110": 2, "120": 2})
    page = (whole / "report.html").read_text()
    assert page.count("<img") == 4  # tempo, style, and one clip of each dance


def _tails(rows: list[Any]) -> set[tuple[str, str]]:
    return {(row.recording, row.reason) for row in rows if row.reason == "too short"}


def test_a_stopped_build_ends_with_the_same_bytes(
    films: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "stopped"
    for jobs in (1, 4):
        monkeypatch.setattr(building, "run_local", inline(jobs))
        with pytest.raises(KeyboardInterrupt):
            _build(films, out)
    clips = sorted(out.glob("work/clips/*/*.tar"))
    assert len(clips) in (1, 2, 3)
    before = clips[0].stat().st_mtime_ns
    shutil.copy(clips[0], clips[0].with_name(".half-written.tar"))
    monkeypatch.setattr(building, "pack", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(building, "run_local", inline())
    with pytest.raises(KeyboardInterrupt):
        _build(films, out)
    assert clips[0].stat().st_mtime_ns == before  # not made again
    monkeypatch.undo()
    monkeypatch.setattr(building, "run_local", inline())
    _build(films, out)
    assert digest(out) == digest(whole)


def test_new_videos_join_a_finished_set(
    films: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Path(shutil.copytree(films, tmp_path / "more"))
    shutil.copy(films / "two.mp4", more / "three.mp4")
    done: list[str] = []

    def counted(work: Callable[[Job], Any], jobs: Queue, *_: Any) -> Iterator[tuple[Job, Any]]:
        for job, answer in inline()(work, jobs):
            done.append(job.key)
            yield job, answer

    monkeypatch.setattr(building, "run_local", counted)
    assert _build(more, made).kept == 6
    assert done == ["three", "three_0000", "three_0001"]
    assert list(faults(made)) == []
    assert _build(more, made).kept == 6  # finished: nothing is done
    assert len(done) == 3


def test_another_cut_needs_another_folder(films: Path, made: Path) -> None:
    other = replace(SETTINGS, cutting=Cutting(seconds=3.0))
    with pytest.raises(SettingError, match=r"seconds 2\.0 and this is 3\.0"):
        build(replace(_order(films, made), settings=other), progress=False)


def test_verify_finds_what_is_wrong(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_dataset.main(["--out", str(made), "--verify"]) == 0
    rows = (made / "clips.jsonl").read_text()
    leaked = rows.replace('"split": "train", "song": "tune"', '"split": "val", "song": "tune"', 1)
    (made / "clips.jsonl").write_text(leaked)
    shard = shards_in(made / "train")[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 255
    shard.write_bytes(bytes(data))
    shards_in(made / "train")[1].unlink()
    assert build_dataset.main(["--out", str(made), "--verify"]) == 1
    said = capsys.readouterr().out
    for part in ("leak", "(SHA-256)", "is missing", "in no shard"):
        assert part in said


def test_the_command_builds_on_two_processes(films: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    flags = (
        f"--root {films} --out {out} --seconds 2 --pose-model lite --fps 24 --bandwidth 2"
        f" --codec {ROOT / 'weights' / 'codec_3'} --shares 1 0 0 --per-shard 3 --workers 2"
    )
    command = [sys.executable, "-m", "training.build_dataset", *flags.split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 clips" in done.stdout
    assert "Where the time went: " in done.stdout
    _as_of_one_commit(out, whole)  # someone may commit while the tests run
    assert digest(out) == digest(whole)


def _as_of_one_commit(changed: Path, other: Path) -> None:
    """Writes the commit that the other's manifest names into this one's."""
    ours, theirs = (
        f'"commit": {json.dumps(json.loads((out / "manifest.json").read_text())["commit"])}'
        for out in (changed, other)
    )
    text = (changed / "manifest.json").read_text()
    assert text.count(ours) == 1
    (changed / "manifest.json").write_text(text.replace(ours, theirs))
