"""What stands in the pages of the repository: code blocks, commands, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_WHERE = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "training/**/*.md", "weights/*.md", "web/docs/*.md")
PAGES = sorted(path for pattern in _WHERE for path in ROOT.glob(pattern))
"""All that speak of today. The changelog speaks of what was."""

FOLDERS = ("d2m_core", "nodes", "training", "benchmarks", "scripts")
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_PROGRAM = re.compile(r"(python3?|pip|make|torchrun|accelerate|pytest) \S")
_INDENTED = re.compile(r"\s+(python -m|torchrun|accelerate) ")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A piece of a page: `line` is that of its first line of code."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Code blocks of a page, those of one language or all."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(page, text.count("\n", 0, match.start()) + 2, match[1], match[2])
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


@dataclass(frozen=True)
class Command:
    """One call of a program; `elided` where the page leaves something out with dots, `in_prose` where it
    may only be named."""

    place: str
    words: tuple[str, ...]
    elided: bool
    in_prose: bool

    @property
    def module(self) -> str | None:
        """What stands behind `-m`."""
        return self.words[self.words.index("-m") + 1] if "-m" in self.words[:-1] else None

    @property
    def arguments(self) -> list[str]:
        return list(self.words[self.words.index("-m") + 2 :])


def commands(path: Path) -> Iterator[Command]:
    """Every command that a page, or the text of a module, gives: in blocks, in lines, and in backticks."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        for block in blocks(path, "sh"):
            yield from _in_lines(block.text, path, block.line)
        text = _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
    else:
        indented = [
            line if re.match(r"\s+(python -m|torchrun|accelerate) ", line) else ""
            for line in text.split("\n")
        ]
        yield from _in_lines("\n".join(indented), path, 1)
    for match in _SPAN.finditer(text):
        if _PROGRAM.match(match[1]):
            line = text.count("\n", 0, match.start()) + 1
            yield from _in_lines(" ".join(match[1].split()), path, line, in_prose=True)


def _in_lines(text: str, path: Path, first: int, in_prose: bool = False) -> Iterator[Command]:
    joined = re.sub(r"\\\n\s*", " ", text)
    for number, line in enumerate(joined.split("\n")):
        for part in line.split("&&"):
            words = shlex.split(part.replace("\\", "/"), comments=True)
            kept = [word.strip("[]") for word in words if word.strip("[]") != "..."]
            if kept:
                elided = len(kept) < len(words) or any("[" in word for word in words)
                place = f"{path.relative_to(ROOT).as_posix()}:{first + number}"
                yield Command(place, tuple(word for word in kept if word), elided, in_prose)


def links(page: Path) -> list[str]:
    """Where the links of a page lead, within the repository."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(text) if not re.match(r"\w+:", link)]


def anchors(page: Path) -> set[str]:
    """What may stand behind `#` in a link to a page, as GitHub makes it of headings."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
