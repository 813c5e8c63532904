"""The command that trains the ear, from nothing to a file that hears."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from d2m_core.checkpoint import read_info
from d2m_core.ear import load_ear
from training.train_ear import main, parse


def test_the_command_writes_an_ear_and_says_how(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    words = ["--out", str(tmp_path / "ear.safetensors"), "--folder", str(tmp_path), "--minutes", "0.03"]
    words += ["--pieces", "1", "--validation", "1", "--batch", "1", "--window-s", "4", "--channels", "8"]
    words += ["--layers", "2", "--workers", "1"]
    with caplog.at_level(logging.INFO):
        assert main(words) == 0
    info = read_info(tmp_path / "ear.safetensors", "ear")
    assert info["licence"] == "MIT"
    assert info["steps"] > 0
    assert load_ear(tmp_path / "ear.safetensors").config.channels == 8


def test_nothing_to_learn_from_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pieces", "0", "--folder", str(tmp_path)]) == 1
    assert "There is no music to learn from" in capsys.readouterr().err


def test_flags_are_the_settings() -> None:
    config = parse(["--leave-out", "worn", "--pairs", "a", "b", "--no-resume"])
    assert (config.leave_out, config.pairs, config.resume) == (("worn",), ("a", "b"), False)
