"""Widgets that are linked: ComfyUI knows their values in the run alone."""

from __future__ import annotations

import copy
import json
import os
import shutil
from typing import Any

import av
import numpy as np
import pytest

from tests.comfy_server import PYTHON, Server
from tests.nodes.graphs import (
    CONTINUE,
    DUMPED,
    DURATION_S,
    EDIT,
    EDITS,
    FROM_KEYS,
    LOAD,
    MODEL,
    POSE,
    RHYTHM,
    SAMPLER,
    SAVE,
    SELECT,
    TO_KEYS,
    VIDEO,
    Graph,
    assert_success,
    dump,
    dumped,
    failed,
    node,
    only,
    preview_seconds,
    rejected,
    saved,
    shown_text,
    with_inputs,
)

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


def linked(graph: Graph, which: str, **inputs: Any) -> Graph:
    """The graph with links in the place of widgets of a node."""
    changed = copy.deepcopy(graph)
    for name, value in inputs.items():
        source = f"{which}_{name}"
        changed[source] = {"class_type": "T_Value", "inputs": {"text": json.dumps(value)}}
        changed[which]["inputs"][name] = [source, 0]
    return changed


def widgets(server: Server, kind: str) -> dict[str, Any]:
    """Defaults of all widgets of a node."""
    inputs = server.call(f"/object_info/{kind}")[kind]["input"]
    specs = inputs["required"] | inputs.get("optional", {})
    return {
        name: about.get("default", "")
        for name, (socket, about) in specs.items()
        if socket in WIDGETS
    }


def test_every_widget_of_every_node_may_be_linked(
    server: Server,
    whole: Graph,
    values: dict[str, dict[str, np.ndarray]],
) -> None:
    """One prompt with nothing but links gives what the same values give when typed."""
    graph, count = whole, 0
    for name, about in whole.items():
        kind = about["class_type"]
        if kind.startswith("D2M_"):
            given = widgets(server, kind)
            given |= {key: text for key, text in about["inputs"].items() if key in given}
            graph, count = linked(graph, name, **given), count + len(given)
    nodes = {kind for kind in server.call("/object_info") if kind.startswith("D2M_")}
    assert nodes == {n["class_type"] for n in whole.values() if n["class_type"].startswith("D2M_")}
    assert count > 50
    entry = server.run(graph)
    assert_success(entry)
    for number, name in enumerate(DUMPED):
        (found,) = dumped(server, entry, str(100 + number))
        for part, value in values[name].items():
            np.testing.assert_array_equal(found[part], value, err_msg=f"{name}.{part}")
    with av.open(str(server.file(entry["outputs"][VIDEO]["images"][0]))) as film:
        json.loads(film.metadata["prompt"], parse_constant=pytest.fail)  # NaN is no JSON


def test_the_text_of_a_stock_node_names_the_files(server: Server, whole: Graph) -> None:
    text = {"class_type": "PrimitiveString", "inputs": {"value": "linked/name"}}
    graph = whole | {"70": text}
    for which in (SAVE, VIDEO):
        graph = with_inputs(graph, which, filename_prefix=["70", 0])
    entry = server.run(graph)
    assert_success(entry)
    folder = server.base / "output" / "linked"
    assert saved(server, entry).parent == folder
    assert server.file(entry["outputs"][VIDEO]["images"][0]).parent == folder


def test_our_own_beats_may_be_edited(server: Server, whole: Graph) -> None:
    graph = {name: whole[name] for name in (LOAD, POSE, RHYTHM)}
    graph[EDIT] = node("EditRhythm", rhythm=[RHYTHM, 0], **EDITS | {"beats": [RHYTHM, 6]})
    graph |= {"71": dump(RHYTHM, 0, "there"), "72": dump(EDIT, 0, "edited")}
    entry = server.run(with_inputs(graph, EDIT, tempo="as it is", shift_ms=0.0, beats_per_bar=0))
    assert_success(entry)
    (there,), (edited,) = dumped(server, entry, "71"), dumped(server, entry, "72")
    np.testing.assert_allclose(edited["beats_s"], there["beats_s"], atol=5e-4)


@pytest.mark.parametrize("name", ["path", "file"])
def test_a_linked_file_that_is_replaced_is_read_again(
    server: Server,
    clip: str,
    make_clip: Any,
    name: str,
) -> None:
    inside = server.base / "input" / "replaced.mp4"
    shutil.copy(server.base / "input" / clip, inside)
    typed = {"file": clip, "path": "", "start_s": 0.0, "duration_s": 0.0}
    graph = linked({LOAD: node("LoadVideo", **typed)}, LOAD, **{name: inside.name})
    graph |= {"2": preview_seconds()}
    assert float(shown_text(server.run(graph), "2")) == pytest.approx(DURATION_S, abs=0.05)
    os.replace(make_clip("other.mp4", duration_s=1.5), inside)
    entry = server.run(graph)
    assert float(shown_text(entry, "2")) == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    ("which", "inputs", "words"),
    [
        (LOAD, {"path": "/etc/hostname"}, "outside"),
        (LOAD, {"file": "nothing.mp4"}, "nothing.mp4 is not in"),
        (POSE, {"model": "../huge"}, "Pose model is '../huge'; choose"),
        (POSE, {"dancer": "nobody"}, "Dancer is 'nobody'; choose"),
        (SELECT, {"dancer": "nobody"}, "Dancer is 'nobody'; choose"),
        (TO_KEYS, {"people": "few"}, "People is 'few'; choose"),
        (TO_KEYS, {"width": -1}, "width is -1; use 0 or more"),
        (FROM_KEYS, {"fps": -1.0}, "fps is -1; use 0 or more"),
        (SAMPLER, {"batch_size": 0}, "batch_size is 0; use 1 or more"),
        (CONTINUE, {"keep_s": -0.5}, "keep_s is -0.5; use 0 or more"),
        (RHYTHM, {"grid": "triple"}, "Grid is 'triple'; choose"),
        (RHYTHM, {"tempo_bpm": 20.0}, "20"),
        (EDIT, {"tempo": "fast"}, "Tempo is 'fast'; choose"),
        (EDIT, {"beats": "0.5, 0.4"}, "rise"),
        (MODEL, {"model_name": "gone.safetensors"}, "gone.safetensors is not in"),
        (SAMPLER, {"style": "polka"}, "Style is 'polka'; choose"),
        (VIDEO, {"format": "avi"}, "Format is 'avi'; choose"),
        (VIDEO, {"filename_prefix": "../../x"}, "../../x"),
    ],
)
def test_what_is_wrong_with_a_linked_value_is_said_in_the_run(
    server: Server,
    whole: Graph,
    which: str,
    inputs: dict[str, Any],
    words: str,
) -> None:
    kept = only(whole, which)
    assert words in failed(server, linked(kept, which, **inputs), which)


def test_an_input_that_is_missing_is_the_only_thing_said(server: Server, whole: Graph) -> None:
    graph = copy.deepcopy(only(whole, SAMPLER))
    del graph[SAMPLER]["inputs"]["style"]
    assert rejected(server, graph, SAMPLER) == "style"
