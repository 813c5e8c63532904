"""Choosing the dancer on the picture of Select Dancer, with a real mouse and a real key."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.comfy_server import REPOSITORY
from tests.nodes.workflow_media import draw_group

from .page import Browser

SEVERAL = "Dance to Music - several dancers"
LOAD, POSE, SELECT = 1, 2, 13
"""Node ids in that workflow."""
SHOWN = 99

SEEN = """src => { const img = document.querySelector('.d2m-people img')
    return img && img.complete && img.naturalWidth > 0 && img.src !== src ? img.src : null }"""


@pytest.fixture(scope="module")
def asked(opened: Browser, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Three people found, and the picture of them before one."""
    graph = json.loads((REPOSITORY / "workflows" / f"{SEVERAL}.json").read_text(encoding="utf-8"))
    opened.page.evaluate("graph => app.loadGraphData(graph)", only_people(graph))
    opened.page.wait_for_function("app.graph.nodes.length === 4")
    opened.choose_clip(LOAD, draw_group(tmp_path_factory.mktemp("group") / "group.mp4"))
    opened.run()
    opened.page.wait_for_function(SEEN, arg="")
    opened.page.evaluate(
        "id => { app.canvas.ds.scale = 1; app.canvas.centerOnNode(app.graph.getNodeById(id)) }", SELECT
    )
    opened.page.wait_for_timeout(1000)
    return opened


def only_people(graph: dict[str, Any]) -> dict[str, Any]:
    """The template up to Select Dancer, with a stock preview, for something must be asked for."""
    nodes = [node for node in graph["nodes"] if node["id"] in (LOAD, POSE, SELECT)]
    links = [link for link in graph["links"] if link[1] in (LOAD, POSE) and link[3] in (POSE, SELECT)]
    nodes[-1]["outputs"][1]["links"], nodes[-1]["outputs"][0]["links"] = [100], []
    for node in nodes[:2]:
        for output in node["outputs"]:
            output["links"] = [one for one in output["links"] if one in {link[0] for link in links}]
    picture = {"name": "images", "type": "IMAGE", "link": 100}
    shown = {"id": SHOWN, "type": "PreviewImage", "pos": [1700, 50], "size": [200, 200], "order": 9}
    nodes.append(shown | {"flags": {}, "mode": 0, "properties": {}, "inputs": [picture], "outputs": []})
    return graph | {"nodes": nodes, "links": [*links, [100, SELECT, 1, SHOWN, 0, "IMAGE"]], "groups": []}


def choice(page: Browser) -> dict[str, Any]:
    """What the server is given."""
    given = page.api_form()[str(SELECT)]["inputs"]
    return {name: given[name] for name in ("dancer", "number", "x", "y")}


def click(page: Browser, x: float, y: float) -> None:
    box = page.page.locator(".d2m-people img").bounding_box()
    assert box is not None
    page.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def run_and_see(page: Browser) -> str:
    """The number that is followed after another run."""
    before = page.page.evaluate("document.querySelector('.d2m-people img').src")
    ended = page.run()
    page.page.wait_for_function(SEEN, arg=before)
    found = re.search(r"following (\d+)", ended["outputs"][str(SELECT)]["text"][0])
    assert found is not None
    page.page.locator(".d2m-words", has_text=found[0]).first.wait_for()  # in the node, too
    return found[1]


def test_who_is_clicked_on_is_followed(asked: Browser) -> None:
    followed = set()
    for x in (0.1, 0.9):
        click(asked, x, 0.5)
        found = choice(asked)
        assert found["dancer"] == "at the point"
        assert (found["x"], found["y"]) == pytest.approx((x, 0.5), abs=0.02)
        followed.add(run_and_see(asked))
    asked.shot("8 choosing a dancer")
    assert len(followed) == 2, "left and right are not the same dancer"
    assert asked.errors == []


def test_a_number_is_a_key(asked: Browser) -> None:
    click(asked, 0.5, 0.5)
    asked.page.keyboard.press("1")
    assert choice(asked) | {"x": 0, "y": 0} == {"dancer": "by number", "number": 1, "x": 0, "y": 0}


def test_a_click_is_undone(asked: Browser) -> None:
    asked.page.wait_for_timeout(300)
    before = choice(asked)
    click(asked, 0.3, 0.4)
    asked.page.wait_for_timeout(300)
    assert choice(asked) != before
    asked.page.keyboard.press("Control+z")
    asked.page.wait_for_function(
        "([id, was]) => app.graph.getNodeById(id).widgets.find(w => w.name === 'dancer').value === was",
        arg=[SELECT, before["dancer"]],
    )
    assert choice(asked) == before
    asked.page.wait_for_function(SEEN, arg="")


def test_the_same_on_nodes_2(asked: Browser) -> None:
    """The picture stands in a node that is an element of the page, and a click does not move the node."""
    with asked.nodes_2():
        node = asked.drawn(SELECT)
        node.locator(".d2m-people img").wait_for()
        if asked.has_app_mode:  # pages of before show it below as well
            assert node.locator("img:visible").count() == 1
        place = asked.page.evaluate("id => [...app.graph.getNodeById(id).pos]", SELECT)
        click(asked, 0.9, 0.5)
        assert choice(asked)["x"] == pytest.approx(0.9, abs=0.02)
        assert asked.page.evaluate("id => [...app.graph.getNodeById(id).pos]", SELECT) == place
        asked.shot("9 choosing a dancer, Nodes 2.0")
    assert asked.errors == []
