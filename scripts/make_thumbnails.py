"""Runs the example graphs in a running ComfyUI and makes their pictures from what comes out.

    python -m scripts.make_thumbnails --clip dance.mp4 --group three.mp4 --song song.flac

Each picture shows the dancer as found, the rhythm or what is special in that graph, and the music.
Large models are not run: their pictures show what the dance tells them, and the band that leads them.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from scripts.make_workflows import ROOT
from scripts.workflow_dancer import NEW_DANCER
from scripts.workflow_graphs import GRAPHS, LARGE
from scripts.workflow_models import CLAP, SDPOSE
from scripts.workflow_parts import (
    BAND,
    CLAPS,
    CONTINUE,
    EDIT,
    LOAD,
    POSE,
    RHYTHM,
    SAVE_AUDIO,
    SCORE,
    SELECT,
    SONG,
    Graph,
)

SIZE, MARGIN = (720, 720), 8
BACK, WAVE, TEXT = "#15181d", "#6fb3e0", "#e8e8e8"
LOWEST = (704, 100)
"""Size of the lowest picture."""
MOMENT = 0.6
"""Which frame of a film is shown, as a part of its length."""
RUN_S = 900.0
_SAYS = {
    CLAP.api_name: "you clap the tempo, the dance places the beats",
    SDPOSE.api_name: "SDPose finds the dancer, no MediaPipe",
    NEW_DANCER.api_name: "another dancer on the same beats: WanDancer",
}
"""What stands below where neither the music nor what a model is told says it."""
_ESTIMATE = {"model": "full", "people": 0, "dancer": "largest"}

Shown = dict[str, str]
"""How ComfyUI names a file: filename, subfolder, type."""


class Comfy:
    """A running ComfyUI."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return answer.read()

    def file(self, shown: Shown) -> io.BytesIO:
        return io.BytesIO(self.get("/view?" + urllib.parse.urlencode(shown)))

    def upload(self, path: Path) -> str:
        edge = uuid.uuid4().hex
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"'
            "\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        request = urllib.request.Request(self.address + "/upload/image", body, kind)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["name"]

    def run(self, graph: dict[str, Any]) -> dict[str, Any]:
        """Queues a graph; what its nodes show."""
        body = json.dumps({"prompt": graph}).encode()
        request = urllib.request.Request(self.address + "/prompt", body)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            prompt = json.loads(answer.read())["prompt_id"]
        end = time.monotonic() + RUN_S
        while time.monotonic() < end:
            entry = json.loads(self.get(f"/history/{prompt}")).get(prompt)
            if entry is not None:
                if entry["status"]["status_str"] != "success":
                    raise RuntimeError(json.dumps(entry["status"]["messages"][-1], indent=1))
                return entry["outputs"]
            time.sleep(0.5)
        raise TimeoutError(f"a graph took over {RUN_S:g} s")


def frame_of(film: io.BytesIO) -> Image.Image:
    """One frame of a film."""
    with av.open(film) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    return frames[int(MOMENT * (len(frames) - 1))]


def wave_of(sound: io.BytesIO, width: int, height: int) -> Image.Image:
    """The envelope of a sound, drawn."""
    with av.open(sound) as container:
        blocks = [np.atleast_2d(f.to_ndarray()).mean(0) for f in container.decode(audio=0)]
    samples = np.abs(np.concatenate(blocks).astype(np.float64))
    columns = np.array([part.max() for part in np.array_split(samples, width)])
    picture = Image.new("RGB", (width, height), BACK)
    draw = ImageDraw.Draw(picture)
    for x, value in enumerate(columns / max(columns.max(), 1e-9) * (height / 2 - 4)):
        draw.line([(x, height / 2 - value), (x, height / 2 + value)], fill=WAVE)
    return picture


def words(text: str, width: int, height: int) -> Image.Image:
    """A line of text in the middle."""
    picture = Image.new("RGB", (width, height), BACK)
    font = ImageFont.load_default(26)
    ImageDraw.Draw(picture).multiline_text(
        (width / 2, height / 2), text, TEXT, font, anchor="mm", align="center", spacing=12
    )
    return picture


def composed(dancer: Image.Image, middle: Image.Image, bottom: Image.Image) -> Image.Image:
    """A square, as cards in the list of templates are: three pictures below each other."""
    picture = Image.new("RGB", SIZE, BACK)
    top = MARGIN
    for one, share in ((dancer, 0.49), (middle, 0.36), (bottom, 0.15)):
        low = top + round((SIZE[1] - 4 * MARGIN) * share)
        _paste(picture, one, (MARGIN, top, SIZE[0] - MARGIN, low))
        top = low + MARGIN
    return picture


def _paste(onto: Image.Image, what: Image.Image, box: tuple[int, int, int, int]) -> None:
    """As large as fits, in the middle."""
    space = (box[2] - box[0], box[3] - box[1])
    scale = min(space[0] / what.width, space[1] / what.height)
    small = what.convert("RGB").resize(
        (round(what.width * scale), round(what.height * scale)), Image.Resampling.LANCZOS
    )
    left, top = (s - g for s, g in zip(space, small.size, strict=True))
    onto.paste(small, (box[0] + left // 2, box[1] + top // 2))


def thumbnail(comfy: Comfy, graph: Graph, files: dict[str, str], seconds: float = 0.0) -> Image.Image:
    """Runs a graph, on that much of its clip (0: all), and shows what came out."""
    queued = json.loads((ROOT / "workflows" / "api" / f"{graph.api_name}.json").read_text(encoding="utf-8"))
    queued[str(LOAD)]["inputs"]["file"] = files["group" if str(SELECT) in queued else "clip"]
    if str(SONG) in queued:
        queued[str(SONG)]["inputs"]["audio"] = files["song"]
    queued[str(LOAD)]["inputs"]["duration_s"] = seconds
    if str(CONTINUE) in queued:
        queued[str(CONTINUE)]["inputs"]["keep_s"] = seconds / 2
    if queued[str(POSE)]["class_type"] != "D2M_PoseEstimate":  # a large model looks for the dancer
        queued[str(POSE)] = {
            "class_type": "D2M_PoseEstimate",
            "inputs": {"video": [str(LOAD), 0]} | _ESTIMATE,
        }
    queued[str(POSE)]["inputs"] |= {"draw": True, "download": False}
    if str(CLAPS) in queued:
        queued[str(CLAPS)]["inputs"]["audio"] = files["song"]
    if graph.api_name in LARGE:
        run = (LOAD, POSE, SELECT, RHYTHM, BAND)
        queued = {str(node): queued[str(node)] for node in run if str(node) in queued}
        if str(BAND) in queued:  # it plays only where something hears it
            queued["chart"] = {"class_type": "PreviewAny", "inputs": {"source": [str(BAND), 7]}}
        queued["bpm"] = {"class_type": "PreviewAny", "inputs": {"source": [str(RHYTHM), 3]}}
        queued["metre"] = {"class_type": "PreviewAny", "inputs": {"source": [str(RHYTHM), 5]}}
    shown = comfy.run(_fresh(queued))
    dancer = ImageOps.fit(frame_of(comfy.file(shown[str(POSE)]["images"][0])), (704, 345))
    pictures = {
        node: Image.open(comfy.file(shown[str(node)]["images"][0]))
        for node in (SELECT, BAND, SCORE, EDIT, RHYTHM)
        if str(node) in shown
    }
    dancer = pictures.pop(SELECT, dancer)
    _, special = next(iter(pictures.items()))
    return composed(dancer, special, _last(comfy, shown, graph.api_name))


def _last(comfy: Comfy, shown: dict[str, Any], name: str) -> Image.Image:
    """The music that was made; for a large model, what it does or is told."""
    if name in _SAYS:
        return words(_SAYS[name], *LOWEST)
    if str(SAVE_AUDIO) in shown:
        return wave_of(comfy.file(shown[str(SAVE_AUDIO)]["audio"][0]), *LOWEST)
    model = LARGE[name]
    said = "the band leads" if str(BAND) in shown else "told to"
    told = f"{said} {model}: {shown['bpm']['text'][0]} BPM, "
    return words(told + f"{shown['metre']['text'][0]} beats a bar", *LOWEST)


def _fresh(graph: dict[str, Any]) -> dict[str, Any]:
    """The graph with nothing of it in the cache, whose nodes would show nothing: an own start."""
    changed = json.loads(json.dumps(graph))
    changed[str(LOAD)]["inputs"]["start_s"] += 0.001 * (1 + time.time() % 7)
    return changed


def main(argv: list[str] | None = None) -> int:
    """Command line: writes the pictures of all graphs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8188", help="a running ComfyUI")
    parser.add_argument("--clip", type=Path, required=True, help="a dance of one person")
    parser.add_argument("--group", type=Path, required=True, help="a dance of several")
    parser.add_argument("--song", type=Path, required=True, help="any music")
    parser.add_argument("--seconds", type=float, default=0.0, help="of the clips; 0 takes all")
    parser.add_argument("--only", nargs="*", default=[g.api_name for g in GRAPHS])
    args = parser.parse_args(argv)
    comfy = Comfy(args.address)
    files = {name: comfy.upload(getattr(args, name)) for name in ("clip", "group", "song")}
    for graph in GRAPHS:
        if graph.api_name in args.only:
            picture = thumbnail(comfy, graph, files, args.seconds)
            picture.save(ROOT / "workflows" / f"{graph.name}.jpg", quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
