"""The app: a form, a button, a film. On pages that know apps; `make test-page` fetches a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .page import DURATION_S, Browser

APP = "Dance to Music.app"
FIELDS = ("file", "style", "seed", "tempo (BPM)")
FILM = """() => [...document.querySelectorAll('video')].find(
    video => video.readyState >= 1 && /output/.test(video.currentSrc || video.src))"""


def test_the_app_goes_from_an_upload_to_a_film(opened: Browser, clip: Path) -> None:
    if not opened.has_app_mode:
        pytest.skip("this page knows no apps")
    page = opened.page
    opened.load(APP)
    tour = page.get_by_role("button", name="Skip", exact=True)
    tour.wait_for()
    tour.click()
    for words in FIELDS:
        page.locator(f':visible:text-is("{words}")').first.wait_for()
    opened.shot("6 the app")
    page.locator("input[type=file]").first.set_input_files(clip)
    page.wait_for_function("name => app.graph.getNodeById(1).widgets[0].value === name", arg=clip.name)
    opened.run()
    film = page.wait_for_function(FILM)
    page.locator("video:visible").first.wait_for()  # shown by itself, not only listed
    page.wait_for_timeout(1500)
    opened.shot("7 the app after a run")
    assert film.evaluate("video => video.duration") == pytest.approx(DURATION_S, abs=0.1)
    page.get_by_role("button", name="Enter node graph").click()
    assert opened.errors == []
