"""Graphs in API form for a running ComfyUI, and what comes back from it."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from d2m_core.types import CodecSpec, Rhythm
from tests.comfy_server import Server

Graph = dict[str, dict[str, Any]]

DURATION_S = 3.2
"""Not a whole number of motion frames, token steps or pictures once a window is cut from it."""
VARIANT = "full"
"""The pose model of the basic workflow; it is put in place before the server starts."""

OTHER_CODEC = CodecSpec("other", 24_000, 50.0, codebooks=1, cardinality=32)

LOAD, POSE, RHYTHM, MODEL, SAMPLER, CODEC, DECODE, SAVE = map(str, range(1, 9))
FILM = "10"
"""Node ids in workflows/api/basic.json."""
SELECT, TO_KEYS, FROM_KEYS, EDIT, ENCODE, CONTINUE, SOUND, ALIGN, SCORE, HEARD, VIDEO = (
    str(number) for number in range(10, 21)
)
BAND, MIDI_OUT, MIDI_IN, MARKERS = (str(number) for number in range(21, 25))
REPAIR, REPAINT, CURVES = (str(number) for number in range(35, 38))
LONGER_S, KEPT_S = 4.5, 1.5
DUMPED = {
    "poses": (SELECT, 0), "keypoints": (TO_KEYS, 0), "poses_again": (FROM_KEYS, 0),
    "rhythm": (RHYTHM, 0), "beats": (RHYTHM, 6), "signature": (RHYTHM, 5), "bpm": (RHYTHM, 3),
    "edited": (EDIT, 0), "tokens": (SAMPLER, 0), "music": (DECODE, 0), "encoded": (ENCODE, 0),
    "continued": (CONTINUE, 0), "longer": (CONTINUE, 1), "sound": (SOUND, 0),
    "aligned": (ALIGN, 0), "heard": (HEARD, 0), "report": (SCORE, 0),
    "mix": (BAND, 0), "drums": (BAND, 1), "bass": (BAND, 2), "harmony": (BAND, 3), "melody": (BAND, 4),
    "effects": (BAND, 5), "chart": (BAND, 7), "from_midi": (MIDI_IN, 0), "clicks": (MARKERS, 0),
    "repaired": (REPAIR, 0), "repainted": (REPAINT, 0), "in_front": (REPAINT, 2),
    "curved": (CURVES, 0), "energy": (CURVES, 1), "accents": (CURVES, 2),
}  # fmt: skip
"""What passes along in the graph of every node: name, node and output."""

SAMPLING = dict(style="any", seed=3, temperature=1.0, top_k=50, top_p=1.0, guidance=2.0)
_BEATS = 0.2 + 0.5 * np.arange(12) + 0.02 * np.sin(np.arange(12))
WANDERING = Rhythm(_BEATS, np.arange(12) % 3 == 1, np.zeros((160, 2), np.float32), 120.0)
"""What the MIDI file of the graph of every node holds."""

MENDED = dict(spans="0.8-1.2", method="interpolate", part="left arm", points="1 nose 0.5 0.2")
REPAINTED = dict(edit="repaint", span="0.5-1.5", snap="off", bars=1, likeness=0.0, candidates=2)
PLAYED = dict(style="funk", seed=3, key="A minor", intensity=0.6, humanise=0.3)
PLAYERS = ("drums", "bass", "chords", "lead", "percussion")
EDITS = dict(
    tempo="set",
    tempo_bpm=100.0,
    grid="as it is",
    shift_ms=40.0,
    swing=50.0,
    energy=1.0,
    beats_per_bar=3,
    beats="",
)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": f"D2M_{kind}", "inputs": inputs}


def with_inputs(graph: Graph, node: str, **inputs: Any) -> Graph:
    changed = copy.deepcopy(graph)
    changed[node]["inputs"].update(inputs)
    return changed


def messages(entry: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [data for name, data in entry["status"]["messages"] if name == kind]


def assert_success(entry: dict[str, Any]) -> None:
    assert entry["status"]["status_str"] == "success", messages(entry, "execution_error")


def saved(server: Server, entry: dict[str, Any], node: str = SAVE) -> Path:
    (shown,) = entry["outputs"][node]["audio"]
    return server.file(shown)


def read_audio(path: Path) -> tuple[np.ndarray, int]:
    """Samples [C, N] and rate, decoded by PyAV."""
    with av.open(str(path)) as container:
        frames = [_by_channel(frame) for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate(frames, axis=1)
    scale = np.iinfo(samples.dtype).max if samples.dtype.kind == "i" else 1.0
    return samples / scale, rate


def _by_channel(frame: av.AudioFrame) -> np.ndarray:
    """[C, N], also where the samples of channels take turns."""
    samples = frame.to_ndarray()
    return samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T


def rejected(server: Server, graph: Graph, node: str) -> str:
    """What the server says about a graph that it refuses because of `node`."""
    answer = server.submit(graph)
    assert "prompt_id" not in answer, "the graph was accepted"
    assert node in answer["node_errors"], answer
    return " ".join(error["details"] for error in answer["node_errors"][node]["errors"])


def failed(server: Server, graph: Graph, node: str) -> str:
    """What a graph that is accepted says when `node` fails in it."""
    entry = server.run(graph)
    (error,) = messages(entry, "execution_error")
    assert error["node_id"] == node, error
    return error["exception_message"]


def video_length_s(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [frame.time for frame in container.decode(stream)]
        return len(times) / float(stream.average_rate)


def preview_seconds() -> dict[str, Any]:
    """The smallest output node for Load Video: a stock node that shows any value."""
    return {"class_type": "PreviewAny", "inputs": {"source": [LOAD, 2]}}


def drain(server: Server) -> list[dict[str, Any]]:
    time.sleep(0.3)
    events = []
    while not server.events.empty():
        events.append(server.events.get())
    return events


def save_video(node: str, output: int) -> dict[str, Any]:
    inputs = {"video": [node, output], "filename_prefix": "v", "format": "auto", "codec": "auto"}
    return {"class_type": "SaveVideo", "inputs": inputs}


def shown_text(entry: dict[str, Any], node: str) -> str:
    """The text that a node shows on the page."""
    return "\n".join(entry["outputs"][node]["text"])


def clicks(seconds: float, bpm: float = 120.0, sounds: int = 1) -> dict[str, Any]:
    """A node of the tests' own pack: AUDIO with a beat."""
    return {"class_type": "T_Clicks", "inputs": {"seconds": seconds, "bpm": bpm, "sounds": sounds}}


def dump(node: str, output: int, name: str) -> dict[str, Any]:
    """A node of the tests' own pack that writes down a value, for `dumped`."""
    return {"class_type": "T_Dump", "inputs": {"value": [node, output], "name": name}}


def dumped(server: Server, entry: dict[str, Any], node: str) -> list[dict[str, np.ndarray]]:
    """What a `dump` node wrote, once for each item of a list."""
    files = entry["outputs"][node]["dumped"]
    return [dict(np.load(server.base / "output" / file)) for file in files]


def only(graph: Graph, node: str) -> Graph:
    """`node` with all that it needs, and something that wants its first output."""
    kept: Graph = {}
    waiting = [node]
    while waiting:
        name = waiting.pop()
        kept[name] = graph[name]
        links = (value for value in graph[name]["inputs"].values() if isinstance(value, list))
        waiting += [source for source, _output in links]
    kept[f"{node} wanted"] = {"class_type": "PreviewAny", "inputs": {"source": [node, 0]}}
    return kept
