"""Completes `pyproject.toml` for the registry: `python -m scripts.registry --repository URL --ref v1.2.3`.

The registry wants web addresses, of the project and of its pictures, and a repository does not know where
it is hosted. So the publishing workflow writes them, from where it runs, into its own copy.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ICON, BANNER = "docs/icon.svg", "docs/banner.jpg"


def completed(text: str, repository: str, ref: str) -> str:
    """`pyproject.toml` with its addresses: those of the project, and of icon and banner at `ref`.

    Raises `ValueError` for an address that is none, or where they are there already.
    """
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"The repository is {repository!r}; give its web address, https://HOST/OWNER/NAME.")
    known = tomllib.loads(text)
    if "urls" in known["project"]:
        raise ValueError("pyproject.toml has its addresses already.")
    urls = {
        "Homepage": repository,
        "Repository": repository,
        "Documentation": f"{repository}/blob/{ref}/docs/questions.md",
        "Bug Tracker": f"{repository}/issues",
        "Changelog": f"{repository}/blob/{ref}/CHANGELOG.md",
    }
    lines = "".join(f'"{name}" = "{address}"\n' for name, address in urls.items())
    pictures = f'Icon = "{repository}/raw/{ref}/{ICON}"\nBanner = "{repository}/raw/{ref}/{BANNER}"'
    text = text.replace(
        "[project.optional-dependencies]", f"[project.urls]\n{lines}\n[project.optional-dependencies]"
    )
    return re.sub(r'^Icon = ".*$', pictures, text, count=1, flags=re.MULTILINE)


def main(argv: list[str] | None = None) -> int:
    """Command line: changes `pyproject.toml` in place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", required=True, help="its web address")
    parser.add_argument("--ref", required=True, help="the tag or commit that is published")
    parser.add_argument("--file", type=Path, default=ROOT / "pyproject.toml")
    args = parser.parse_args(argv)
    try:
        made = completed(args.file.read_text(encoding="utf-8"), args.repository, args.ref)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    args.file.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
