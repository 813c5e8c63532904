"""What a piece of code is made of: deep files, doors, what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from training.run import provenance
from training.run.closure import closure_of
from training.run.provenance import ROOT, code_of

FILES = {
    "core/__init__.py": "",
    "core/room/__init__.py": "from .deep import LIMIT\nfrom .other import unused\n",
    "core/room/deep.py": '"""Text."""\nfrom pathlib import Path\nLIMIT = 1  # so many\n'
    'TABLE = Path(__file__).with_name("table.json")\n',
    "core/room/other.py": "from missing_from_this_machine import unused\n",
    "core/room/table.json": "[1]",
    "tools/__init__.py": "",
    "tools/make.py": "import json\nfrom core.room import LIMIT\n\ndef make():\n    from . import help\n",
    "tools/help.py": "import core.room.deep as deep\n",
}


def tree(root: Path, **changed: str) -> Path:
    """The files above in a folder of their own, some of them changed."""
    for name, text in {**FILES, **changed}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_imports_are_followed_to_their_ends_and_through_doors(tmp_path: Path) -> None:
    found = closure_of(["tools.make"], tree(tmp_path))
    assert sorted(found) == [
        "core.room.deep",
        "core.room.deep:table.json",
        "tools.help",
        "tools.make",
    ]  # not `other`, which is no part of it


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("core/room/deep.py", FILES["core/room/deep.py"].replace("LIMIT = 1", "LIMIT = 2")),
        ("core/room/table.json", "[2]"),
        ("tools/make.py", FILES["tools/make.py"].replace("json", "math")),
    ],
)
def test_a_change_deep_down_changes_the_code(tmp_path: Path, name: str, text: str) -> None:
    before = code_of("tools.make", root=tree(tmp_path / "a"))
    assert code_of("tools.make", root=tree(tmp_path / "same")) == before
    assert code_of("tools.make", root=tree(tmp_path / "b", **{name: text})) != before


def test_comments_docstrings_and_other_files_do_not(tmp_path: Path) -> None:
    before = code_of("tools.make", root=tree(tmp_path / "a"))
    text = FILES["core/room/deep.py"].replace("Text.", "More.").replace("so many", "as many\n")
    other = {"core/room/deep.py": text, "core/room/other.py": "x = 1\n"}
    assert code_of("tools.make", root=tree(tmp_path / "b", **other)) == before


def test_a_renamed_or_missing_file_is_noticed(tmp_path: Path) -> None:
    before = code_of("tools.make", root=tree(tmp_path / "a"))
    renamed = tree(tmp_path / "b", **{"tools/make.py": FILES["tools/make.py"].replace("help", "aid")})
    shutil.move(renamed / "tools" / "help.py", renamed / "tools" / "aid.py")
    assert code_of("tools.make", root=renamed) != before
    lacking = tree(tmp_path / "c")
    (lacking / "core" / "room" / "deep.py").unlink()
    with pytest.raises(ModuleNotFoundError, match=r"core\.room\.deep"):
        code_of("tools.make", root=lacking)
    with pytest.raises(ModuleNotFoundError, match=r"tools\.gone"):
        code_of("tools.gone", root=tree(tmp_path / "d"))
    bare = tree(tmp_path / "e")
    (bare / "core" / "room" / "table.json").unlink()
    with pytest.raises(FileNotFoundError):
        code_of("tools.make", root=bare)


def test_functions_and_modules_stand_for_their_files() -> None:
    assert code_of(code_of) == code_of(provenance) == code_of("training.run.provenance")
    assert code_of(code_of) != code_of(closure_of)


def test_every_file_of_the_project_has_a_closure() -> None:
    for folder in ("d2m_core", "training", "benchmarks"):
        names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / folder).rglob("*.py")]
        closure_of([name.removesuffix(".__init__") for name in names], ROOT)
