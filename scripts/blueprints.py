"""Subgraphs for ComfyUI's node library: which nodes each holds, what it takes, gives and shows.

`make_workflows.py` writes them into `subgraphs/`, where ComfyUI looks for them in every pack.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.workflow_parts import (
    ALIGN,
    BAND,
    DECODE,
    POSE,
    RHYTHM,
    SAMPLER,
    Graph,
    Group,
    Node,
    band,
    dance,
    decode,
    loaders,
    music,
    rhythm,
    sampler,
)

_INSIDE, _OUTSIDE = -10, -20
"""Ids that the page gives to a subgraph's own inputs and outputs."""
_CATEGORY = "Dance to Music"


@dataclass(frozen=True)
class Blueprint:
    """A subgraph as the node library offers it."""

    graph: Graph
    about: str
    aliases: tuple[str, ...]
    inputs: tuple[tuple[str, int, str], ...]
    """Name, then node and input that it goes to; inputs of widgets are shown as widgets."""
    outputs: tuple[tuple[str, int, int], ...]
    """Name, then node and output that it comes from."""


def _blueprint(
    name: str,
    about: str,
    aliases: str,
    groups: tuple[Group, ...],
    inputs: tuple[tuple[str, int, str], ...],
    outputs: tuple[tuple[str, int, int], ...],
) -> Blueprint:
    graph = Graph(name, "", _id(name), "", (groups,))
    return Blueprint(graph, about, tuple(aliases.split(", ")), inputs, outputs)


def _id(*words: str) -> str:
    """The same id for the same words, at every making."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(("dance-to-music", *words))))


_FOUND = dance(
    (360, (Node(POSE, "D2M_PoseEstimate", values={"download": True, "draw": False}),)), (520, (rhythm(),))
)
_CLIP = ("video", POSE, "video")
_WHO, _TEMPO = ("dancer", POSE, "dancer"), ("tempo_bpm", RHYTHM, "tempo_bpm")
_SONG = Node(ALIGN, "D2M_AlignAudio", {"rhythm": (RHYTHM, 0)})

BLUEPRINTS = (
    _blueprint(
        "Video to Dance Music",
        "Finds the dancer and the beats in a video and writes music for them.",
        "dance, music, video to music, soundtrack, beat",
        (_FOUND, music((300, loaders()), (340, (sampler(),)), (260, (decode(),)))),
        (_CLIP, ("style", SAMPLER, "style"), ("seed", SAMPLER, "seed"), _WHO, _TEMPO),
        (("audio", DECODE, 0), ("rhythm", RHYTHM, 0), ("BPM", RHYTHM, 3)),
    ),
    _blueprint(
        "Video to Dance Band",
        "Finds the dancer and the beats in a video; a band plays to them, with MIDI.",
        "dance, band, music, video to music, midi",
        (_FOUND, music((360, (band(),)))),
        (
            _CLIP,
            ("style", BAND, "style"),
            ("seed", BAND, "seed"),
            ("intensity", BAND, "intensity"),
            _WHO,
            _TEMPO,
        ),
        (("audio", BAND, 0), ("MIDI", BAND, 6), ("rhythm", RHYTHM, 0)),
    ),
    _blueprint(
        "Video to Dance Rhythm",
        "Finds the dancer in a video, and when the beats fall: as a rhythm, in numbers and in words.",
        "dance, beat, bpm, tempo, rhythm",
        (_FOUND,),
        (_CLIP, _WHO, _TEMPO),
        (
            ("rhythm", RHYTHM, 0),
            ("picture", RHYTHM, 1),
            ("BPM", RHYTHM, 3),
            ("time signature", RHYTHM, 5),
            ("caption", RHYTHM, 8),
            ("poses", POSE, 0),
        ),
    ),
    _blueprint(
        "Song Bent to a Dance",
        "Bends any music so that its beats meet the dancer's in a video; the pitch stays.",
        "dance, align, time stretch, beat sync, song",
        (_FOUND, music((360, (_SONG,)))),
        (
            _CLIP,
            ("audio", ALIGN, "audio"),
            ("most_bend", ALIGN, "most_bend"),
            ("start", ALIGN, "start"),
            _TEMPO,
        ),
        (("audio", ALIGN, 0), ("rhythm", RHYTHM, 0)),
    ),
)


def subgraph_form(
    blueprint: Blueprint, nodes: list[dict[str, Any]], links: list[list[Any]], outer: Mapping[str, Any]
) -> dict[str, Any]:
    """The file of a blueprint: one node that stands for `nodes`, which are joined by `links`.

    `nodes` and `links` are in the page's form and changed in place; `outer` are properties of the one node.
    """
    name, made = blueprint.graph.name, blueprint.graph.uuid
    known = {node["id"]: node for node in nodes}
    inputs = [_input(name, one, known, links) for one in blueprint.inputs]
    outputs = [_output(name, index, one, known, links) for index, one in enumerate(blueprint.outputs)]
    right = max(node["pos"][0] + node["size"][0] for node in nodes)
    inner = {
        "id": made,
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": max(known), "lastLinkId": len(links), "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": name,
        "inputNode": {"id": _INSIDE, "bounding": [-220, 0, 160, 40 + 20 * len(inputs)]},
        "outputNode": {"id": _OUTSIDE, "bounding": [right + 60, 0, 160, 40 + 20 * len(outputs)]},
        "inputs": inputs,
        "outputs": outputs,
        "widgets": [],
        "nodes": nodes,
        "groups": [],
        "links": [_link(*link) for link in links],
        "extra": {"BlueprintDescription": blueprint.about, "BlueprintSearchAliases": list(blueprint.aliases)},
        "category": _CATEGORY,
        "description": blueprint.about,
    }
    return {
        "id": _id(name, "file"),
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [_one_node(blueprint, inner, known, outer)],
        "links": [],
        "groups": [],
        "definitions": {"subgraphs": [inner]},
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _link(number: int, source: int, output: int, target: int, entry: int, kind: str) -> dict[str, Any]:
    ends = {"origin_id": source, "origin_slot": output, "target_id": target, "target_slot": entry}
    return {"id": number, **ends, "type": kind}


def _input(
    name: str, one: tuple[str, int, str], known: dict[int, dict[str, Any]], links: list[list[Any]]
) -> dict[str, Any]:
    """An input of the subgraph, joined to the node's: an own link each."""
    word, node, entry = one
    taken = known[node]["inputs"]
    slot = next(index for index, each in enumerate(taken) if each["name"] == entry)
    here = sum(link[1] == _INSIDE for link in links)
    taken[slot]["link"] = len(links) + 1
    links.append([len(links) + 1, _INSIDE, here, node, slot, taken[slot]["type"]])
    made = {"id": _id(name, "in", word), "name": word, "type": taken[slot]["type"], "linkIds": [len(links)]}
    return made | {"pos": [-80, 20 + 20 * here]}


def _output(
    name: str, index: int, one: tuple[str, int, int], known: dict[int, dict[str, Any]], links: list[list[Any]]
) -> dict[str, Any]:
    word, node, output = one
    given = known[node]["outputs"][output]
    given["links"].append(len(links) + 1)
    links.append([len(links) + 1, node, output, _OUTSIDE, index, given["type"]])
    made = {"id": _id(name, "out", word), "name": word, "type": given["type"], "linkIds": [len(links)]}
    return made | {"pos": [0, 20 + 20 * index]}


def _one_node(
    blueprint: Blueprint, inner: dict[str, Any], known: dict[int, dict[str, Any]], outer: Mapping[str, Any]
) -> dict[str, Any]:
    """The node that stands for the subgraph, with the widgets that are shown on it."""
    shown = [
        [str(node), entry]
        for _, node, entry in blueprint.inputs
        if any(each["name"] == entry and "widget" in each for each in known[node]["inputs"])
    ]
    inputs = [
        {"name": one["name"], "type": one["type"], "link": None}
        | ({"widget": {"name": one["name"]}} if [str(node), entry] in shown else {})
        for one, (_, node, entry) in zip(inner["inputs"], blueprint.inputs, strict=True)
    ]
    return {
        "id": 1,
        "type": inner["id"],
        "pos": [0, 0],
        "size": [320, 80 + 24 * len(shown) + 20 * max(len(inputs) - len(shown), len(inner["outputs"]))],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": one["name"], "type": one["type"], "links": []} for one in inner["outputs"]],
        "properties": {"proxyWidgets": shown, **outer},
        "widgets_values": [],
        "title": inner["name"],
    }
