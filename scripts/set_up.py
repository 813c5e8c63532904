"""Makes `.venv` with everything the project needs. Standard library only; safe to run again.

    python3 scripts/set_up.py [--dev] [--venv .venv]

Finished steps are remembered in the environment and not repeated until their inputs change.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIN_PYTHON = (3, 11)
CPU_TORCH = "torch==2.13.0"
TORCHAUDIO = "torchaudio==2.11.0"
"""For developers only: the tests' ComfyUI needs it, and our resampling is held against it."""
SYSTEM_LIBRARIES = {"libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2", "libGL.so.1": "libgl1"}
"""What MediaPipe loads, and the Debian package it is in."""
STUDIO_LIBRARIES = {"libfluidsynth.so.3": "libfluidsynth3"}
SOUNDFONT, SOUNDFONT_PLACE = "musescore-general-soundfont-small", Path("/usr/share/sounds")
"""What the studio's band plays on; without them it plays its own synthesisers alone."""


def say(text: str) -> None:
    sys.stderr.write(f"set-up: {text}\n")


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def missing_libraries(libraries: dict[str, str]) -> list[str]:
    """Packages whose libraries cannot be loaded; empty outside Linux."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def install_libraries(dev: bool) -> None:
    """Installs what is needed from the system, or says the command; stops for MediaPipe's."""
    needed = missing_libraries(SYSTEM_LIBRARIES)
    wanted = [*needed, *(missing_studio_packages() if dev else [])]
    if not wanted:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *wanted]
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        say(f"installing {', '.join(wanted)}")
        run("apt-get", "update", "-q")
        run(*command)
    elif needed:
        raise SystemExit(
            f"set-up: MediaPipe needs {', '.join(needed)}. Run: sudo {' '.join(command)}\n"
            "set-up: then run the same make command again."
        )
    else:
        say(f"the studio's band sounds better with: sudo {' '.join(command)}")


def missing_studio_packages() -> list[str]:
    """The synthesiser library and a soundfont, where they are not installed; Linux only."""
    missing = missing_libraries(STUDIO_LIBRARIES)
    if sys.platform.startswith("linux") and not any(SOUNDFONT_PLACE.glob("sf[23]/*.sf[23]")):
        missing.append(SOUNDFONT)
    return missing


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv: Path) -> None:
    if sys.version_info < MIN_PYTHON:
        raise SystemExit(
            f"set-up: Python is {sys.version.split()[0]}; use 3.11 or newer, "
            "for example: make demo PYTHON=python3.12"
        )
    if not python_of(venv).exists():
        say(f"making {venv.name}")
        run(sys.executable, "-m", "venv", venv)


def has_nvidia() -> bool:
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run(["nvidia-smi", "-L"], capture_output=True).returncode == 0


def install_torch(venv: Path) -> None:
    pip = [python_of(venv), "-m", "pip", "install", "-q"]
    if has_nvidia():
        say("installing torch with CUDA")
        run(*pip, "torch")
        return
    say("installing torch")
    run(*pip, CPU_TORCH, "numpy")


def install_torchaudio(venv: Path) -> None:
    """Beside another torch its extensions may fail to load; without them the rest works."""
    run(python_of(venv), "-m", "pip", "install", "-q", "--no-deps", TORCHAUDIO)
    try_it = [python_of(venv), "-c", "import torchaudio.functional"]
    if subprocess.run(list(map(str, try_it)), capture_output=True).returncode == 0:
        return
    find = "import importlib.util as u; print(u.find_spec('torchaudio').submodule_search_locations[0])"
    folder = subprocess.run([python_of(venv), "-c", find], capture_output=True, text=True, check=True)
    for extension in (Path(folder.stdout.strip()) / "lib").glob("*.so"):
        extension.unlink()
    run(*try_it)


DEV_EXTRAS = ("train", "studio", "sources", "cluster", "tune", "dev")


def install_packages(venv: Path, dev: bool) -> None:
    say("installing the packages in requirements.txt" + (" and the tools for tests" if dev else ""))
    pip = [python_of(venv), "-m", "pip", "install", "-q"]
    run(*pip, "-r", "requirements.txt", *(_extras(*DEV_EXTRAS) if dev else []))


def _extras(*names: str) -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [package for name in names for package in project["optional-dependencies"][name]]


def get_pose_model(venv: Path) -> None:
    run(python_of(venv), "-m", "scripts.pose_model", "--variant", "full")


def fingerprint(dev: bool) -> str:
    parts = [Path(__file__).read_bytes(), (ROOT / "requirements.txt").read_bytes()]
    if dev:
        parts.append((ROOT / "pyproject.toml").read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what tests and training need")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    args = parser.parse_args()
    stamp = args.venv / "d2m_set_up.json"
    done = json.loads(stamp.read_text()) if stamp.exists() else {}
    key = "dev" if args.dev else "user"
    install_libraries(args.dev)
    if done.get(key) != fingerprint(args.dev):
        make_venv(args.venv)
        install_torch(args.venv)
        install_packages(args.venv, args.dev)
        if args.dev:
            install_torchaudio(args.venv)
        stamp.write_text(json.dumps(done | {key: fingerprint(args.dev)}))
    get_pose_model(args.venv)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"set-up: {' '.join(error.cmd[:6])} ... ended with {error.returncode}") from None
