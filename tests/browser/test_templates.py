"""Every template on a page of today, on the canvas and in Nodes 2.0; `test_page` is of the tests' page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.comfy_server import REPOSITORY

from .page import Browser
from .test_page import WORKFLOWS, api_name, plain

MISSING = """wanting => [...document.querySelectorAll('[data-node-id]')]
    .filter(node => /missing|unknown/i.test(node.innerText) && !wanting.includes(node.dataset.nodeId))
    .map(node => node.innerText)"""
"""What nodes of Nodes 2.0 say of things that are not there, but for those that want models."""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_template_opens_without_red_frames(opened: Browser, path: Path) -> None:
    if not opened.has_app_mode:
        pytest.skip("a page of before apps: test_page opens its templates")
    graph = json.loads(path.read_text(encoding="utf-8"))
    opened.load(path.stem)
    if graph["extra"].get("linearMode"):
        opened.skip_tour()
        opened.page.get_by_role("button", name="Enter node graph").click()
    opened.page.wait_for_timeout(1500)  # the page looks for models and files after it has drawn
    nodes = opened.nodes()
    wanting = {str(node["id"]) for node in graph["nodes"] if models_of(node)}
    assert [node["type"] for node in nodes if not node["known"]] == []
    assert [node["type"] for node in nodes if node["broken"] and str(node["id"]) not in wanting] == []
    assert other_values(path, opened.api_form()) == []
    with opened.nodes_2():
        assert opened.page.evaluate(MISSING, sorted(wanting)) == []
        opened.shot(f"10 {path.stem}, Nodes 2.0")
    assert opened.errors == []


def models_of(node: dict[str, Any]) -> list[dict[str, str]]:
    """Large models that a node wants, which the page offers to fetch and marks until then."""
    return node["properties"].get("models", [])


def other_values(path: Path, shown: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What the page would queue otherwise than the API form; stock nodes may have got more inputs since."""
    api = REPOSITORY / "workflows" / "api" / f"{api_name(path)}.json"
    meant, queued = plain(json.loads(api.read_text(encoding="utf-8"))), plain(shown)
    assert meant.keys() == queued.keys()
    return [
        (about["class_type"], name, queued[node]["inputs"].get(name))
        for node, about in meant.items()
        for name, value in about["inputs"].items()
        if queued[node]["inputs"].get(name) != value
    ]
