"""Runs tests on the newest Python that this machine has, with the newest libraries.

    python3 scripts/newest.py [--python PATH] [pytest's words ...]

The environment for development holds what its Python allows, which is not what a fresh ComfyUI
gets: some libraries publish for newer Pythons only. This makes `.newest/` with the newest release
of everything in requirements.txt, and nothing that requirements.txt does not ask for but torch, what
the band plays with and the test tools (so no torchaudio). Without a newer Python it says so and ends well.

uv, from an environment of its own in `.newest/`, does the work. On Linux torch comes with CUDA,
about 3 GB once, unless UV_TORCH_BACKEND=cpu is set where PyTorch's own index can be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".newest"
TOOLS, VENV = FOLDER / "tools", FOLDER / "venv"
WANTED, VERSIONS = FOLDER / "wanted.txt", FOLDER / "versions.txt"

OLDEST = (3, 12)
"""Older Pythons than this no longer get the newest releases."""
FETCHED = "3.13"
"""What is fetched where no new enough Python is installed."""
MORE = ("torch", "pytest", "hypothesis")
"""What the tests need beside requirements.txt; ComfyUI brings torch."""
EXTRA = "studio"
"""The extra of pyproject.toml whose packages the band plays with; it stands in the core."""
IMPORTED = ("numpy", "scipy", "opencv-contrib-python")
"""What comes with requirements.txt and is imported all the same."""
TESTS = ("tests/d2m_core",)


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine."""

    path: str
    version: tuple[int, ...]


def say(text: str) -> None:
    sys.stderr.write(f"newest: {text}\n")
    sys.stderr.flush()


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def get_uv() -> None:
    FOLDER.mkdir(exist_ok=True)
    if not python_of(TOOLS).exists():
        venv.create(TOOLS, with_pip=True)
    pip = (python_of(TOOLS), "-m", "pip", "install", "--quiet", "--upgrade", "uv")
    subprocess.run(pip, check=True)


def uv(*words: str | Path, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs uv, whose complaints are shown unless `quiet`; what it fetches stays in `.newest/`."""
    environment = os.environ | {
        "PATH": os.pathsep.join([os.environ.get("PATH", ""), *pyenv_folders()]),
        "UV_PYTHON_INSTALL_DIR": str(FOLDER / "python"),
    }
    return subprocess.run(
        [python_of(TOOLS), "-m", "uv", *words],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
    )


def pyenv_folders() -> list[str]:
    """Where pyenv keeps its Pythons: its shims on PATH answer for the chosen one alone."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [str(path) for path in sorted(root.glob("versions/*/bin"))]


def interpreters() -> list[Interpreter]:
    """Released CPythons from `OLDEST` on, the newest first."""
    listed = uv("python", "list", "--only-installed", "--output-format", "json", quiet=True)
    found = {}
    for entry in json.loads(listed.stdout or "[]"):
        released = entry["version"].replace(".", "").isdigit()
        version = tuple(entry["version_parts"][part] for part in ("major", "minor", "patch"))
        usual = entry["implementation"] == "cpython" and entry["variant"] == "default"
        if released and usual and version >= OLDEST:
            found.setdefault(version, Interpreter(entry["path"], version))
    return [found[version] for version in sorted(found, reverse=True)]


def fetch() -> list[Interpreter]:
    """A Python from where uv gets them; empty where that cannot be reached."""
    say(f"no Python from {OLDEST[0]}.{OLDEST[1]} on is installed; trying to fetch {FETCHED}")
    uv("python", "install", "--no-bin", FETCHED, quiet=True)
    return interpreters()


def resolve(python: str) -> bool:
    """Writes the newest versions that this Python can have; False where there are none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    band = project["optional-dependencies"][EXTRA]
    WANTED.write_text("\n".join(["-r ../requirements.txt", *band, *MORE, ""]))
    answer = uv(
        "pip",
        "compile",
        "--quiet",
        "--upgrade",
        "--only-binary",
        ":all:",
        "--no-annotate",
        "--no-header",
        "--python",
        python,
        "--output-file",
        VERSIONS,
        WANTED,
    )
    return answer.returncode == 0


def make_environment(python: str) -> Path:
    """Brings `.newest/venv` to these versions exactly; returns its Python."""
    for words in (
        ("venv", "--quiet", "--seed", "--allow-existing", "--python", python, VENV),
        ("pip", "sync", "--quiet", "--only-binary", ":all:", "--python", VENV, VERSIONS),
    ):
        if uv(*words).returncode:
            raise SystemExit(f"newest: uv {' '.join(map(str, words[:2]))} failed")
    return python_of(VENV)


def direct() -> list[str]:
    """The versions of what our own files import; the rest comes with these."""
    required = (ROOT / "requirements.txt").read_text().split("\n")
    names = {re.split(r"[^\w-]", line)[0].replace("_", "-") for line in required} | {*MORE, *IMPORTED}
    return [line for line in VERSIONS.read_text().split() if line.split("==")[0] in names]


def choose(asked: str | None) -> str | None:
    """The Python to test on, its versions resolved; None where the machine has none."""
    if asked is not None:
        if not resolve(asked):
            raise SystemExit(f"newest: requirements.txt cannot be had for {asked}")
        return asked
    found = interpreters() or fetch()
    for one in found:
        if resolve(one.path):
            return one.path
        say(f"not everything is published for Python {'.'.join(map(str, one.version))} yet")
    if found:
        raise SystemExit("newest: requirements.txt cannot be had for any Python here")
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", help="this Python instead of the newest")
    parser.add_argument("words", nargs="*", help=f"for pytest; without any: {' '.join(TESTS)}")
    args, more = parser.parse_known_args()
    start = time.monotonic()
    get_uv()
    python = choose(args.python)
    if python is None:
        say(
            f"skipped: no Python from {OLDEST[0]}.{OLDEST[1]} on is installed here, and none "
            "could be fetched; install one to run these tests."
        )
        return 0
    environment = make_environment(python)
    say(f"{python} with {', '.join(direct())}; all of it: {VERSIONS.relative_to(ROOT)}")
    say(f"the environment took {time.monotonic() - start:.0f} s")
    pose_model = (environment, "-m", "scripts.pose_model", "--variant", "full")
    subprocess.run(pose_model, cwd=ROOT, check=True)
    words = [*more, *args.words] or TESTS
    # The tests' arrays are small: a second thread costs more than it brings.
    one_thread = {"OMP_NUM_THREADS": "1"} | os.environ
    pytest = (environment, "-m", "pytest", *words)
    return subprocess.run(pytest, cwd=ROOT, env=one_thread).returncode


if __name__ == "__main__":
    sys.exit(main())
