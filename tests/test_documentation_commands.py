"""Every command that a page or a docstring gives exists, and has every flag that stands there."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import runpy
import sys
import tomllib
import warnings
from collections.abc import Iterator
from functools import cache

import pytest

from tests.pages import CODE, PAGES, ROOT, Command, commands

COMMANDS = [command for path in (*PAGES, *CODE) for command in commands(path)]
FOLDERS = {"d2m_core", "training", "benchmarks", "scripts"}
STANDS_FOR_ANY = "training.NAME"
OURS = [
    command
    for command in COMMANDS
    if command.module and command.module.split(".")[0] in FOLDERS and command.module != STANDS_FOR_ANY
]
STRANGERS = {"venv", "pip", "pytest"}
PROGRAMS = {"python", "python3", "pip", "make", "torchrun", "accelerate", "tensorboard", "pytest", "."}
SUBCOMMANDS = {"music", "rhythm", "people", "clips"}


class _Parsed(Exception):
    """A parser has read its arguments: nothing else shall be done."""


_parse = argparse.ArgumentParser.parse_args


def _parse_only(parser: argparse.ArgumentParser, *given: object) -> argparse.Namespace:
    raise _Parsed(_parse(parser, *given))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", _parse_only)
    return


def called(module: str, arguments: list[str]) -> tuple[int | None, str]:
    """What `python -m module` says until its arguments are read: None and nothing where they are taken."""
    said, argv = io.StringIO(), sys.argv
    sys.argv = [module, *arguments]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the module was imported before
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except _Parsed:
        return None, ""
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    finally:
        sys.argv = argv
    raise AssertionError(f"{module} read no arguments")


@cache
def help_of(module: str, subcommand: str | None) -> str:
    status, text = called(module, [*filter(None, [subcommand]), "--help"])
    assert status == 0, text
    return text


def test_there_are_commands() -> None:
    assert len(OURS) > 80
    assert {"training.train", "training.studio", "d2m_core", "benchmarks.chain"} <= {c.module for c in OURS}


@pytest.mark.parametrize("module", sorted({command.module or "" for command in OURS}))
def test_commands_of_ours_are_understood(module: str) -> None:
    wrong = []
    for command in OURS:
        if command.module != module:
            continue
        subcommand = next(iter(command.arguments), None)
        known = help_of(module, subcommand if subcommand in SUBCOMMANDS else None)
        flags = [word.split("=")[0] for word in command.arguments if re.match(r"--?[a-zA-Z]", word)]
        wrong += [f"{command.place}: {f}" for f in flags if not re.search(rf"(?<![\w-]){f}(?![\w-])", known)]
        if not command.elided and (command.arguments or not command.in_prose):
            status, text = called(module, command.arguments)
            if status is not None:
                wrong.append(f"{command.place}: {text.strip().splitlines()[-1]}")
    assert not wrong, "\n".join(wrong)


def test_every_command_has_help_and_a_page() -> None:
    files = {f"training.{path.stem}" for path in (ROOT / "training").glob("*.py")}
    there = {module for module in files if "argv" in (ROOT / f"{module.replace('.', '/')}.py").read_text()}
    told = {command.module for command in COMMANDS if command.place.split(":")[0].endswith(".md")}
    index = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
    assert there
    for module in there:
        name = module.removeprefix("training.")
        assert module in told or f"`{name}`" in index, f"{module}: no page says how to run it"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.place)
def test_other_programs_are_called_as_they_are(command: Command) -> None:
    program = command.words[0]
    assert program in PROGRAMS, f"{command.place}: {program}: teach this test what it is"
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        wanted = [word for word in command.words[1:] if "=" not in word]
        assert set(wanted) <= set(targets), command.place
    elif program == "pip" or command.module == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for before, word in zip(command.words, command.words[1:], strict=False):
            if before == "-r":
                assert word.endswith("requirements.txt"), command.place
            if found := re.fullmatch(r"\.\[(\w+)\]?", word):
                assert found[1] in extras, command.place
    elif command.module not in {None, STANDS_FOR_ANY} and command not in OURS:
        assert command.module in STRANGERS, command.place
