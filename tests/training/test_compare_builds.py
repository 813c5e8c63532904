"""Two builds side by side: what is asked, by hand, and the command, small."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from d2m_core.grid import steady_beats
from d2m_core.media import save_audio
from tests.tiny_models import CODEC_FOLDER, write_all
from tests.training.scoreboard.test_music import AIST, judge
from tests.training.sources.samples import aist_annotations, write_lines
from training.compare_builds import main
from training.judges.style import save_judge
from training.scoreboard.music.builds import BAND, BARS, NEW, TODAY, bars_markdown, judged
from training.scoreboard.music.making import clicks
from training.scoreboard.music.report import FAD, LABELS


def test_what_is_asked_is_judged_by_hand() -> None:
    figures = {
        "asked_f": {TODAY: 0.95, NEW: 0.94},
        "dance_f": {TODAY: 0.93, NEW: 0.93},
        "style": {TODAY: 0.95, NEW: 0.91},
        "token_agreement": {TODAY: 0.01, NEW: 0.06},
        "loop_s": {TODAY: 0.2, NEW: 0.1},
        FAD: {TODAY: 400.0, NEW: 190.0, BAND: 50.0},
        "clear_tones_db": {TODAY: 8.0, NEW: 15.0, BAND: 16.0},
        "between_hits_db": {TODAY: 10.0, NEW: 14.0, BAND: 20.0},
        "notes_in_key": {TODAY: math.nan, NEW: math.nan, BAND: math.nan},
        "seconds": {TODAY: 0.2, NEW: 0.3},
    }
    found = {row["measure"]: row["reached"] for row in judged(figures)}
    expected = {
        "asked_f": False, "dance_f": True, "style": True, "token_agreement": False, "loop_s": True,
        "clear_tones_db": True, "between_hits_db": False, "notes_in_key": None, "accents_met": None,
    }  # fmt: skip
    assert {name: found[LABELS[name]] for name in expected} == expected
    assert (found[FAD], found["seconds"]) == (True, False)
    assert len(found) == len(BARS)
    assert "| 0.875 | yes |" in bars_markdown(judged(figures))


def test_the_command_judges_two_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = aist_annotations(tmp_path / "aist", AIST, frames=240)
    write_lines(root / "splits" / "crossmodal_test.txt", AIST)
    song = root / "music" / "mBR1.wav"
    song.parent.mkdir(parents=True, exist_ok=True)
    save_audio(clicks(steady_beats(110, 6.0), 6.0), song)
    weights = tmp_path / "weights"
    write_all(weights)
    save_judge(judge(), tmp_path / "judge.safetensors")
    model, codec = str(weights / "model.safetensors"), str(weights / CODEC_FOLDER)
    command = [
        "--today", model, "--today-codec", codec, "--new", model, "--new-codec", codec,
        "--judge", str(tmp_path / "judge.safetensors"), "--sets", "aist", "--aist", str(root),
        "--seconds", "3", "--seeds", "0", "1", "--poses", str(tmp_path / "poses"),
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out" / "compared.md").read_text(encoding="utf-8")
    report = json.loads((tmp_path / "out" / "compared.json").read_text(encoding="utf-8"))
    assert len(report["aist"]["cases"]) == 4, "a dance, two seeds, two builds"
    asked = report["aist"]["figures"]["asked_f"]
    assert asked[TODAY] == asked[NEW]
    assert asked["difference"]["mean"] == 0.0
    assert any(name.startswith("band through") for name in report["aist"]["figures"]["clear_tones_db"])
    assert (tmp_path / "out" / "side_by_side_aist.png").stat().st_size > 10_000
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "made").iterdir()}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "made").iterdir()} == made
