"""Every template on a page of today, on the canvas and in Nodes 2.0; `test_page` is of the tests' page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.comfy_server import REPOSITORY

from .page import Browser
from .test_page import WORKFLOWS, api_name, plain

APPEARED = "n => document.querySelectorAll('[data-node-id]').length >= n"
IN_RED = """() => [...document.querySelectorAll('[data-node-id]')]
    .filter(node => /missing|unknown node/i.test(node.innerText))"""


def models_of(node: dict[str, Any]) -> list[dict[str, str]]:
    """Large models that a node wants, which the page offers to fetch and marks until then."""
    return node["properties"].get("models", [])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_template_opens_without_red_frames(opened: Browser, path: Path) -> None:
    if not opened.has_app_mode:
        pytest.skip("a page of before apps: test_page opens its templates")
    opened.load(path.stem)
    api = REPOSITORY / "workflows" / "api" / f"{api_name(path)}.json"
    nodes = opened.nodes()
    assert [node["type"] for node in nodes if not node["known"]] == []
    opened.page.wait_for_timeout(1500)  # the page looks for models and files after it has drawn
    fetched = {
        node["id"] for node in json.loads(path.read_text(encoding="utf-8"))["nodes"] if models_of(node)
    }
    assert [node["type"] for node in opened.nodes() if node["broken"] and node["id"] not in fetched] == []
    assert plain(opened.api_form()) == plain(json.loads(api.read_text(encoding="utf-8")))
    with opened.nodes_2():
        opened.page.wait_for_function(APPEARED, arg=1)
        assert opened.page.evaluate(f"({IN_RED})().length") == 0
        opened.shot(f"10 {path.stem}, Nodes 2.0")
    assert opened.errors == []
