"""Tries the pack in any ComfyUI: `python -m scripts.try_comfy --comfy DIR --python P [--tests]`.

Starts that ComfyUI's server on a base folder of its own in the temporary folder, with the pack and
its weights as a clone brings them, runs every workflow of `workflows/api` on small drawn clips, and
prints a table. Nothing in DIR is changed. `--without torchaudio` hides a package from the pack once
ComfyUI has started. `--tests` then runs the tests of the nodes against that ComfyUI.
Ends with 1 if a workflow or a test fails. Large models are expected to be refused for their
files alone, or, in a ComfyUI older than their nodes, for these.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from d2m_core.errors import ModelError
from scripts.make_workflows import OURS
from tests.comfy_server import (
    FOR_TESTS,
    REPOSITORY,
    Installed,
    Server,
    comfy_server,
    place_pose_model,
    put_weights,
)
from tests.nodes.graphs import messages
from tests.nodes.workflow_media import Media, draw_clip, draw_group, with_media, write_song

MODELS = {"ckpt_name", "clip_name", "clip_name1", "clip_name2", "unet_name", "vae_name", "lora_name", "type"}
"""Inputs that name a large model, or its kind, which a ComfyUI may be too old to know."""

WORKFLOWS = sorted((REPOSITORY / "workflows" / "api").glob("*.json"))

HIDE = """
import sys
for name in {names!r}:
    found = [each for each in sys.modules if each.startswith(name + ".")]
    sys.modules |= dict.fromkeys([name, *found])  # importing these fails
NODE_CLASS_MAPPINGS = {{}}
"""
"""A pack that takes packages away; the pack imports them late, when all packs are there."""


class Outcome(NamedTuple):
    """What became of a workflow."""

    workflow: str
    good: bool
    words: str
    seconds: float = 0.0


def try_workflow(server: Server, path: Path, media: Media) -> Outcome:
    """Runs one workflow, unless this ComfyUI cannot have its nodes or models."""
    graph = with_media(json.loads(path.read_text(encoding="utf-8")), media)
    start = time.monotonic()
    lacking = sorted({n["class_type"] for n in graph.values()} - server.call("/object_info").keys())
    if lacking:
        good = not any(name.startswith(OURS) for name in lacking)
        return Outcome(path.stem, good, f"this ComfyUI has no {', '.join(lacking)}")
    answer = server.submit(graph)
    if "prompt_id" not in answer:
        return Outcome(path.stem, *refusal(graph, answer))
    entry = server.wait(answer["prompt_id"])
    errors = [f"{e['node_type']}: {e['exception_message']}" for e in messages(entry, "execution_error")]
    good = entry["status"]["status_str"] == "success"
    words = "; ".join(errors) or entry["status"]["status_str"]
    return Outcome(path.stem, good, words.strip(), time.monotonic() - start)


def refusal(graph: dict[str, Any], answer: dict[str, Any]) -> tuple[bool, str]:
    """Whether models that are not there are all that a refused graph lacks, and the words."""
    found = [(node, error) for node, about in answer["node_errors"].items() for error in about["errors"]]
    only_models = found and all(
        error["extra_info"].get("input_name") in MODELS and error["type"] == "value_not_in_list"
        for _node, error in found
    )
    if only_models:
        return True, "refused for its models alone, which are not installed"
    words = "; ".join(f"{graph[node]['class_type']}: {e['details']}" for node, e in found)
    return False, f"refused: {words or answer['error']['message']}"


def try_all(comfy: Installed, base: Path, without: list[str]) -> list[Outcome]:
    def prepare(pack: Path) -> None:
        put_weights(pack)
        hider = pack.parent / "hider"
        hider.mkdir()
        (hider / "__init__.py").write_text(HIDE.format(names=without))

    place_pose_model(base)
    with comfy_server(base, prepare=prepare, comfy=comfy) as server:
        about = server.call("/system_stats")["system"]
        sys.stdout.write(
            f"ComfyUI {about['comfyui_version']}, Python {about['python_version'].split()[0]}, "
            f"torch {about['pytorch_version']}{''.join(f', no {name}' for name in without)}\n"
        )
        media = Media(
            server.upload(draw_clip(base / "one.mp4")),
            server.upload(draw_group(base / "three.mp4")),
            server.upload(write_song(base / "song.wav")),
        )
        return [try_workflow(server, path, media) for path in WORKFLOWS]


def table(outcomes: list[Outcome]) -> str:
    rows = ["| workflow | result | s |", "|---|---|---|"]
    for workflow, good, words, seconds in outcomes:
        result = words if good else f"FAILED: {words}"
        rows.append(f"| {workflow} | {result} | {f'{seconds:.1f}' if seconds else '-'} |")
    return "\n".join(rows) + "\n"


def run_tests(comfy: Installed) -> int:
    environment = os.environ | {"D2M_COMFY": str(comfy.app), "D2M_COMFY_PYTHON": str(comfy.python)}
    command = [sys.executable, "-m", "pytest", "tests/nodes"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comfy", type=Path, default=FOR_TESTS.app, help="folder with main.py")
    parser.add_argument("--python", type=Path, default=FOR_TESTS.python, help="its interpreter")
    parser.add_argument("--without", action="append", default=[], help="a package to hide")
    parser.add_argument("--tests", action="store_true", help="also tests/nodes against it")
    args = parser.parse_args(argv)
    # An interpreter of an environment is a link: resolved, it would lose the environment.
    comfy = Installed(args.comfy.resolve(), args.python.absolute())
    for path in (comfy.app / "main.py", comfy.python):
        if not path.is_file():
            parser.error(f"{path} is not there; --comfy wants ComfyUI's folder, --python its Python")
    with tempfile.TemporaryDirectory(prefix="try_comfy_") as folder:
        try:
            outcomes = try_all(comfy, Path(folder) / "base", args.without)
        except (ModelError, RuntimeError) as error:  # no pose model; ComfyUI did not start
            raise SystemExit(f"try_comfy: {error}") from None
    sys.stdout.write(table(outcomes))
    failed = not all(outcome.good for outcome in outcomes)
    return 1 if (args.tests and run_tests(comfy)) or failed else 0


if __name__ == "__main__":
    sys.exit(main())
