"""The beat editor of Edit Rhythm, with a real mouse and real keys: what is moved is what is played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .page import Browser

EDITING = "Dance to Music - rhythm, edit and style"
LOAD, EDIT = 1, 11
"""Node ids in that workflow."""

DATA = "id => Boolean(app.graph.getNodeById(id)?.beatEditor?.data)"
TEXT = "id => app.graph.getNodeById(id).widgets.find(widget => widget.name === 'beats').value"
BEATS = "id => app.graph.getNodeById(id).beatEditor.beats.map(({t, bar}) => [t, bar])"
PLACE = """([id, t]) => {
    const editor = app.graph.getNodeById(id).beatEditor
    const box = editor.canvas.getBoundingClientRect()
    return [box.left + editor.window.x(t, box.width), box.top + box.height / 2]
}"""
SCALE = "id => app.graph.getNodeById(id).beatEditor.canvas.getBoundingClientRect().width"


@pytest.fixture(scope="module")
def edited(opened: Browser, clip: Path) -> Browser:
    """The editor after a first run, with the page looking at it."""
    opened.load(EDITING)
    opened.choose_clip(LOAD, clip)
    opened.run()
    opened.page.wait_for_function(DATA, arg=EDIT)
    opened.page.evaluate(
        "id => { const node = app.graph.getNodeById(id); app.canvas.animateToBounds?.(node.boundingRect);"
        " app.canvas.ds.scale = 1.2; app.canvas.centerOnNode(node) }",
        EDIT,
    )
    opened.page.wait_for_timeout(1500)
    return opened


@pytest.fixture(autouse=True)
def _as_found(edited: Browser) -> None:
    edited.page.evaluate("id => app.graph.getNodeById(id).beatEditor.store('')", EDIT)


def beats(page: Browser) -> list[tuple[float, bool]]:
    return [(time_s, bar) for time_s, bar in page.page.evaluate(BEATS, EDIT)]


def text(page: Browser) -> str:
    return page.page.evaluate(TEXT, EDIT)


def drag(page: Browser, from_s: float, to_s: float) -> None:
    x, y = page.page.evaluate(PLACE, [EDIT, from_s])
    goal, _ = page.page.evaluate(PLACE, [EDIT, to_s])
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move((x + goal) / 2, y)
    page.page.mouse.move(goal, y)
    page.page.mouse.up()


def choose(page: Browser, time_s: float) -> None:
    page.page.mouse.click(*page.page.evaluate(PLACE, [EDIT, time_s]))


def test_a_dragged_beat_lies_where_it_was_dropped(edited: Browser) -> None:
    before = beats(edited)
    second_a_pixel = 4.0 / edited.page.evaluate(SCALE, EDIT)
    goal = before[2][0] + 0.15
    drag(edited, before[2][0], goal)
    after = beats(edited)
    edited.shot("4 beat editor")
    assert after[2][0] == pytest.approx(goal, abs=2 * second_a_pixel)
    assert after[:2] + after[3:] == before[:2] + before[3:]
    assert text(edited).splitlines()[2].startswith(f"{after[2][0]:.3f}")


def test_a_beat_never_passes_its_neighbours(edited: Browser) -> None:
    before = beats(edited)
    drag(edited, before[2][0], before[4][0])
    after = [time_s for time_s, _ in beats(edited)]
    assert after == sorted(after)
    assert before[1][0] < after[2] < before[3][0]


def test_beats_are_added_and_taken_away(edited: Browser) -> None:
    before = beats(edited)
    between = (before[1][0] + before[2][0]) / 2
    edited.page.mouse.dblclick(*edited.page.evaluate(PLACE, [EDIT, between]))
    assert len(beats(edited)) == len(before) + 1
    edited.page.keyboard.press("Delete")
    assert beats(edited) == before
    choose(edited, before[0][0])
    edited.page.keyboard.press("Delete")
    assert [time_s for time_s, _ in beats(edited)] == [time_s for time_s, _ in before[1:]]


def test_bars_begin_where_the_key_says(edited: Browser) -> None:
    before = beats(edited)
    choose(edited, before[2][0])
    edited.page.keyboard.press("d")
    assert [index % 4 for index, (_, bar) in enumerate(beats(edited)) if bar] == [
        2 for index in range(len(before)) if index % 4 == 2
    ]


def test_half_double_and_back_as_found(edited: Browser) -> None:
    before = beats(edited)
    editor = edited.page.locator(".d2m-beat-editor")
    editor.get_by_role("button", name="Double").click()
    assert len(beats(edited)) == 2 * len(before) - 1
    editor.get_by_role("button", name="Half").click()
    assert [time_s for time_s, _ in beats(edited)] == pytest.approx([t for t, _ in before], abs=2e-3)
    editor.get_by_role("button", name="As found").click()
    assert text(edited) == ""
    assert beats(edited) == before


def test_keys_choose_and_move(edited: Browser) -> None:
    before = beats(edited)
    choose(edited, before[1][0])
    edited.page.keyboard.press("ArrowRight")
    edited.page.keyboard.press("Alt+ArrowRight")
    assert beats(edited)[2][0] == pytest.approx(before[2][0] + 0.01, abs=1e-3)


def test_undo_takes_the_last_edit_back(edited: Browser) -> None:
    before = beats(edited)
    edited.page.wait_for_timeout(300)
    drag(edited, before[3][0], before[3][0] + 0.1)
    assert text(edited)
    edited.page.wait_for_timeout(300)
    edited.page.keyboard.press("Control+z")
    edited.page.wait_for_function("id => !(" + TEXT + ")(id)", arg=EDIT)
    assert beats(edited) == before
    assert edited.page.evaluate(DATA, EDIT), "the curves went with the undo"


def test_taps_set_the_tempo(edited: Browser) -> None:
    """Steady taps while it plays; the page's own clock jitters, so only roughly."""
    edited.page.evaluate(
        "id => { const editor = app.graph.getNodeById(id).beatEditor;"
        " editor.taps = [0.5, 1.0, 1.5, 2.0, 2.5]; editor.ended() }",
        EDIT,
    )
    assert [time_s for time_s, _ in beats(edited)] == pytest.approx([0.5 * k for k in range(8)], abs=1e-3)


def run_and_see(page: Browser) -> list[float]:
    """The beats that the server answers with, once it has been asked again."""
    page.page.evaluate("id => { window.before = app.graph.getNodeById(id).beatEditor.data }", EDIT)
    page.run()
    page.page.wait_for_function("id => app.graph.getNodeById(id).beatEditor.data !== window.before", arg=EDIT)
    return page.page.evaluate("id => app.graph.getNodeById(id).beatEditor.data.found", EDIT)


def test_the_music_follows_a_moved_beat(edited: Browser) -> None:
    """What the server is given, and the beats that it answers with."""
    found = beats(edited)
    drag(edited, found[2][0], found[2][0] + 0.12)
    moved = beats(edited)
    sent: dict[str, Any] = edited.api_form()[str(EDIT)]["inputs"]
    assert sent["beats"] == text(edited)
    assert "beat_editor" not in sent
    saved = json.loads(edited.page.evaluate("() => JSON.stringify(app.graph.serialize())"))
    (node,) = [node for node in saved["nodes"] if node["id"] == EDIT]
    assert text(edited) in node["widgets_values"]
    assert run_and_see(edited) == pytest.approx([time_s for time_s, _ in moved], abs=2e-3)
    assert edited.errors == []


def test_the_same_on_nodes_2(edited: Browser) -> None:
    """The editor stands in a node that is an element of the page; a drag moves the beat, not the node."""
    with edited.nodes_2():
        edited.drawn(EDIT).locator(".d2m-beat-editor canvas").wait_for()
        place = edited.page.evaluate("id => [...app.graph.getNodeById(id).pos]", EDIT)
        found = beats(edited)
        drag(edited, found[2][0], found[2][0] + 0.1)
        moved = beats(edited)
        edited.shot("5 beat editor, Nodes 2.0")
        assert moved[2][0] == pytest.approx(found[2][0] + 0.1, abs=0.03)
        assert moved[:2] + moved[3:] == found[:2] + found[3:]
        assert edited.page.evaluate("id => [...app.graph.getNodeById(id).pos]", EDIT) == place
        assert run_and_see(edited) == pytest.approx([time_s for time_s, _ in moved], abs=2e-3)
    assert edited.errors == []
