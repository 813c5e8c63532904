"""Links, files, modules and names that pages, docstrings and comments speak of are there."""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from pathlib import Path

import pytest

from tests.pages import CODE, PAGES, ROOT, anchors, links

FOLDERS = "d2m_core|nodes|training|benchmarks|scripts|tests|docs|weights|workflows|web|locales"
DOTTED = re.compile(r"(?<![\w./-])((?:d2m_core|training|benchmarks|scripts)(?:\.[A-Za-z_]\w*)+)")
PATHS = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*\w)")
MEMBER = re.compile(r"`([a-z_]+)\.([A-Za-z_]\w*)(?:\(\))?`")
FILE = re.compile(r"`([\w/]+\.py)`")
STANDS_FOR_ANY = {"training.NAME"}
SUFFIXES = set(re.findall(r"\w+", "py json jsonl safetensors md html npz pt pbtxt mp4 csv wav png tar toml"))


def here(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def modules() -> dict[str, list[Path]]:
    """Modules by what prose calls them: their file, or their folder."""
    found: dict[str, list[Path]] = {}
    for path in CODE:
        found.setdefault(path.parent.name if path.stem == "__init__" else path.stem, []).append(path)
    return found


def is_there(dotted: str) -> bool:
    """Whether a module is there, or a name in one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        file = next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)
        if file is not None:
            return count == len(parts) or bool(re.search(rf"\b{parts[count]}\b", text_of(file)))
    return False


def is_a_file(name: str) -> bool:
    """Whether a file is there, said by its whole path or by the end of it."""
    return (ROOT / name).exists() or any(here(path).endswith(f"/{name}") for path in CODE)


@pytest.mark.parametrize("page", PAGES, ids=here)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: there are {anchors(target)}"


@pytest.mark.parametrize("path", [*PAGES, *CODE], ids=here)
def test_names_that_a_text_speaks_of_are_there(path: Path) -> None:
    wrong = []
    for number, line in enumerate(text_of(path).split("\n"), 1):
        missing = [name for name in DOTTED.findall(line) if name not in STANDS_FOR_ANY and not is_there(name)]
        missing += [name for name in PATHS.findall(line) if not (ROOT / name).exists()]
        missing += [name for name in FILE.findall(line) if not is_a_file(name)]
        wrong += [f"{number}: {name}" for name in missing]
    assert not wrong, f"{here(path)} speaks of what is not there: {wrong}"


@pytest.mark.parametrize("path", CODE, ids=here)
def test_members_of_modules_that_a_text_speaks_of_are_there(path: Path) -> None:
    """`gains.accent_gain` is somewhere in a module `gains`, or `gains` is a name of this file."""
    wrong = []
    for number, line in enumerate(text_of(path).split("\n"), 1):
        for module, name in MEMBER.findall(line):
            if name in SUFFIXES or is_there(f"{module}.{name}"):
                continue
            if lying := modules().get(module):
                found = any(re.search(rf"\b{name}\b", text_of(other)) for other in lying)
            else:
                found = bool(re.search(rf"\b{module}\b(?!\.{name}\b)", text_of(path)))
            if not found:
                wrong.append(f"{number}: {module}.{name}")
    assert not wrong, f"{here(path)} speaks of what is not there: {wrong}"


# --- what artists get from the registry ---


def left_out() -> list[str]:
    """Patterns of .comfyignore, which has the form of .gitignore."""
    lines = text_of(ROOT / ".comfyignore").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def ships(path: str) -> bool:
    folders = [pattern for pattern in left_out() if pattern.endswith("/")]
    if any(path.startswith(folder) for folder in folders):
        return False
    return not any(fnmatch.fnmatch(path, pattern) for pattern in left_out())


def test_what_is_left_out_of_the_package_is_there_and_not_needed() -> None:
    for pattern in left_out():
        assert list(ROOT.glob(pattern.rstrip("/"))), f"{pattern} leaves out nothing"
    inside = [link.split("#")[0] for link in links(ROOT / "README.md") if not link.startswith("#")]
    needed = [*inside, "__init__.py", "requirements.txt", "pyproject.toml"]
    for folder in ("d2m_core", "nodes", "training", "weights", "web", "locales", "workflows"):
        files = (here(path) for path in (ROOT / folder).rglob("*") if path.is_file())
        needed += [path for path in files if "__pycache__" not in path]
    assert len(needed) > 300
    assert not [path for path in needed if not ships(path)]


def test_nothing_that_artists_get_installs_packages() -> None:
    """The registry refuses packs that run pip; a clone may."""
    installers = re.compile(r"""["'](pip|npm|uv|conda)["']""")
    found = [here(path) for path in CODE if ships(here(path)) and installers.search(text_of(path))]
    assert not found
    assert installers.search(text_of(ROOT / "scripts" / "pose_model.py"))


# --- where to touch ---


def test_where_a_style_stands_is_said() -> None:
    """Every file that knows a style by name, and no other, is in the row of CONTRIBUTING.md."""
    rows = [line for line in text_of(ROOT / "CONTRIBUTING.md").split("\n") if "a style of music" in line]
    style = '"reggaeton"', " reggaeton", "reggaeton "  # a word that nothing else is called by
    books = {"d2m_core/band/played_music.py", "d2m_core/band/machine_music.py"}  # one or the other
    knowing = {here(path) for path in CODE if any(word in text_of(path) for word in style)}
    assert set(PATHS.findall(rows[0])) == knowing | books
