"""Who may import whom: the order of the rooms, checked on the source itself.

A room is a folder, or a file that lies beside folders. It imports only rooms that stand left of it;
rooms on one floor (between two bars) do not know each other.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CORE_ORDER = (
    "errors types notices | files heap styles grid dilated spans | settings straight | flags checkpoint"
    " weights | media | codec mastering | pose | motion ear | rhythm | band | midi | export | pictures"
    " | scores | align | music | pipeline | sync | cli live"
)
TRAINING_ORDER = (
    "seeds run figures | sources | pairs | studio | judges | codec transformer scoreboard | rhythm ear"
    " | builder"
)
"""Right of them all stand the commands, the files at the root of `training`; then the benchmarks."""

COMMANDS = "commands"
PACKAGES = ("d2m_core", "nodes", "training", "benchmarks", "scripts")
HOST_MODULES = {
    *"comfy comfy_api comfy_config comfy_execution comfy_extras".split(),
    *"execution folder_paths latent_preview node_helpers server".split(),
}
SCHEMA = {"comfy_api"}
"""What every node file may import of ComfyUI; the rest goes through nodes/host.py."""

SEARCH_PATH = re.compile(r"\bsys\.path\b|\bsite\.addsitedir\b")
READERS = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
ARRAYS_ONLY = Path("training/sources/pickles.py")


@dataclass(frozen=True)
class Import:
    """One name that a file imports: `module` is absolute, `name` what is taken from it."""

    line: int
    dots: int
    module: str
    name: str | None
    in_function: bool

    @property
    def target(self) -> str:
        """The module that is read: `from .pose import track` reads `pose.track` where that is a file."""
        inner = f"{self.module}.{self.name}"
        return inner if self.name and file_of(inner) else self.module


def file_of(module: str) -> Path | None:
    """Where a module of this repository lies."""
    place = ROOT.joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, those inside functions too."""
    return tuple(_imports(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).parts[:-1]))


def _imports(node: ast.AST, folder: tuple[str, ...], inside: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(child.lineno, 0, alias.name, None, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            above = folder[: len(folder) - child.level + 1] if child.level else ()
            module = ".".join((*above, *filter(None, [child.module])))
            yield from (
                Import(child.lineno, child.level, module, alias.name, inside) for alias in child.names
            )
        function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _imports(child, folder, inside or function)


def room(module: str) -> str:
    """`d2m_core.pose.track` stands in `pose`, `training.train` is one of the commands."""
    package, *rest = module.split(".")
    if package != "training" or not rest or (ROOT / package / rest[0]).is_dir() or rest[0] == "seeds":
        return rest[0] if rest else package
    return COMMANDS


def floors(order: str) -> dict[str, int]:
    return {name: floor for floor, names in enumerate(order.split("|")) for name in names.split()}


def inward(path: Path) -> list[Import]:
    """What a file imports of this repository."""
    return [found for found in imports(path) if found.module.split(".")[0] in PACKAGES]


def here(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- the order of the rooms ---


@pytest.mark.parametrize(
    ("package", "order"),
    [("d2m_core", CORE_ORDER), ("training", f"{TRAINING_ORDER} | {COMMANDS}")],
    ids=["core", "training"],
)
def test_a_room_imports_only_what_stands_left_of_it(package: str, order: str) -> None:
    floor = {**floors(order), package: -1, "__main__": 99}
    wrong = []
    for path in sources(package):
        own = room(module_of(path))
        assert own in floor, f"{here(path)}: give {own!r} its place in the order of this file."
        for found in inward(path):
            other = room(found.target)
            if found.module.split(".")[0] == package and other != own and floor[other] >= floor[own]:
                wrong.append(f"{here(path)}:{found.line}: {own} imports {other}")
    assert not wrong, "\n".join(wrong)
    empty = [name for name in floors(order) if name != COMMANDS and file_of(f"{package}.{name}") is None]
    assert not empty, f"{empty} stand in the order and lie nowhere"


def test_commands_know_no_other_command() -> None:
    for path in sources("training"):
        for found in inward(path):
            own = room(module_of(path)) == COMMANDS and module_of(path) == found.target
            assert own or room(found.target) != COMMANDS or found.module.split(".")[0] != "training", (
                f"{here(path)}:{found.line}: {found.target} is a command; what two need stands in a room"
            )


def test_no_circle_between_files() -> None:
    arrows = {
        module_of(path): {found.target for found in inward(path)} - {module_of(path)}
        for path in sources(*PACKAGES)
    }
    left = dict(arrows)
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"these import each other in a circle: {sorted(left)}"
        for name in free:
            del left[name]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_between_folders(package: str) -> None:
    def folder(path: Path) -> str:
        return module_of(path) if path.stem == "__init__" else module_of(path).rpartition(".")[0]

    arrows: dict[str, set[str]] = {}
    for path in sources(package):
        read = {file_of(found.target) for found in inward(path)}
        arrows.setdefault(folder(path), set()).update(
            folder(found) for found in read if found and found.is_relative_to(ROOT / package)
        )
    left = {name: needs - {name} for name, needs in arrows.items() if name != package}
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"these folders import each other in a circle: {sorted(left)}"
        for name in free:
            del left[name]


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_import_heavy_libraries_only(package: str) -> None:
    """Nothing of ours is imported late: that hides an arrow, or a circle."""
    late = [
        f"{here(path)}:{found.line}: {found.target}"
        for path in sources(package)
        for found in inward(path)
        if found.in_function
    ]
    assert not late, "\n".join(late)


def test_what_a_door_hands_on_is_taken_at_the_door() -> None:
    """`from d2m_core.pose import estimate_poses`, not `from d2m_core.pose.estimate`."""
    wrong = []
    for path in sources(*PACKAGES, "tests"):
        for found in inward(path):
            package, _, _ = found.target.rpartition(".")
            door = file_of(package)
            outside = not f"{module_of(path)}.".startswith(f"{package}.")
            if package.count(".") and door and door.stem == "__init__" and outside:
                handed = {way.name for way in imports(door) if way.target == found.target}
                if found.name in handed:
                    wrong.append(f"{here(path)}:{found.line}: {found.name}: import it from {package}")
    assert not wrong, "\n".join(wrong)


# --- who knows whom ---


@pytest.mark.parametrize("path", sources("d2m_core"), ids=here)
def test_core_knows_itself_alone_and_by_dots(path: Path) -> None:
    for found in imports(path):
        top = found.module.split(".")[0]
        assert top not in HOST_MODULES, f"{found.module}: ComfyUI belongs to nodes/"
        assert top not in {*PACKAGES, "tests"} - {"d2m_core"}, f"{found.module}: not from the core"
        assert top != "d2m_core" or found.dots, f"{found.module}: inside the core, import by dots"


@pytest.mark.parametrize("path", [ROOT / "__init__.py", *sources("nodes")], ids=here)
def test_nodes_import_relatively_and_through_one_door(path: Path) -> None:
    for found in imports(path):
        top = found.module.split(".")[0]
        if found.dots == 0:
            assert top not in {*PACKAGES, "tests"}, f"{found.module}: use dots"
            if path.name != "host.py":
                assert top not in HOST_MODULES - SCHEMA, f"{found.module}: only nodes/host.py may"
        elif path != ROOT / "__init__.py":
            assert top in {"d2m_core", "nodes"}, f"{found.module}: nodes know the core and each other"


@pytest.mark.parametrize("folder", ["training", "benchmarks", "scripts"])
def test_tools_never_know_comfyui_or_nodes(folder: str) -> None:
    allowed = {
        "benchmarks": {"d2m_core", "training", "benchmarks"},
        "scripts": {"scripts", "d2m_core", "tests"},
    }
    for path in sources(folder):
        for found in imports(path):
            top = found.module.split(".")[0]
            assert top not in HOST_MODULES, f"{here(path)}:{found.line}: {found.module}"
            if top in {*PACKAGES, "tests"}:
                known = allowed.get(folder, {"d2m_core", "training"})
                assert top in known, f"{here(path)}:{found.line}: {found.module}"
            assert found.dots < 2, f"{here(path)}:{found.line}: {found.module}: import absolutely"


@pytest.mark.parametrize("folder", PACKAGES)
def test_nobody_edits_the_search_path_or_pickles(folder: str) -> None:
    for path in sources(folder):
        assert not SEARCH_PATH.search(path.read_text(encoding="utf-8")), here(path)
        readers = {found.module.split(".")[0] for found in imports(path)} & READERS
        assert not readers or path == ROOT / ARRAYS_ONLY, f"{here(path)}: {readers}"
    assert (ROOT / ARRAYS_ONLY).is_file()


# --- what is installed ---


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_is_a_package_by_name() -> None:
    named = pyproject()["tool"]["setuptools"]["packages"]
    lying = {module_of(path.parent / "__init__.py") for path in sources("d2m_core", "training")}
    assert sorted(named) == sorted(lying)
    doors = [name for name in lying if not (file_of(name) or ROOT).read_text(encoding="utf-8").strip()]
    assert not doors, f"{doors}: a door says in one sentence what the room is for"


def test_what_is_not_code_is_installed_too() -> None:
    data = pyproject()["tool"]["setuptools"]["package-data"]
    for package in ("d2m_core", "training"):
        for path in (ROOT / package).rglob("*"):
            kept = path.is_file() and "__pycache__" not in path.parts  # there numba keeps what it compiled
            if kept and path.suffix not in {".py", ".md"}:
                patterns = data.get(module_of(path.parent / "__init__.py"), [])
                assert any(path.match(pattern) for pattern in patterns), here(path)
