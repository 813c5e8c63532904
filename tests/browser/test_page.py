"""The page as a user meets it: from the list of templates to music that plays.

Run by `make test-browser`, with the interpreter in `.comfy` that has Playwright. The pictures it
takes on the way stay in `out/browser`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.make_thumbnails import SIZE
from scripts.workflow_graphs import GRAPHS
from tests.comfy_server import REPOSITORY

from .page import DURATION_S, HEARD, Browser

WORKFLOWS = sorted((REPOSITORY / "workflows").glob("*.json"))
BASIC = "Dance to Music - basic"
LOAD, SAVE = 1, 8
"""Node ids in the basic workflow."""
PAGE_ONLY = {"audioUI", "upload", "preview"}
"""Widgets that only the page needs: players, upload buttons, shown text."""


PICTURED = """([words, width]) => {
    let card = words
    while (card && !card.querySelector('img')) card = card.parentElement
    return card?.querySelectorAll('img').length === 1 && card.querySelector('img').naturalWidth === width
}"""
"""Whether the card around these words shows a picture so wide."""


TO_THE_MIDDLE = """words => (words.closest('[data-testid^="template-workflow"]') ?? words)
    .scrollIntoView({block: 'center'})"""


def test_every_workflow_is_in_the_list_with_its_picture(opened: Browser) -> None:
    opened.show_templates()
    for path in WORKFLOWS:
        card = opened.card(path.stem)
        card.wait_for()
        card.evaluate(TO_THE_MIDDLE)  # pictures of cards out of view wait
        opened.page.wait_for_function(PICTURED, arg=[card.element_handle(), SIZE[0]])
    opened.shot("1 templates")
    opened.close_templates()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_opens_whole(opened: Browser, path: Path) -> None:
    opened.open_template(path.stem)
    opened.shot(f"2 {path.stem}")
    nodes = opened.nodes()
    assert [node["type"] for node in nodes if not node["known"]] == []
    assert [node["type"] for node in nodes if node["broken"]] == []
    assert opened.page.get_by_text("missing nodes").count() == 0
    assert_links(nodes, path)
    assert overlaps(nodes) == []
    api = REPOSITORY / "workflows" / "api" / f"{api_name(path)}.json"
    assert plain(opened.api_form()) == plain(json.loads(api.read_text(encoding="utf-8")))
    assert opened.errors == []


def api_name(path: Path) -> str:
    """The file of its API form, which is named otherwise than the template."""
    return next(graph.api_name for graph in GRAPHS if graph.name == path.stem)


def assert_links(nodes: list[dict[str, Any]], path: Path) -> None:
    """Every link of the file arrived at the input it was made for."""
    graph = json.loads(path.read_text(encoding="utf-8"))
    named = {
        (link[3], node["inputs"][link[4]]["name"], link[1], link[2])
        for link in graph["links"]
        for node in graph["nodes"]
        if node["id"] == link[3]
    }
    shown = {(node["id"], *link) for node in nodes for link in node["links"]}
    assert shown == named


def overlaps(nodes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of nodes that lie on each other, at the sizes the page gives them."""
    found = []
    for index, one in enumerate(nodes):
        for other in nodes[index + 1 :]:
            x1, y1, w1, h1 = one["box"]
            x2, y2, w2, h2 = other["box"]
            if x1 < x2 + w2 and x2 < x1 + w1 and y1 < y2 + h2 and y2 < y1 + h1:
                found.append((one["title"], other["title"]))
    return found


def plain(graph: dict[str, Any]) -> dict[str, Any]:
    """Types and inputs, as the server reads them; `undefined` is an older page's word for no file."""
    return {
        node: {
            "class_type": data["class_type"],
            "inputs": {
                name: "" if value == "undefined" else value
                for name, value in data["inputs"].items()
                if name not in PAGE_ONLY
            },
        }
        for node, data in graph.items()
    }


def test_from_an_upload_to_music_that_plays(opened: Browser, clip: Path) -> None:
    opened.open_template(BASIC)
    opened.upload(LOAD, clip)
    opened.run()
    player = opened.wait_for_player(SAVE)
    heard = player.evaluate(HEARD)
    opened.page.wait_for_timeout(1500)
    opened.fit()
    opened.shot("3 basic after a run")
    assert heard["seconds"] == pytest.approx(DURATION_S, abs=0.05)
    assert heard["rms"] > 0.01, "silence"
    assert player.evaluate("player => player.duration") == pytest.approx(DURATION_S, abs=0.05)
    assert opened.play(player) > 0.2
    assert [node["type"] for node in opened.nodes() if node["broken"]] == []
    assert opened.errors == []
