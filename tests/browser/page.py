"""ComfyUI's page in a real Chromium: what a user sees of it and does with it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.comfy_server import REPOSITORY, Server, put_weights
from tests.setup_comfy import CHROMIUM, browser_missing, frontend

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

SHOTS = REPOSITORY / "out" / "browser"
"""Where the pictures of the page go."""

TOUR_MS = 8000.0
"""Longest wait for the tour of an app."""

DURATION_S = 4.0
"""Length of the clip that the tests upload."""

SEEN_S = 300.0
"""Longest wait for anything on the page: its first start is slow where the machine is busy."""

FLAGS = ("--no-sandbox", "--disable-gpu", "--mute-audio")
"""Chromium refuses to start as root with a sandbox, and draws faster without a GPU it would have
to imitate."""

SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.VueNodes.Enabled": False,
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,
    "LiteGraph.Canvas.MaximumFps": 10,
}
"""The user's settings on the server: no greeting over the page, nothing over the graph, and words
on every node however small; few frames a second, for the graph is drawn without a GPU."""

NODES = """() => app.graph.nodes.map(node => ({
    id: node.id, type: node.type, title: node.title,
    known: node.type in LiteGraph.registered_node_types,
    broken: Boolean(node.has_errors), bypassed: node.mode === 4,
    box: [...node.boundingRect], least: [...node.computeSize()],
    open: node.inputs.filter(input => input.link == null && !input.widget)
        .map(input => input.name),
    links: node.inputs.filter(input => input.link != null).map(input => {
        const link = app.graph.getLink(input.link)
        return [input.name, link ? link.origin_id : null, link ? link.origin_slot : null]
    }),
}))"""

PLACE = """([id, name]) => {
    const node = app.graph.getNodeById(id)
    const widget = node.widgets.find(widget => widget.name === name)
    if (!widget.last_y) return null
    const [x, y] = app.canvas.ds.convertOffsetToCanvas(
        [node.pos[0] + node.size[0] / 2, node.pos[1] + widget.last_y + 10])
    const canvas = app.canvas.canvas.getBoundingClientRect()
    return [canvas.left + x, canvas.top + y]
}"""
"""The middle of a widget, in pixels of the page, once it has been drawn."""

CATCH = """() => {
    window.asked = undefined
    HTMLInputElement.prototype.click = function () { window.asked = this }
}"""
"""Instead of the system's dialog, which Playwright does not hear of from this Chromium where the
input stands in no document: notes which input asked for a file."""

PLAYER = """id => app.graph.getNodeById(id).widgets
    .find(widget => widget.name === 'audioUI').element"""

HEARD = """async player => {
    const bytes = await (await fetch(player.src)).arrayBuffer()
    const sound = await new OfflineAudioContext(1, 24000, 24000).decodeAudioData(bytes)
    const samples = sound.getChannelData(0)
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length
    return {seconds: sound.duration, rms: Math.sqrt(power)}
}"""


def why_not() -> str:
    """Why these tests cannot run here and now; empty where they can."""
    reason = browser_missing()
    if not reason and importlib.util.find_spec("playwright") is None:
        reason = "run by `make test-browser`, whose interpreter has Playwright"
    return reason


@dataclass
class Browser:
    """The page of one server, and what went wrong on it."""

    page: Page
    server: Server
    errors: list[str]

    def open_template(self, name: str) -> None:
        """Opens a workflow as a user does: Templates, then its card."""
        graph = json.loads((REPOSITORY / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
        self.show_templates()
        self.card(name).click()
        self.page.wait_for_function("id => app.graph.id === id", arg=graph["id"])
        self.page.wait_for_function("n => app.graph.nodes.length === n", arg=len(graph["nodes"]))
        if any("models" in node["properties"] for node in graph["nodes"]):  # none of them is here
            offer = self.page.get_by_text("Missing Models")
            offer.wait_for()
            self.page.keyboard.press("Escape")
            offer.wait_for(state="hidden")
        if graph["extra"].get("linearMode"):  # it opens as an app, with the graph behind it
            self.shot("an app")
            self.page.get_by_role("button", name="Open Workflow").click()
        self.fit()

    def load(self, name: str) -> None:
        """Opens a workflow by its file, without the list of templates; one of an app opens as such."""
        text = (REPOSITORY / "workflows" / f"{name}.json").read_text(encoding="utf-8")
        graph = json.loads(text)
        self.page.evaluate("([graph, name]) => app.loadGraphData(graph, true, true, name)", [graph, name])
        self.page.wait_for_function("n => app.graph.nodes.length === n", arg=len(graph["nodes"]))

    def choose_clip(self, node: int, path: Path) -> None:
        """Uploads a clip as the page does it, and sets the node to it."""
        name = self.server.upload(path)
        self.page.evaluate(
            "([id, name]) => { app.graph.getNodeById(id).widgets[0].value = name }", [node, name]
        )

    @property
    def has_app_mode(self) -> bool:
        """Pages since the spring of 2026 show a workflow as an app."""
        return self.page.get_by_role("button", name="Enter app mode").count() > 0

    def show_templates(self) -> None:
        self.page.get_by_role("button", name="Templates", exact=True).click()

    def card(self, name: str) -> Locator:
        """A workflow in the open list of templates."""
        return self.page.locator(".p-dialog").get_by_text(name, exact=True).first

    def close_templates(self) -> None:
        self.page.locator(".p-dialog button:has(i.pi-times)").last.click()

    @contextmanager
    def nodes_2(self) -> Iterator[None]:
        """The page with nodes drawn as elements, which users know as Nodes 2.0."""
        self._set("Comfy.VueNodes.Enabled", True)
        self.page.locator("[data-node-id]").first.wait_for()
        try:
            yield
        finally:
            self._set("Comfy.VueNodes.Enabled", False)
            self.page.wait_for_timeout(500)

    def _set(self, name: str, value: Any) -> None:
        """Changes a setting as the settings dialog does."""
        self.page.evaluate("([name, value]) => app.extensionManager.setting.set(name, value)", [name, value])

    def drawn(self, node: int) -> Locator:
        """A node of Nodes 2.0 on the page."""
        return self.page.locator(f'[data-node-id="{node}"]')

    def skip_tour(self) -> None:
        """Closes the tour that a page gives with its first app."""
        from playwright.sync_api import TimeoutError as TooLong

        tour = self.page.get_by_role("button", name="Skip", exact=True)
        with suppress(TooLong):
            tour.wait_for(timeout=TOUR_MS)
            tour.click()

    def fit(self) -> None:
        """Brings the whole graph into view and waits until it has been drawn."""
        self.page.evaluate("app.canvas.selectItems([]); app.canvas.deselectAll()")
        self.page.get_by_role("button", name="Fit View").click()
        self.page.wait_for_timeout(600)

    def nodes(self) -> list[dict[str, Any]]:
        """What the page knows about every node of the open graph."""
        return self.page.evaluate(NODES)

    def api_form(self) -> dict[str, Any]:
        """The open graph as the page would queue it."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def upload(self, node: int, path: Path) -> None:
        """Presses the upload button of a node and chooses a file."""
        x, y = self._still([node, "upload"])
        self.page.evaluate(CATCH)
        self.page.mouse.click(x, y)
        asked = self.page.wait_for_function("window.asked").as_element()
        asked.set_input_files(path)
        self.page.wait_for_function(
            "([id, name]) => app.graph.getNodeById(id).widgets[0].value === name", arg=[node, path.name]
        )

    def _still(self, widget: list[Any]) -> list[float]:
        """Where a widget is, once the view has stopped moving."""
        before, place = None, self.page.wait_for_function(PLACE, arg=widget).json_value()
        while place != before:
            self.page.wait_for_timeout(500)
            before, place = place, self.page.evaluate(PLACE, widget)
        return place

    def run(self) -> dict[str, Any]:
        """Presses Run and waits until this very run has ended; its history entry."""
        with self.page.expect_response(_queued) as answer:
            self.page.get_by_role("button", name="Run", exact=True).first.click()
        told = answer.value.json()
        assert "prompt_id" in told, json.dumps(told, indent=1)
        ended = self.server.wait(told["prompt_id"])
        assert ended["status"]["status_str"] == "success", json.dumps(ended["status"], indent=1)
        return ended

    def wait_for_player(self, node: int) -> Any:
        """The audio element of a node, once it knows how long its sound is."""
        player = self.page.evaluate_handle(PLAYER, node)
        self.page.wait_for_function(
            "player => player.src && player.readyState >= 1 && player.duration > 0", arg=player
        )
        return player

    def play(self, player: Any) -> float:
        """Plays for a moment; the position it came to, in seconds."""
        player.evaluate("player => player.play()")
        self.page.wait_for_function("player => player.currentTime > 0.2", arg=player)
        player.evaluate("player => player.pause()")
        return player.evaluate("player => player.currentTime")

    def shot(self, name: str) -> Path:
        """A picture of the page as it is."""
        path = SHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path


def _queued(answer: Response) -> bool:
    """Whether this is what the server said when a graph was queued."""
    return answer.request.method == "POST" and answer.url.endswith("/prompt")


def prepare_base(base: Path) -> tuple[str, ...]:
    """Writes the user's settings; returns the options that make the server show the real page."""
    user = base / "user" / "default"
    user.mkdir(parents=True)
    (user / "comfy.settings.json").write_text(json.dumps(SETTINGS))
    return ("--front-end-root", str(frontend()))


def with_weights(pack: Path) -> None:
    """The weights of the repository, as a clone brings them; beside it, stock nodes of newer ComfyUIs."""
    put_weights(pack)
    shutil.copytree(REPOSITORY / "tests" / "newer_nodes", pack.parent / "newer_nodes")


@contextmanager
def browser(server: Server) -> Iterator[Browser]:
    """The page, opened and ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), timeout=SEEN_S * 1000
        )
        page = chromium.new_page(viewport={"width": 1920, "height": 1080})
        page.set_default_timeout(SEEN_S * 1000)
        page.set_default_navigation_timeout(SEEN_S * 1000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.address)
        page.wait_for_function("window.app?.graph && window.app.canvas")
        page.get_by_role("button", name="Templates", exact=True).wait_for()
        _dismiss_news(page)
        yield Browser(page, server, errors)
        chromium.close()


def _dismiss_news(page: Page) -> None:
    """Closes the strip at the top that advertises the page's next version, where it is shown."""
    offer = page.get_by_role("button", name="Try it out")
    if offer.count():
        offer.locator("xpath=following::button[1]").evaluate("button => button.click()")
