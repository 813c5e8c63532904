"""`make demo`: what makes it run again, and with the default weights the whole of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from d2m_core.weights import default_weights
from training import demo
from training.run.closure import closure_of
from training.run.provenance import ROOT


def options(out: Path, **changes: object) -> argparse.Namespace:
    settings = {"clip": None, "out": out, "style": None, "seed": 0, **changes}
    return argparse.Namespace(**settings)


@pytest.fixture
def finished(make_clip: Callable[..., Path], tmp_path: Path) -> argparse.Namespace:
    """What a run leaves behind: a clip of the user's, all results and the report."""
    clip, out = make_clip(duration_s=1.0), tmp_path / "out"
    args = options(out, clip=clip)
    out.mkdir()
    for name in demo.RESULTS:
        (out / name).write_bytes(b"result")
    report = {"key": demo._key(clip, args), "text": "what it said\n"}
    (out / "demo.json").write_text(json.dumps(report))
    return args


def test_the_key_changes_with_clip_style_and_seed_alone(
    make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    one, two = make_clip("a.mp4", duration_s=1.0), make_clip("b.mp4", duration_s=1.5)
    plain = demo._key(one, options(tmp_path))
    assert demo._key(one, options(tmp_path / "elsewhere")) == plain
    others = [
        demo._key(two, options(tmp_path)),
        demo._key(one, options(tmp_path, style="house")),
        demo._key(one, options(tmp_path, seed=1)),
    ]
    one.write_bytes(two.read_bytes())
    others.append(demo._key(one, options(tmp_path)))
    assert len({plain, *others}) == 5


def test_the_key_sees_code_in_every_room(
    make_clip: Callable[..., Path], tmp_path: Path, other_code: Callable[[], None]
) -> None:
    clip = make_clip(duration_s=1.0)
    before = demo._key(clip, options(tmp_path))
    rooms = {"d2m_core.motion.features", "d2m_core.rhythm.decoding", "d2m_core.music.sampling"}
    assert rooms < closure_of(["training.demo"], ROOT).keys()
    other_code()
    assert demo._key(clip, options(tmp_path)) != before


def test_a_demo_dance_at_another_tempo_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"width": 160, "height": 90, "fps": 25.0, "duration_s": 1.0}
    monkeypatch.setattr(demo, "DRAWN", {**demo.DRAWN, **small})
    one, truth = demo._drawn_clip(tmp_path)
    assert demo._drawn_clip(tmp_path) == (one, truth)
    monkeypatch.setattr(demo, "DRAWN", {**demo.DRAWN, "tempo_bpm": 90.0})
    other, slower = demo._drawn_clip(tmp_path)
    assert other != one
    assert one.exists()
    assert (truth["tempo_bpm"], slower["tempo_bpm"]) == pytest.approx((118, 90))


def test_a_finished_run_is_not_repeated(
    finished: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in finished.out.iterdir()}
    assert demo.main([str(finished.clip), "--out", str(finished.out)]) == 0
    assert {path: path.stat().st_mtime_ns for path in finished.out.iterdir()} == stamps
    text = capsys.readouterr().out
    assert text.startswith("what it said")
    assert "Nothing has changed since" in text


def test_a_clip_that_is_none_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not default_weights("model").exists():
        pytest.skip("weights/model.safetensors is not here")
    assert demo.main([str(tmp_path / "no.mp4"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert list((tmp_path / "out").iterdir()) == []
