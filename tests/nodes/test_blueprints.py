"""The pack's subgraphs: where ComfyUI finds them, made by the script, and whole inside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.blueprints import BLUEPRINTS, Blueprint
from scripts.make_workflows import SUBGRAPHS, blueprint_form
from tests.comfy_server import PACK, REPOSITORY, Server

from .graphs import Graph, assert_success

FOLDER = REPOSITORY / SUBGRAPHS
EVERY = pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda each: each.graph.name)
INSIDE, OUTSIDE = -10, -20


def read(blueprint: Blueprint) -> dict[str, Any]:
    return json.loads((FOLDER / f"{blueprint.graph.name}.json").read_text(encoding="utf-8"))


def flat(form: dict[str, Any], given: dict[str, Any]) -> Graph:
    """A blueprint in API form, its inputs joined to `given` where they are named there."""
    (inner,) = form["definitions"]["subgraphs"]
    links = {link["id"]: link for link in inner["links"]}
    graph: Graph = {}
    for node in inner["nodes"]:
        values, inputs = iter(node["widgets_values"]), {}
        for entry in node["inputs"]:
            value = next(values) if "widget" in entry else None
            if entry["name"] == "seed":
                next(values)
            link = links.get(entry["link"])
            if link is not None and link["origin_id"] == INSIDE:
                value = given.get(inner["inputs"][link["origin_slot"]]["name"], value)
            elif link is not None:
                value = [str(link["origin_id"]), link["origin_slot"]]
            if value is not None:
                inputs[entry["name"]] = value
        graph[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return graph


def test_no_other_files_lie_in_the_folder() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {one.graph.name for one in BLUEPRINTS}


def test_comfyui_lists_them_as_ours(server: Server) -> None:
    listed = server.call("/global_subgraphs")
    ours = {id: one for id, one in listed.items() if one["info"]["node_pack"] == f"custom_nodes.{PACK}"}
    assert {one["name"] for one in ours.values()} == {one.graph.name for one in BLUEPRINTS}
    for id, one in ours.items():
        assert json.loads(server.call(f"/global_subgraphs/{id}")["data"])["nodes"][0]["title"] == one["name"]


@EVERY
def test_the_files_are_what_the_script_makes(server: Server, blueprint: Blueprint) -> None:
    assert read(blueprint) == blueprint_form(blueprint, server.call("/object_info"))


@EVERY
def test_every_input_and_output_is_joined(blueprint: Blueprint) -> None:
    form = read(blueprint)
    (node,), (inner,) = form["nodes"], form["definitions"]["subgraphs"]
    assert node["type"] == inner["id"]
    assert [(one["name"], one["type"]) for one in node["inputs"]] == [
        (one["name"], one["type"]) for one in inner["inputs"]
    ]
    links = {link["id"]: link for link in inner["links"]}
    nodes = {each["id"]: each for each in inner["nodes"]}
    for link in links.values():
        if link["target_id"] != OUTSIDE:
            assert nodes[link["target_id"]]["inputs"][link["target_slot"]]["link"] == link["id"]
        if link["origin_id"] != INSIDE:
            assert link["id"] in nodes[link["origin_id"]]["outputs"][link["origin_slot"]]["links"]
    for kind, end in (("inputs", INSIDE), ("outputs", OUTSIDE)):
        for one in inner[kind]:
            (link,) = (links[id] for id in one["linkIds"])
            assert end in (link["origin_id"], link["target_id"])
    for id, name in node["properties"]["proxyWidgets"]:
        (entry,) = (each for each in nodes[int(id)]["inputs"] if each["name"] == name)
        assert links[entry["link"]]["origin_id"] == INSIDE, "shown, but not joined"


@EVERY
def test_the_server_accepts_what_is_inside(server: Server, clip: str, blueprint: Blueprint) -> None:
    """All are checked by the server; the cheapest runs as well."""
    graph = flat(read(blueprint), {"video": ["load", 0], "audio": ["clicks", 0]})
    graph["load"] = {
        "class_type": "D2M_LoadVideo",
        "inputs": {"file": clip, "start_s": 0.0, "duration_s": 0.0, "path": ""},
    }
    graph["clicks"] = {"class_type": "T_Clicks", "inputs": {"seconds": 5.0, "bpm": 115.0, "sounds": 1}}
    for index, (_, node, output) in enumerate(blueprint.outputs):
        graph[f"seen {index}"] = {"class_type": "PreviewAny", "inputs": {"source": [str(node), output]}}
    answer = server.submit(graph)
    assert "prompt_id" in answer, json.dumps(answer, indent=1)
    assert not answer["node_errors"]
    if "caption" not in {name for name, _, _ in blueprint.outputs}:
        server.call("/interrupt", {})
        server.wait(answer["prompt_id"])
        return
    entry = server.wait(answer["prompt_id"])
    assert_success(entry)
    shown = {name: entry["outputs"][f"seen {i}"]["text"] for i, (name, _, _) in enumerate(blueprint.outputs)}
    assert shown["caption"][0].startswith(f"{shown['BPM'][0]} BPM, {shown['time signature'][0]}/4")
