"""Which files of the project a piece of code is made of: its imports, followed to their ends.

Imports are read from the source once in a process, those inside functions too. A name that a package
hands on leads to the file that it comes from, so that its door does not bring in the whole room.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def closure_of(modules: Iterable[str], root: Path) -> dict[str, Path]:
    """Name -> file of these modules and of all in `root` that they import.

    Files that a module names by `Path(__file__).with_name(...)` belong to it. Raises
    `ModuleNotFoundError` for what is imported and not there, `FileNotFoundError` for such a file.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _file_of(name, root)
        if path is None:
            raise ModuleNotFoundError(f"{name} is imported and is no file in {root}; correct its name.")
        found[name] = path
        for base, wanted in _imports(path, name):
            if _file_of(base.partition(".")[0], root) is not None:
                waiting.append(_source_of(base, wanted, root, name))
        for beside in _files_beside(path):
            found[f"{name}:{beside}"] = path.with_name(beside)
    return found


def _file_of(module: str, root: Path) -> Path | None:
    place = root.joinpath(*module.split("."))
    choices = (place.with_suffix(".py"), place / "__init__.py") if module else ()
    return next((path for path in choices if path.is_file()), None)


def _imports(path: Path, name: str) -> list[tuple[str, str]]:
    """(module, name wanted from it or nothing) of every import; dots are resolved."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return [(_absolute(module, dots, package), wanted) for module, dots, wanted, _ in _import_lines(path)]


def _absolute(module: str, dots: int, package: str) -> str:
    """`module` as it is called behind so many dots in a package."""
    if not dots:
        return module
    above = package.split(".")
    return ".".join([*above[: len(above) - dots + 1], *([module] if module else [])])


def _source_of(base: str, wanted: str, root: Path, importer: str) -> str:
    """The module in which a name lies that is imported from `base`."""
    if wanted and _file_of(f"{base}.{wanted}", root) is not None:
        return f"{base}.{wanted}"
    path = _file_of(base, root)
    if path is None:
        raise ModuleNotFoundError(f"{importer} imports {base}, which is no file in {root}; correct it.")
    if path.name == "__init__.py" and wanted:
        for module, dots, handed, known_as in _import_lines(path):
            if known_as == wanted and dots:
                return _source_of(_absolute(module, dots, base), handed, root, base)
    return base


# --- one file; read once in a process, which runs what it read when it began ---


@cache
def _import_lines(path: Path) -> list[tuple[str, int, str, str]]:
    """(module, dots, name wanted, name it gets) of every import in a file."""
    found = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found += [(each.name, 0, "", "") for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [
                (node.module or "", node.level, each.name, each.asname or each.name) for each in node.names
            ]
    return found


@cache
def _files_beside(path: Path) -> list[str]:
    """Names in `Path(__file__).with_name(NAME)`."""
    return list(_named_beside(_tree(path)))


def _named_beside(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path(__file__).with_name":
            yield ast.literal_eval(node.args[0])


@cache
def meaning_of(path: Path) -> str:
    """A checksum of what a file says: of Python all but layout, comments and docstrings."""
    content = path.read_bytes()
    if path.suffix == ".py":
        content = ast.dump(_without_docstrings(_tree(path))).encode()
    return hashlib.sha256(content).hexdigest()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The same without strings that stand for themselves, as docstrings do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_text(line)]
    return tree


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
