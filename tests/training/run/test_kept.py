"""Kept things: made once, made anew for whatever differs, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from training.run.kept import RECORD, kept, read_json, recipe, write_json


@dataclass(frozen=True)
class How:
    speed: float = 1.0
    names: tuple[str, ...] = ("a",)


def made_by(calls: list[str], content: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        calls.append(content)
        write_json(content)(path)

    return make


def test_a_thing_is_made_once(tmp_path: Path) -> None:
    calls: list[str] = []
    for word in ("one", "two"):
        assert (
            kept(tmp_path / "new", "x.json", recipe(kept, speed=1), made_by(calls, word), read_json) == "one"
        )
    assert calls == ["one"]
    (path,) = (tmp_path / "new").glob("x-*.json")
    assert len(list((tmp_path / "new").iterdir())) == 2
    assert json.loads(path.with_name(path.name + RECORD).read_text())["settings"] == {"speed": 1}


def test_whatever_differs_makes_another_thing(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / "1.wav", tmp_path / "b" / "1.wav"
    for path, content in ((one, b"1"), (two, b"2")):
        path.parent.mkdir()
        path.write_bytes(content)
    recipes = [
        recipe(kept),
        recipe(kept, "training.seeds"),
        recipe(kept, files=[one]),
        recipe(kept, files=[two]),
        recipe(kept, how=How()),
        recipe(kept, how=How(1.5)),
        recipe(kept, how=How(names=("a", "b"))),
        recipe(kept, seeds=range(3)),
        recipe(kept, seeds=range(4)),
        recipe(kept, values=np.zeros(3)),
        recipe(kept, values=np.zeros(3, np.float32)),
        recipe(kept, values=np.array([0.0, 0.0, 1e-12])),
        recipe(kept, values=np.zeros((3, 1))),
    ]
    calls: list[str] = []
    for number, each in enumerate(recipes):
        assert kept(tmp_path, "x.json", each, made_by(calls, str(number)), read_json) == str(number)
    assert len(calls) == len(recipes)
    one.write_bytes(b"changed")
    assert recipe(kept, files=[one]) not in recipes


def test_equal_recipes_are_one_wherever_files_lie(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.wav").write_bytes(b"same")
    left, right = (recipe(kept, files=[tmp_path / f / "s.wav"], w={"b", "a"}) for f in ("a", "b"))
    assert left.key == right.key
    assert left.settings == {"w": ["a", "b"]}


def test_what_failed_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept(tmp_path, "x.json", recipe(kept), fail, read_json)
    assert list(tmp_path.iterdir()) == []


def test_a_path_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="among the files"):
        recipe(kept, where=tmp_path)
