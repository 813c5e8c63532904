"""Wherever a beat F of music is shown AMLt stands beside it: 0.00 is not always chaos."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOWN = re.compile(r"(?<!down)\b(beat|rhythm|dance|song|madmom) F\b")
BESIDE = re.compile(r"AMLt")
OTHERWISE = {
    "training/ablate_rhythm.py": "dances, not music: whether the tempo is right stands beside",
    "training/train_rhythm.py": "the same",
    "training/rhythm/cross_validation.py": "dances whose clocks are fitted to the song's before",
    "training/check_styles.py": "F against whichever octave suits best",
    "nodes/score_music.py": "a number for other nodes; its report and its picture say all",
}
"""Files that show one in another way, and how."""


def texts(code: str) -> list[str]:
    """All strings of a module but its docstrings."""
    tree = ast.parse(code)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told)
    return [node.value for node in constants if isinstance(node.value, str)]


def lacking(path: Path) -> bool:
    """Whether a module shows a beat F and neither AMLt nor a `Meeting`, whose text has both."""
    code = path.read_text(encoding="utf-8")
    if not SHOWN.search(code):
        return False
    said = texts(code)
    meets = re.search(r"\bmeeting_of\b|\bMeeting\b", code)
    return any(SHOWN.search(text) for text in said) and not (meets or any(map(BESIDE.search, said)))


def modules() -> list[Path]:
    rooms = ("d2m_core", "nodes", "training", "benchmarks")
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def test_amlt_stands_beside_every_beat_f() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in modules() if lacking(path)}
    assert found == set(OTHERWISE)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ('row = {"beat F": 1.0}', True),
        ('row = {"beat F": 1.0, "AMLt": 1.0}', False),
        ('print(f"rhythm F {met.f}")', True),
        ('"""Beat F of beats."""\nrow = {"downbeat F": 1.0}', False),
        ("met = meeting_of(a, b)\nprint(f'beat F {met}')", False),
    ],
)
def test_a_table_without_it_is_found(tmp_path: Path, code: str, wrong: bool) -> None:
    (tmp_path / "a.py").write_text(code)
    assert lacking(tmp_path / "a.py") == wrong
