"""The grid of sampling settings, and its command on small random networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from d2m_core.music import SamplingConfig
from tests.tiny_models import CODEC_FOLDER, write_all
from tests.training.scoreboard.test_music import judge
from training.judges.style import save_judge
from training.tune_sampling import AXES, main, settings_of

VALUES = {"temperature": [1.0, 0.8], "top_k": [0], "guidance": [2.0, 1.0, 3.0]}


def test_one_setting_is_changed_at_a_time() -> None:
    found = settings_of(VALUES, full=False)
    assert found[0] == SamplingConfig(temperature=1.0, guidance=2.0)
    assert [(s.temperature, s.guidance) for s in found] == [(1.0, 2.0), (0.8, 2.0), (1.0, 1.0), (1.0, 3.0)]
    assert len({(s.temperature, s.guidance) for s in settings_of(VALUES, full=True)}) == 6


def test_the_command_writes_a_row_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_all(tmp_path)
    save_judge(judge(), tmp_path / "judge.safetensors")
    command = [
        "--model",
        str(tmp_path / "model.safetensors"),
        "--codec",
        str(tmp_path / CODEC_FOLDER),
        "--rhythm",
        str(tmp_path / "rhythm.safetensors"),
        "--judge",
        str(tmp_path / "judge.safetensors"),
        "--poses",
        str(tmp_path / "poses"),
        "--out",
        str(tmp_path / "out"),
        "--dances",
        "2",
        "--seconds",
        "2",
        "--temperatures",
        "1",
        "--top-ks",
        "8",
        "--top-ps",
        "1",
        "--guidances",
        "1",
        "--style-guidances",
        "0",
        "--candidates",
        "1",
        "2",
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "tune_sampling.json").read_text())
    assert [row["candidates"] for row in report["rows"]] == [1, 2]
    assert set(AXES) < set(report["rows"][0])
    assert all(0 <= row["rhythm F"] <= 1 for row in report["rows"])
    assert all(0 <= row["rhythm AMLt"] <= 1 and 0 <= row["dance AMLt"] <= 1 for row in report["rows"])
    assert printed == (tmp_path / "out" / "tune_sampling.md").read_text()
