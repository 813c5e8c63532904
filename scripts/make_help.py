"""Writes the nodes' help pages in other languages than English: `python -m scripts.make_help`.

The page of ComfyUI looks for `web/docs/<node>/<language>.md`, and takes the English `web/docs/<node>.md`
where there is none. Names and explanations of inputs and outputs are those of `locales/<language>/
nodeDefs.json`, in the order of the English page; what else there is to say stands in `help.md` beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "web" / "docs"

HEADINGS = {
    "fr": ("Entrée", "Sortie", "Sens", "`{id}`, affiché « {name} »"),
    "zh": ("输入", "输出", "含义", "`{id}`（{name}）"),
}
"""For each language: inputs, outputs, their meaning, and how an id and its name are written."""

_SECTION = re.compile(r"^## (\w+)\n+(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_PLAYER = "audioUI"
"""An input that holds a player, of which there is nothing to say."""


def languages() -> tuple[str, ...]:
    return tuple(HEADINGS)


def notes(language: str) -> dict[str, str]:
    """What there is to say of each node beside its tables."""
    text = (ROOT / "locales" / language / "help.md").read_text(encoding="utf-8")
    return {match[1]: match[2].strip() for match in _SECTION.finditer(text)}


def page(node: str, about: dict[str, Any], note: str, language: str) -> str:
    """The help page of a node."""
    inputs, outputs, meaning, shape = HEADINGS[language]
    rows = [
        (f"`{id}`" if id == one["name"] else shape.format(id=id, name=one["name"]), one["tooltip"])
        for id, one in about["inputs"].items()
        if id != _PLAYER
    ]
    parts = [f"# {about['display_name']}", about["description"], _table(inputs, meaning, rows)]
    if given := about.get("outputs"):
        named = [(f"`{one['name']}`", one["tooltip"]) for one in given.values()]
        parts.append(_table(outputs, meaning, named))
    return "\n\n".join([*parts, note]) + "\n"


def _table(first: str, second: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {first} | {second} |", "|---|---|", *(f"| {one} | {other} |" for one, other in rows)]
    return "\n".join(lines)


def pages(language: str) -> dict[Path, str]:
    """Path and text of every page of a language."""
    defined = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    said = notes(language)
    return {
        DOCS / node / f"{language}.md": page(node, about, said[node], language)
        for node, about in defined.items()
    }


def main(argv: list[str] | None = None) -> int:
    """Command line: writes all of them."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    for language in languages():
        for path, text in pages(language).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
