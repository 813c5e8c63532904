"""Command-line flags made from the fields of a config dataclass."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Collection
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, TypeVar

Config = TypeVar("Config")


def add_flags(parser: argparse.ArgumentParser, kind: type, leave_out: Collection[str] = ()) -> None:
    """Adds a flag for every field of dataclass `kind` with a default; its docstring is the help."""
    texts = _docs(kind)
    for field in fields(kind):
        if field.default is not MISSING and field.name not in leave_out:
            _add(parser, field, texts.get(field.name, ""))


def config_from(kind: type[Config], args: argparse.Namespace) -> Config:
    """The dataclass `kind` with what its flags were given; other flags in `args` are left alone."""
    given = {f.name: getattr(args, f.name) for f in fields(kind) if hasattr(args, f.name)}  # type: ignore[arg-type]
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


def _docs(kind: type) -> dict[str, str]:
    """The strings under the fields of a dataclass."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            found[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    return found


def _member(field: Field[Any]) -> type:
    """What a tuple holds: as its default does, or, where that is empty, as it is annotated."""
    default: Any = field.default
    if default:
        return type(default[0])
    (name,) = re.findall(r"tuple\[(\w+), \.\.\.\]", str(field.type))
    return {"int": int, "float": float, "str": str, "Path": Path}[name]


def _add(parser: argparse.ArgumentParser, field: Field[Any], text: str) -> None:
    flag, default = "--" + field.name.replace("_", "-"), field.default
    text = text if default is None else f"{text} [%(default)s]".strip()
    if isinstance(default, bool) or field.type == "bool | None":
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default, help=text)
    elif isinstance(default, tuple):
        parser.add_argument(flag, type=_member(field), nargs="+", default=default, help=text)
    else:
        parser.add_argument(flag, type=type(default), default=default, help=text)
