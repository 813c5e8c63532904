"""The one door to ComfyUI beyond its schema: folders, files, progress, model management."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import comfy.model_management
import comfy.model_patcher
import comfy.utils
import comfy_api.input
import folder_paths
import numpy as np
import torch
from aiohttp import web
from comfy.cli_args import args
from comfy_api.latest import InputImpl, io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from comfy_execution.utils import get_executing_context

from ..d2m_core.errors import MediaError, ModelError, SettingError
from ..d2m_core.files import check_place
from ..d2m_core.music import styles_in
from ..d2m_core.styles import STYLES
from ..d2m_core.types import Progress

FOLDER = "dance2music"
"""Name of our folder under ComfyUI's `models`."""

MODEL_SUFFIXES = {".safetensors"}

T = TypeVar("T")


# --- model files ---


def register_folder() -> None:
    """Makes `models/dance2music` known to ComfyUI, with the kinds of files it lists there."""
    folder_paths.add_model_folder_path(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))
    # A new folder starts with no suffixes, which lists every file.
    folder_paths.folder_names_and_paths[FOLDER][1].update(MODEL_SUFFIXES)


def model_folders() -> list[Path]:
    """Our model folders, the one for new files first."""
    return [Path(path) for path in folder_paths.get_folder_paths(FOLDER)]


def model_files() -> list[str]:
    """Checkpoints that lie directly in our model folders."""
    return [name for name in folder_paths.get_filename_list(FOLDER) if Path(name).parent == Path()]


def model_path(name: str) -> Path:
    """Path of a checkpoint that `model_files` lists. Raises `ModelError`."""
    path = folder_paths.get_full_path(FOLDER, name)
    if path is None:
        raise ModelError(f"Model {name} is not in {model_folders()[0]}; put the file there.")
    return Path(path)


def own_styles() -> list[str]:
    """Styles that the user's own checkpoints know and the embedded model does not."""
    paths = (folder_paths.get_full_path(FOLDER, name) for name in model_files())
    named = {style for path in paths if path for style in _styles_of(path, file_stamp(Path(path)))}
    return sorted(named - set(STYLES))


@lru_cache(maxsize=256)
def _styles_of(path: str, stamp: str) -> tuple[str, ...]:
    """Read once for each file as it is: ComfyUI asks for a node's inputs at every run."""
    return styles_in(path)


def codec_folders() -> dict[str, Path]:
    """Codecs in transformers' format in our model folders, by folder name."""
    found = (config for folder in model_folders() for config in folder.glob("*/config.json"))
    return {config.parent.name: config.parent for config in found}


# --- the user's media ---


def input_videos() -> list[str]:
    """Videos that lie directly in ComfyUI's input folder."""
    return sorted(folder_paths.filter_files_content_types(_input_files(), ["video"]))


def input_files(suffixes: Collection[str]) -> list[str]:
    """Files with these endings that lie directly in ComfyUI's input folder."""
    return sorted(name for name in _input_files() if Path(name).suffix.lower() in suffixes)


def _input_files() -> list[str]:
    folder = folder_paths.get_input_directory()
    return [entry.name for entry in os.scandir(folder) if entry.is_file()]


def media_path(name: str) -> Path:
    """Real path of a file named as ComfyUI names them, or by a whole path. Raises `MediaError`.

    It must lie in ComfyUI's input, output or temp folder: a workflow from a stranger must not
    read other files. (`folder_paths.get_annotated_filepath` is a plain join before ComfyUI 0.27,
    and since then takes whole paths into the input folder alone.)
    """
    if not name.strip():
        raise MediaError("No file is chosen; press 'choose file to upload', or drop one on the node.")
    roots = [
        os.path.realpath(folder)
        for folder in (
            folder_paths.get_input_directory(),
            folder_paths.get_output_directory(),
            folder_paths.get_temp_directory(),
        )
    ]
    inner, folder = folder_paths.annotated_filepath(name.strip().strip('"'))
    path = os.path.realpath(os.path.join(folder or roots[0], inner))
    if not any(Path(path).is_relative_to(root) for root in roots):
        raise MediaError(
            f"{name} lies outside ComfyUI's folders; move it into {roots[0]} and choose it there."
        )
    if not os.path.isfile(path):
        raise MediaError(f"{name} is not in {roots[0]}; upload it or check its name.")
    return Path(path)


def file_stamp(path: Path) -> str:
    """Changes when the file does: for `fingerprint_inputs`. ComfyUI saves it with the workflow."""
    facts = path.stat()
    return f"{facts.st_mtime_ns} {facts.st_size}"


def temp_file(suffix: str) -> Path:
    """A new empty file in ComfyUI's temp folder, which ComfyUI empties at its start."""
    folder = folder_paths.get_temp_directory()
    os.makedirs(folder, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix="d2m_", suffix=suffix, dir=folder)
    os.close(handle)
    return Path(path)


def saved_in_temp(path: Path) -> ui.SavedResult:
    """What the page needs to show a file made by `temp_file`."""
    return ui.SavedResult(path.name, "", io.FolderType.temp)


def check_prefix(prefix: str) -> str:
    """ComfyUI's output folder, if `prefix` stays within it. Raises `MediaError`.

    Stock code checks the path as written; a link inside the folder must not lead out of it either.
    """
    root = os.path.realpath(folder_paths.get_output_directory())
    if not Path(os.path.realpath(os.path.join(root, prefix))).is_relative_to(root):
        raise MediaError(f"Prefix {prefix!r} leads out of {root}; use a name or a subfolder.")
    return root


def check_output(prefix: str) -> None:
    """Raises `MediaError` where no file with this prefix could be written; leaves nothing there."""
    check_place(Path(check_prefix(prefix)) / f"{prefix}_00001_.flac")


def output_file(prefix: str, suffix: str) -> tuple[Path, ui.SavedResult]:
    """A numbered name in ComfyUI's output folder, as stock nodes make them; refuses to leave it."""
    root = check_prefix(prefix)
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(prefix, root)
    file = f"{name}_{counter:05}_{suffix}"
    return Path(folder) / file, ui.SavedResult(file, subfolder, io.FolderType.output)


def workflow_metadata(hidden: Any) -> dict[str, str]:
    """Prompt and workflow as stock nodes store them; nothing under --disable-metadata."""
    if args.disable_metadata or hidden is None:
        return {}
    found = {"prompt": hidden.prompt} | (hidden.extra_pnginfo or {})
    return {name: json.dumps(value) for name, value in found.items() if value is not None}


# --- running ---


def check_interrupt() -> None:
    """Raises ComfyUI's own exception once the user has pressed Cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def progress() -> Progress:
    """An `on_progress` that moves the node's bar and stops the run on Cancel."""
    bar = comfy.utils.ProgressBar(1)

    def on_progress(done: int, total: int) -> None:
        check_interrupt()
        if total > 0:
            bar.update_absolute(done, total)

    return on_progress


Send = Callable[[dict[str, Any]], bool]
"""Tells the page something; False where it is gone."""

_listening: set[str] = set()
"""Pages that want to hear music while it is written."""


def _server() -> Any:
    """The running ComfyUI; None where nodes are only looked at: to load it would start half of it."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def offer_listening(get_ready: Callable[[], None]) -> None:
    """Lets a page say, at `/d2m/listen`, whether it wants to hear music; `get_ready` runs when one does."""
    server = _server()
    if server is None:
        return

    @server.routes.post("/d2m/listen")
    async def listen(request: web.Request) -> web.Response:
        asked = await request.json()
        client, on = asked.get("client"), asked.get("on") is True
        _listening.intersection_update(server.sockets)  # pages that are closed do not come back
        _listening.discard(client)
        if on and client in server.sockets:
            _listening.add(client)
            get_ready()
        return web.json_response({"on": client in _listening})


def listener() -> Send | None:
    """Speaks to the page whose run this is, where it wants to hear music while it is written."""
    server = _server()
    client, context = getattr(server, "client_id", None), get_executing_context()
    if context is None or client not in _listening:
        return None
    run = f"{context.prompt_id} {context.node_id}"

    def send(what: dict[str, Any]) -> bool:
        here = client in _listening and client in server.sockets
        if here:
            server.send_sync("d2m.sound", {"run": run} | what, client)
        return here

    return send


def keeps_preview() -> dict[str, bool]:
    """For the schema of a node that shows something without being an output node.

    ComfyUI of 2026 then shows it again after a run from the cache and after a reload; older ones
    do not know the field.
    """
    name = "has_intermediate_output"
    return {name: True} if name in {f.name for f in dataclasses.fields(io.Schema)} else {}


def found_by(*words: str) -> dict[str, list[str]]:
    """For a node's schema: other words by which ComfyUI of 2026 finds it."""
    known = {field.name for field in dataclasses.fields(io.Schema)}
    return {"search_aliases": list(words)} if "search_aliases" in known else {}


def advanced(kind: type[Any]) -> dict[str, Any]:
    """For an input of this kind: the page of 2026 folds it away until it is asked for."""
    known = inspect.signature(kind.Input.__init__).parameters
    return {"advanced": True} if "advanced" in known else {}


def blocked(message: str) -> ExecutionBlocker:
    """An output that stops whatever is connected to it, with a message."""
    return ExecutionBlocker(message)


@dataclasses.dataclass(frozen=True, eq=False)
class Held(Generic[T]):
    """Something with weights whose device ComfyUI manages, beside its other models."""

    value: T
    patcher: comfy.model_patcher.ModelPatcher

    def ready(self) -> T:
        """Brings the weights to the compute device, making room there if need be."""
        comfy.model_management.load_models_gpu([self.patcher])
        return self.value


def hold(value: T, module: torch.nn.Module) -> Held[T]:
    """Hands `module`, the weights of `value`, to ComfyUI's model management."""
    # The patcher sets attributes on what it holds, `device` among them, which some modules have
    # read-only: it gets a plain module around ours.
    shell = torch.nn.Module()
    shell.add_module("held", module)
    patcher = comfy.model_patcher.ModelPatcher(
        shell, load_device=comfy.model_management.get_torch_device(), offload_device=torch.device("cpu")
    )
    return Held(value, patcher)


def curve_of(points: list[tuple[float, float]]) -> Any:
    """A CURVE of straight lines; in a ComfyUI that has none of its own, what its page would send."""
    made = getattr(comfy_api.input, "LinearCurve", None)
    if made is None:
        return {"points": [list(point) for point in points], "interpolation": "linear"}
    return made(points)


def curve_at(curve: Any, places: np.ndarray) -> np.ndarray:
    """Values float64 of a CURVE at places 0..1. Raises `SettingError`."""
    read = getattr(comfy_api.input, "CurveInput", None)
    if read is not None and not hasattr(curve, "interp_array"):
        curve = read.from_raw(curve)
    if hasattr(curve, "interp_array"):
        return np.asarray(curve.interp_array(places), np.float64)
    points = curve.get("points") if isinstance(curve, dict) else curve
    if not isinstance(points, list) or not points:
        raise SettingError("The curve has no points; connect a Curve Editor, or leave it open.")
    rows = np.array(sorted(points), np.float64)
    return np.interp(places, rows[:, 0], rows[:, 1])


def can_trim_video() -> bool:
    """Whether this ComfyUI's VIDEO knows trim windows."""
    return hasattr(InputImpl.VideoFromFile, "get_active_trim_window")
