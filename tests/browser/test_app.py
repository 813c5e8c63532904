"""The app: a form, a button, a film. On pages that know apps; `make test-page` fetches a new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .page import DURATION_S, Browser

APPS = {
    "Dance to Music.app": ("dance clip", "style", "seed", "tempo (BPM)"),
    "Dance to Music - band.app": ("dance clip", "style", "seed", "intensity", "tempo (BPM)"),
}
"""Apps, and the fields that they show."""
FILM = """() => [...document.querySelectorAll('video')].find(
    video => video.readyState >= 1 && /output/.test(video.currentSrc || video.src))"""


@pytest.mark.parametrize("app", APPS)
def test_an_app_goes_from_an_upload_to_a_film(opened: Browser, clip: Path, app: str) -> None:
    if not opened.has_app_mode:
        pytest.skip("this page knows no apps")
    page = opened.page
    opened.load(app)
    page.locator(f':visible:text-is("{APPS[app][-1]}")').first.wait_for()
    opened.skip_tour()
    for words in APPS[app]:
        page.locator(f':visible:text-is("{words}")').first.wait_for()
    opened.shot(f"6 {app}")
    page.locator("input[type=file]").first.set_input_files(clip)
    page.wait_for_function("name => app.graph.getNodeById(1).widgets[0].value === name", arg=clip.name)
    opened.run()
    film = page.wait_for_function(FILM)
    page.locator("video:visible").first.wait_for()  # shown by itself, not only listed
    page.wait_for_timeout(1500)
    opened.shot(f"7 {app} after a run")
    assert film.evaluate("video => video.duration") == pytest.approx(DURATION_S, abs=0.1)
    page.get_by_role("button", name="Enter node graph").click()
    assert opened.errors == []
