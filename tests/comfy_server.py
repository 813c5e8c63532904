"""Starts and stops a real ComfyUI with this pack in it, and talks to it.

It is the one in `.comfy/`, or with `D2M_COMFY` and `D2M_COMFY_PYTHON` another folder of ComfyUI and
the interpreter that has its packages: `scripts/try_comfy.py` sets both.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from d2m_core.errors import ModelError
from scripts.pose_model import obtain
from tests import setup_comfy

REPOSITORY = Path(__file__).resolve().parent.parent
PACK = "ComfyUI-Dance.To-Music"
"""Folder name of the pack: with a dash and a dot, which must not matter."""

START_S = 240.0
"""Longest wait for the server to answer."""
RUN_S = 240.0
"""Longest wait for one prompt."""

# A torchvision made for CUDA needs libraries that a CPU torch does not bring. Its import then fails
# on two operators that only its own library would declare; ComfyUI never calls them here.
DECLARE_OPERATORS = """
import torch
try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""
LAUNCH = DECLARE_OPERATORS + "import runpy; runpy.run_path('main.py', run_name='__main__')"


def load() -> float:
    """How many times slower than alone this machine may be, by its load; 1 where nothing else runs."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True)
class Installed:
    """A ComfyUI on this machine."""

    app: Path
    """Its folder, with main.py."""
    python: Path
    """An interpreter with its packages and the pack's."""


APP = Path(os.environ.get("D2M_COMFY") or setup_comfy.APP)
PYTHON = Path(os.environ.get("D2M_COMFY_PYTHON") or setup_comfy.PYTHON)
FOR_TESTS = Installed(APP, PYTHON)


@dataclass
class Server:
    """A running ComfyUI."""

    address: str
    base: Path
    """Its base folder: models, input, output, temp, custom_nodes."""
    log: Path
    client: str
    pid: int = 0
    events: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    """What it tells the page, in order."""

    def call(self, path: str, data: Any = None) -> Any:
        """GET, or POST of JSON; the answer's JSON. An error answer is returned like any other."""
        request = urllib.request.Request(self.address + path)
        if data is not None:
            request.data = json.dumps(data).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        return json.loads(body) if body else None

    def upload(self, path: Path) -> str:
        """Uploads a file as the page does; returns the name it got."""
        edge = uuid.uuid4().hex
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        request = urllib.request.Request(
            self.address + "/upload/image",
            head.encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={edge}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())["name"]

    def submit(self, graph: dict[str, Any]) -> dict[str, Any]:
        """Queues a graph in API form; the answer has `prompt_id`, or `error` and `node_errors`."""
        return self.call("/prompt", {"prompt": graph, "client_id": self.client})

    def wait(self, prompt_id: str) -> dict[str, Any]:
        """The history entry of a prompt, once it is done in one way or another."""
        end = time.monotonic() + RUN_S
        while time.monotonic() < end:
            found = self.call(f"/history/{prompt_id}")
            if prompt_id in found:
                return found[prompt_id]
            time.sleep(0.1)
        raise TimeoutError(f"prompt {prompt_id} took over {RUN_S:g} s:\n{self.tail()}")

    def run(self, graph: dict[str, Any]) -> dict[str, Any]:
        """Queues a graph that is expected to be valid, and waits for its history entry."""
        answer = self.submit(graph)
        assert "prompt_id" in answer, json.dumps(answer, indent=1)
        return self.wait(answer["prompt_id"])

    def file(self, shown: dict[str, str]) -> Path:
        """The file behind what a node shows on the page."""
        return self.base / shown["type"] / shown["subfolder"] / shown["filename"]

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def place_pose_model(base: Path, variant: str = "full") -> Path:
    """Makes our model folder below `base`, with a pose model in it."""
    models = base / "models" / "dance2music"
    models.mkdir(parents=True)
    shutil.copy(obtain(variant), models)
    return models


def put_pose_model(base: Path, variant: str = "full") -> Path:
    """The same for a test, which is skipped where there is no pose model."""
    try:
        return place_pose_model(base, variant)
    except ModelError as error:
        pytest.skip(f"no pose model to test with: {error}")


@contextmanager
def comfy_server(
    base: Path,
    *options: str,
    prepare: Callable[[Path], object] = lambda pack: None,
    comfy: Installed = FOR_TESTS,
) -> Iterator[Server]:
    """A ComfyUI on a free port with the folder `base` to itself; stopped at the end.

    `prepare(pack)` may change the pack's folder before the start.
    """
    page = base / "page"
    page.mkdir(parents=True)
    (page / "index.html").write_text("<title>test</title>")
    for name in ("models", "input", "output", "custom_nodes"):
        (base / name).mkdir(exist_ok=True)
    prepare(install_pack(base / "custom_nodes" / PACK))
    port = _free_port()
    words = (
        "--cpu",
        "--listen",
        "127.0.0.1",
        "--port",
        str(port),
        "--base-directory",
        str(base),
        "--database-url",
        f"sqlite:///{base}/comfy.db",
        "--front-end-root",
        str(page),
        "--disable-api-nodes",
        "--disable-auto-launch",
        *options,
    )
    server = Server(f"http://127.0.0.1:{port}", base, base / "log.txt", uuid.uuid4().hex)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    with server.log.open("w") as log:
        process = subprocess.Popen(
            [str(comfy.python), "-c", LAUNCH, *words],
            cwd=comfy.app,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    server.pid = process.pid
    try:
        _wait_until_ready(server, process)
        with _listener(server, comfy.python):
            yield server
    finally:
        _stop(process)


def install_pack(folder: Path) -> Path:
    """Puts into `folder` what ComfyUI would find there after a clone, of the weights the ear's alone."""
    folder.mkdir()
    for name in ("__init__.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    for name in ("nodes", "d2m_core", "web", "workflows", "subgraphs", "locales"):
        if (REPOSITORY / name).is_dir():
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / name, folder / name, ignore=leave)
    (folder / "weights").mkdir()
    shutil.copy(REPOSITORY / "weights" / "ear.safetensors", folder / "weights")
    return folder


def put_weights(pack: Path) -> None:
    """The weights of the repository, as a clone brings them."""
    shutil.copytree(REPOSITORY / "weights", pack / "weights", dirs_exist_ok=True)


@contextmanager
def _listener(server: Server, python: Path) -> Iterator[None]:
    """Fills `server.events` for as long as it is open."""
    process = subprocess.Popen(
        [str(python), str(REPOSITORY / "tests" / "comfy_events.py"), server.address, server.client],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = process.stdout

    def read() -> None:
        for line in lines:
            server.events.put(json.loads(line))

    threading.Thread(target=read, daemon=True).start()
    try:
        server.events.get(timeout=START_S)  # the greeting: from here on nothing is missed
        yield
    finally:
        _stop(process)


def _wait_until_ready(server: Server, process: subprocess.Popen[Any]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            server.call("/system_stats")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"ComfyUI did not start:\n{server.tail()}")


def _stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
