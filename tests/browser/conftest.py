"""One server and one page for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfy_server import comfy_server, put_pose_model
from training.studio.picture.drawing import demo_dance, render_scene

from .page import DURATION_S, Browser, browser, prepare_base, why_not, with_weights


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    if reason:
        for item in items:
            if item.path.parent == Path(__file__).parent:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    base = tmp_path_factory.mktemp("comfy")
    put_pose_model(base)
    options = prepare_base(base)
    with comfy_server(base, *options, prepare=with_weights) as server, browser(server) as page:
        yield page


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "my dance.mp4"
    scene = demo_dance(3, 112.0, DURATION_S, 25.0, aspect=4 / 3)
    return render_scene(scene, path, width=480, height=360)
