"""All of it in one command: what it would run, that it stops in time, goes on, and says where it stands."""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from d2m_core.errors import SettingError
from training import train_music
from training.run.command import STOPPED
from training.train_music import MusicRun, Stage, go_on, main, stages_of, standing

SLOW_S = 60.0
"""A stage that must be stopped would take so long."""


@pytest.mark.parametrize("gpu", [False, True])
def test_every_stage_is_a_command_that_takes_its_words(gpu: bool, tmp_path: Path) -> None:
    stages = stages_of(MusicRun(run=tmp_path, minutes=100), gpu)
    assert [stage.name for stage in stages] == ["music", "codec", "finisher", "items", "transformer"]
    for stage in stages:
        name = "training.studio.__main__" if stage.words[0] == "training.studio" else stage.words[0]
        command = importlib.import_module(name)
        if stage.name == "transformer":
            config, shape = command.parse(stage.words[1:])
            assert config.minutes == 55
            assert (shape["straight"], shape["copies"], shape["place"] > 0) == (True, True, True)
            assert (config.precision == "bfloat16") == gpu
            assert config.even_start
        else:
            make = getattr(command, "parser", None) or command._parser
            found = make().parse_args(stage.words[1:])
            assert stage.name != "codec" or found.minutes == 30
            assert stage.name != "finisher" or found.minutes == 15


def test_a_short_training_on_a_gpu_is_not_compiled() -> None:
    words = [stages_of(MusicRun(minutes=m, items="i", codec="c"), gpu=True)[0].words for m in (10, 100)]
    short, long = (importlib.import_module("training.train").parse(w[1:])[0] for w in words)
    assert (short.compile, short.warmup_steps, long.compile) == ("none", 200, "inductor")
    assert short.precision == long.precision == "bfloat16"


def test_bands_reach_the_studio() -> None:
    words = stages_of(MusicRun(bands=3), gpu=False)[0].words
    assert words[words.index("--bands") + 1] == "3"


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    one = stages_of(MusicRun(run=tmp_path, minutes=10, codec="a"), gpu=False)
    assert [stage.name for stage in one] == ["music", "items", "transformer"]
    (alone,) = stages_of(MusicRun(run=tmp_path, minutes=10, items="i", codec="a"), gpu=False)
    assert alone.words[alone.words.index("--minutes") + 1] == "10"


def stage(name: str, *lines: str, log: Path | None = None) -> Stage:
    """A stage that runs lines of Python from a file of its own."""
    return Stage(name, (name, *lines), log)


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Modules `quick` and `slow`, which write when they ran."""
    body = "import sys, time\nopen(sys.argv[1], 'a').write('x')\n"
    (tmp_path / "quick.py").write_text(body)
    (tmp_path / "slow.py").write_text(body + f"time.sleep({SLOW_S})\n")
    (tmp_path / "broken.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "asked.py").write_text(f"raise SystemExit({STOPPED})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_stops_in_time_and_goes_on_with_what_is_left(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_music, "PATIENCE_S", 5.0)
    first, second = stage("quick", "a.txt"), stage("slow", "b.txt")
    settings = MusicRun(run=scripts / "run", stop_after=2 / 60)
    begun = time.monotonic()
    assert go_on(settings, [first, second]) == "quick: done\nslow: to do\n"
    assert time.monotonic() - begun < SLOW_S
    go_on(settings, [first, second])
    assert (scripts / "a.txt").read_text() == "x", "what is done is not done again"
    assert (scripts / "b.txt").read_text() == "xx"
    other = replace(first, words=(*first.words, "--minutes", "9"))
    go_on(replace(settings, stop_after=0.0), [other])
    assert (scripts / "a.txt").read_text() == "xx", "other words are another run"


def test_a_stage_that_fails_is_said_and_one_that_stopped_is_not_done(scripts: Path) -> None:
    settings = MusicRun(run=scripts / "run")
    with pytest.raises(SettingError, match="stage broken ended with status 3"):
        go_on(settings, [stage("broken")])
    assert go_on(settings, [stage("asked"), stage("quick", "a.txt")]) == "asked: to do\nquick: to do\n"


def test_it_says_how_far_a_training_is(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{"step": n, "minutes": n / 10, "name": name, "losses": [1.0]} for n in (1, 2) for name in "ab"]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = standing(tmp_path, [stage("quick", log=log)])
    assert text.startswith("quick: begun\n")
    assert text.count('"step": 2') == 2
    assert '"step": 1' not in text


def test_the_command_says_where_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--run", str(tmp_path), "--status"]) == 0
    assert "transformer: to do" in capsys.readouterr().out
    assert main(["--run", str(tmp_path), "--minutes", "0"]) == 1
    assert "use more than 0" in capsys.readouterr().err
