"""Writes the example graphs into `workflows/`, for the page and for the API, and subgraphs into `subgraphs/`.

    python -m scripts.make_workflows --address http://127.0.0.1:8188

asks a running ComfyUI with this pack in it which inputs and outputs the nodes have, so that the
files agree with the nodes. Nodes that this ComfyUI lacks come from `--more`, a file in the form of
its `/object_info`. The graphs themselves are in `workflow_graphs.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from scripts.blueprints import BLUEPRINTS, Blueprint, subgraph_form
from scripts.workflow_graphs import GRAPHS
from scripts.workflow_parts import NOTE, Graph, Group, Node

ROOT = Path(__file__).resolve().parent.parent

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "AUDIO_RECORD"}
"""Socket types whose inputs are drawn as widgets."""
PACK = "dance-to-music"
"""The name of this pack in ComfyUI's registry."""
OURS = "D2M_"
"""What the types of this pack's nodes begin with."""
SUBGRAPHS = "subgraphs"
"""Folder of a pack in which ComfyUI looks for blueprints."""
UPLOADS = {"video_upload", "audio_upload", "image_upload"}
LISTENING = {"D2M_Sampler", "D2M_Continue"}
"""Nodes on which the page has a button to listen (`web/listen`)."""
ROW, WIDGET_ROW, TITLE, EDGE = 20, 24, 30, 20
"""Heights on the page, in its pixels: a socket, a widget, a title bar, the space left between."""
NOTE_SIZE = (340, 560)
GROUP_TITLE = 50

Info = Mapping[str, Any]
"""`/object_info`: what ComfyUI says of its nodes."""


def api_form(graph: Graph, info: Info) -> dict[str, Any]:
    """The graph as it is queued: settings and links of every node."""
    return {
        str(node.id): {
            "class_type": node.type,
            "inputs": {
                name: _linked(node, name) if name in node.links else _value(node, name, spec)
                for name, spec in inputs_of(info[node.type])
                if name in node.links or is_widget(spec)
            },
            "_meta": {"title": node.title or info[node.type].get("display_name") or node.type},
        }
        for node in sorted(graph.nodes, key=lambda node: node.id)
    }


def _linked(node: Node, name: str) -> list[Any]:
    source, output = node.links[name]
    return [str(source), output]


def ui_form(graph: Graph, info: Info) -> dict[str, Any]:
    """The graph as the page keeps it: with places, sizes, groups and a note."""
    links = links_of(graph, info)
    nodes, groups = placed(graph, info)
    made = [_note(graph)]
    for order, (node, box) in enumerate(nodes, 1):
        made.append(ui_node(node, info[node.type], box, order, links))
    return {
        "id": graph.uuid,
        "revision": 0,
        "last_node_id": max(node["id"] for node in made),
        "last_link_id": len(links),
        "nodes": made,
        "links": links,
        "groups": groups,
        "config": {},
        "extra": {"ds": {"scale": 0.6, "offset": [120, 200]}} | _app(graph),
        "version": 0.4,
    }


def _app(graph: Graph) -> dict[str, Any]:
    """What makes the page open a graph as an app."""
    if graph.app is None:
        return {}
    shown = {"inputs": [list(one) for one in graph.app.inputs], "outputs": list(graph.app.outputs)}
    return {"linearMode": True, "linearData": shown}


def _properties(node: Node) -> dict[str, Any]:
    """Which pack brings the node, for whoever lacks it, and the models it wants."""
    ours = {"cnr_id": PACK, "ver": version()} if node.type.startswith(OURS) else {"cnr_id": "comfy-core"}
    models = {"models": [asdict(model) for model in node.models]} if node.models else {}
    return {"Node name for S&R": node.type} | ours | models


@cache
def version() -> str:
    """The version of this pack."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def links_of(graph: Graph, info: Info) -> list[list[Any]]:
    """Links as the page keeps them: id, from, output, to, input, type."""
    links = []
    for node in graph.nodes:
        names = [name for name, _ in inputs_of(info[node.type])]
        for name, (source, output) in node.links.items():
            outputs = info[next(n.type for n in graph.nodes if n.id == source)]["output"]
            link = [source, output, node.id, names.index(name), outputs[output]]
            links.append([len(links) + 1, *link])
    return links


def ui_node(node: Node, about: Info, box: list[int], order: int, links: list[list[Any]]) -> dict[str, Any]:
    inputs = []
    for index, (name, spec) in enumerate(inputs_of(about)):
        link = next((k[0] for k in links if k[3:5] == [node.id, index]), None)
        entry: dict[str, Any] = {"name": name, "type": type_of(spec), "link": link}
        if is_widget(spec):
            entry["widget"] = {"name": name}
        elif name in about["input"].get("optional", {}):
            entry["shape"] = 7  # the page draws optional sockets as rings
        inputs.append(entry)
    outputs = [
        {"name": name, "type": kind, "links": [k[0] for k in links if k[1:3] == [node.id, index]]}
        for index, (name, kind) in enumerate(zip(about["output_name"], about["output"], strict=True))
    ]
    if about.get("output_node") and not node.type.startswith(OURS):
        # Stock ones have outputs since 2026 only; the page adds those that a file does not name.
        outputs = [output for output in outputs if output["links"]]
    made = {
        "id": node.id,
        "type": node.type,
        "pos": box[:2],
        "size": box[2:],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": inputs,
        "outputs": outputs,
        "properties": _properties(node),
        "widgets_values": _widget_values(node, about),
    }
    return made | ({"title": node.title} if node.title else {})


def _widget_values(node: Node, about: Info) -> list[Any]:
    """In the page's order, with what it adds: what happens to a seed, and an upload button."""
    values: list[Any] = []
    uploads: list[Any] = []
    for name, spec in inputs_of(about):
        if not is_widget(spec):
            continue
        values.append(_value(node, name, spec))
        options = _options(spec)
        if options.get("control_after_generate"):
            values.append("randomize")
        uploads += ["image"] * bool(UPLOADS & options.keys())
    return values + uploads


def _note(graph: Graph) -> dict[str, Any]:
    return {
        "id": NOTE,
        "type": "MarkdownNote",
        "pos": [0, 0],
        "size": list(NOTE_SIZE),
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [graph.note],
        "title": "Read me",
        "color": "#432",
        "bgcolor": "#653",
    }


def placed(graph: Graph, info: Info) -> tuple[list[tuple[Node, list[int]]], list[dict[str, Any]]]:
    """Every node with its box [x, y, width, height], and the groups around them, row by row."""
    nodes: list[tuple[Node, list[int]]] = []
    groups: list[dict[str, Any]] = []
    left, top = NOTE_SIZE[0] + 2 * EDGE, 0
    for row in graph.rows:
        low = top
        for group in row:
            boxes = _columns(group, left, top, info)
            nodes += boxes
            groups.append(_frame(len(groups) + 1, group, boxes, top))
            _, _, width, height = groups[-1]["bounding"]
            left, low = left + width + EDGE, max(low, top - TITLE + height)
        left, top = 0, max(low, NOTE_SIZE[1]) + 2 * TITLE + EDGE
    return nodes, groups


def _columns(group: Group, x: int, top: int, info: Info) -> list[tuple[Node, list[int]]]:
    """The nodes of a group, column by column from `x`, below its title."""
    boxes = []
    for width, column in group.columns:
        y = top + GROUP_TITLE
        for node in column:
            height = _height(node, info[node.type])
            boxes.append((node, [x + EDGE, y, width, height]))
            y += height + TITLE + 2 * EDGE
        x += width + 2 * EDGE
    return boxes


def _frame(number: int, group: Group, boxes: list[tuple[Node, list[int]]], top: int) -> dict[str, Any]:
    """The frame of a group, its title level with the title of a node at `top`."""
    left, top = boxes[0][1][0] - EDGE, top - TITLE
    right = max(x + width for _, (x, _, width, _) in boxes) + EDGE
    bottom = max(y + height for _, (_, y, _, height) in boxes) + EDGE
    return {
        "id": number,
        "title": group.title,
        "bounding": [left, top, right - left, bottom - top],
        "color": group.color,
        "font_size": 24,
        "flags": {},
    }


def _height(node: Node, about: Info) -> int:
    inputs = [spec for _, spec in inputs_of(about)]
    widgets = sum(map(is_widget, inputs)) + _extra_widgets(inputs) + (node.type in LISTENING)
    sockets = max(len(inputs) - sum(map(is_widget, inputs)), len(about["output"]), 1)
    return sockets * ROW + widgets * WIDGET_ROW + EDGE + node.below


def _extra_widgets(inputs: list[Any]) -> int:
    """Rows that the page adds: seed control, upload button, and a player of three rows."""
    rows = 0
    for spec in inputs:
        options = _options(spec)
        rows += bool(options.get("control_after_generate")) + bool(UPLOADS & options.keys())
        rows += 3 * (type_of(spec) in ("AUDIO_UI", "AUDIO_RECORD") or "audio_upload" in options)
    return rows


def inputs_of(about: Info) -> list[tuple[str, Any]]:
    """Inputs in order, the optional ones last; hidden ones are not the page's business."""
    kinds = about["input"]
    return [*kinds.get("required", {}).items(), *kinds.get("optional", {}).items()]


def type_of(spec: list[Any]) -> str:
    return "COMBO" if isinstance(spec[0], list) else spec[0]


def _options(spec: list[Any]) -> dict[str, Any]:
    return spec[1] if len(spec) > 1 else {}


def is_widget(spec: list[Any]) -> bool:
    return type_of(spec) in WIDGETS and not _options(spec).get("forceInput")


def _value(node: Node, name: str, spec: list[Any]) -> Any:
    if name in node.values:
        return node.values[name]
    options = _options(spec)
    if "default" in options:
        return options["default"]
    if type_of(spec) == "COMBO":
        choices = spec[0] if isinstance(spec[0], list) else options["options"]
        return choices[0]
    return {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False, "AUDIO_RECORD": ""}[type_of(spec)]


def blueprint_form(blueprint: Blueprint, info: Info) -> dict[str, Any]:
    """A subgraph as the page's node library takes it."""
    graph = blueprint.graph
    links = links_of(graph, info)
    boxes, _ = placed(graph, info)
    nodes = [ui_node(node, info[node.type], box, order, links) for order, (node, box) in enumerate(boxes)]
    return subgraph_form(blueprint, nodes, links, {"cnr_id": PACK, "ver": version()})


def write(folder: Path, info: Info) -> None:
    """Writes both forms of every graph, and the blueprints beside `folder`."""
    for graph in GRAPHS:
        forms = {
            folder / f"{graph.name}.json": ui_form(graph, info),
            folder / "api" / f"{graph.api_name}.json": api_form(graph, info),
        }
        for path, form in forms.items():
            path.write_text(json.dumps(form, indent=1) + "\n", encoding="utf-8")
    for blueprint in BLUEPRINTS:
        path = folder.parent / SUBGRAPHS / f"{blueprint.graph.name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(blueprint_form(blueprint, info), indent=1) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Command line: writes all files of `workflows/` but the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8188", help="a running ComfyUI")
    parser.add_argument("--more", type=Path, help="nodes that it lacks, as in its /object_info")
    parser.add_argument("--out", type=Path, default=ROOT / "workflows")
    args = parser.parse_args(argv)
    with urllib.request.urlopen(args.address + "/object_info", timeout=60) as answer:
        info = json.loads(answer.read())
    if args.more is not None:
        info |= json.loads(args.more.read_text(encoding="utf-8"))["nodes"]
    write(args.out, info)
    return 0


if __name__ == "__main__":
    sys.exit(main())
