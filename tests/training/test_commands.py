"""What all commands of training have in common."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from d2m_core.errors import SettingError
from training.run.command import GOES_ON, STOPPED, command_parser, run_command
from training.run.provenance import ROOT

AT_THE_ROOT = sorted({path.stem for path in (ROOT / "training").glob("*.py")} - {"__init__", "seeds"})
COMMANDS = [*AT_THE_ROOT, "studio", "studio.picture.drawing"]
WEIGHTS = ROOT / "weights"
INPUTS = {"--codec", "--start", "--rhythm", "--model", "--judge", "--weights", "--init"}
"""Flags whose default may be something shipped: it is read."""
TRAINERS = ("train", "train_codec", "train_rhythm", "tune_decoder")
MINUTES = "Wall-clock minutes of training, earlier parts of a resumed run included."


def module(name: str) -> Any:
    return importlib.import_module("training.studio.__main__" if name == "studio" else f"training.{name}")


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All flags, those of sub-commands too."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)


def test_there_are_commands() -> None:
    assert {*TRAINERS, "evaluate", "encode_audio", "build_dataset", "demo"} < set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_the_command_and_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        module(name).main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: python -m training.{name} ")
    assert module(name).__doc__.strip().splitlines()[0] in said


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_written_over_shipped_weights_unless_asked(name: str) -> None:
    for action in actions(module(name).parser()):
        values = action.default if isinstance(action.default, list | tuple) else [action.default]
        for value in values:
            if isinstance(value, str | Path) and (ROOT / value).resolve().is_relative_to(WEIGHTS):
                assert INPUTS & set(action.option_strings), f"{action.option_strings} is {value}"


WRONG = {
    "ablate_ear": ["--steps", "0"],
    "ablate_rhythm": ["--weights", "none.safetensors"],
    "average_models": ["--models", "none", "none", "--shares", "0.5", "0.5", "--out", "x.safetensors"],
    "build_dataset": ["--out", "set"],
    "check_dancer": ["--real", "none"],
    "check_styles": ["--out", "styles", "--per-style", "0"],
    "compare_builds": ["--new", "none.safetensors"],
    "demo": ["none.mp4"],
    "encode_audio": ["--data", "none"],
    "evaluate": ["clips", "none"],
    "export_checkpoint": ["--run", "none", "--out", "x.safetensors"],
    "fit_confidence": ["--weights", "none.safetensors"],
    "fit_ear": ["--weights", "none.safetensors"],
    "fit_tempo": ["--weights", "none.safetensors"],
    "fit_noise": ["--out", "noise", "--check", "0"],
    "studio": ["--out", "pairs", "--hours", "0"],
    "studio.picture.drawing": ["--out", "dance.mp4", "--tempo", "900"],
    "train": ["--data", "none"],
    "train_codec": ["--data", "none", "--device", "cpu"],
    "train_ear": ["--leave-out", "hips"],
    "train_music": ["--minutes", "0"],
    "train_rhythm": ["--leave-out", "hips"],
    "train_running": ["--start", "none.safetensors"],
    "train_style_judge": ["--data", "none"],
    "tune_decoder": ["--pool-minutes", "0"],
    "tune_finisher": [],
    "tune_sampling": ["--model", "none.safetensors"],
}
"""A wrong command line for each."""


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_wrong_is_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert module(name).main(WRONG[name]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert said[0].endswith(".")


def test_faults_of_a_data_set_are_told_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert module("build_dataset").main(["--out", str(tmp_path), "--verify"]) == 1
    said = capsys.readouterr()
    assert f"error: {tmp_path} has {len(said.out.splitlines())} faults;" in said.err


@pytest.mark.parametrize("name", TRAINERS)
def test_minutes_and_resuming_mean_the_same_everywhere(name: str) -> None:
    flags = {action.option_strings[-1]: action for action in actions(module(name).parser())}
    assert str(flags["--minutes"].help).removesuffix(" [%(default)s]") == MINUTES
    resume = next(a for a in flags.values() if a.dest == "resume")
    assert resume.default is True
    assert {"--resume", "--no-resume"} <= set(resume.option_strings)
    assert str(resume.help).startswith("Go on from the state in `")


def test_a_command_ends_in_words_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(words: list[str]) -> str:
        raise SettingError(f"{words[0]} is wrong; use another.")

    def stopped(words: list[str]) -> str:
        raise KeyboardInterrupt

    def ours(words: list[str]) -> str:
        raise ZeroDivisionError

    assert run_command(lambda words: f"{len(words)} words\n", ["a", "b"]) == 0
    assert capsys.readouterr().out == "2 words\n"
    assert run_command(lambda words: None, []) == 0
    assert run_command(wrong, ["x"]) == 1
    assert run_command(stopped, [], GOES_ON) == STOPPED
    assert capsys.readouterr() == ("", f"error: x is wrong; use another.\n{GOES_ON}\n")
    with pytest.raises(ZeroDivisionError):
        run_command(ours, [])
    assert "indented\n    as it is" in command_parser("x", "indented\n    as it is").format_help()
