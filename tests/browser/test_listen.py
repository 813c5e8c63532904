"""Music is heard on the page while it is written, where somebody asked for it, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from d2m_core.weights import EMBEDDED

from .page import Browser

CLICKS, RHYTHM, MODEL, CODEC, SAMPLER, DECODE, SHOWN = (str(n) for n in range(1, 8))
SECONDS = 40.0
"""So long that the first second is heard well before the last is written, on any machine."""

WATCH = """() => {
    window.told = []
    if (window.watched) return
    window.watched = true
    const note = (kind) => (event) => window.told.push([kind, event.detail])
    for (const kind of ['d2m.sound', 'executed', 'execution_cached', 'execution_success', 'execution_error'])
        app.api.addEventListener(kind, note(kind))
}"""
RUN = """async ([sampler, seed]) => {
    const prompt = await app.graphToPrompt()
    prompt.output[sampler].inputs.seed = seed
    return (await app.api.queuePrompt(0, prompt)).prompt_id
}"""
ENDED = """(run) => window.told.some(
    ([kind, what]) => (kind === 'execution_success' || kind === 'execution_error') && what.prompt_id === run
)"""
TOLD = """([kind, run]) => window.told
    .filter(([one, what]) => one === kind && (!run || what.prompt_id === run)).map(([, what]) => what)"""
SOUND_ENDED = "() => window.told.some(([kind, what]) => kind === 'd2m.sound' && (what.ended || what.why))"
MUSIC = """() => {
    const sounds = window.told.filter(([kind, what]) => kind === 'd2m.sound' && what.pcm)
    const pieces = sounds.map(([, what]) => what)
    const bytes = pieces.map(({ pcm }) => Uint8Array.from(atob(pcm), (letter) => letter.charCodeAt(0)))
    const power = bytes.flatMap((part) => [...new Int16Array(part.buffer)]).reduce((sum, x) => sum + x * x, 0)
    const count = bytes.reduce((sum, part) => sum + part.length / 2, 0)
    return {
        numbers: pieces.map(({ number }) => number), seconds: count / pieces[0].rate / pieces[0].channels,
        rms: Math.sqrt(power / count) / 32767,
        first: window.told.findIndex(([kind]) => kind === 'd2m.sound'),
        end: window.told.findIndex(([kind]) => kind === 'execution_success'),
    }
}"""


def graph(clicks: str) -> dict[str, Any]:
    """Clicks to a rhythm to music, without anybody dancing; the codec is loaded before music is written."""
    return {
        CLICKS: {"class_type": "LoadAudio", "inputs": {"audio": clicks}},
        RHYTHM: {"class_type": "D2M_RhythmFromAudio", "inputs": {"audio": [CLICKS, 0]}},
        MODEL: {"class_type": "D2M_LoadModel", "inputs": {"model_name": "embedded"}},
        CODEC: {"class_type": "D2M_LoadCodec", "inputs": {"codec_name": EMBEDDED, "download": False}},
        SAMPLER: {
            "class_type": "D2M_Sampler",
            "inputs": {
                "model": [MODEL, 0], "rhythm": [RHYTHM, 0], "codec": [CODEC, 0], "style": "any",
            },
        },
        DECODE: {"class_type": "D2M_EnCodecDecode", "inputs": {"tokens": [SAMPLER, 0], "codec": [CODEC, 0]}},
        SHOWN: {"class_type": "PreviewAudio", "inputs": {"audio": [DECODE, 0]}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def clicks(opened: Browser, tmp_path_factory: pytest.TempPathFactory) -> str:
    import numpy as np
    import scipy

    path: Path = tmp_path_factory.mktemp("clicks") / "clicks.wav"
    sound = np.zeros(round(SECONDS * 16_000), np.float32)
    for beat in range(int(SECONDS * 2)):
        sound[beat * 8000 : beat * 8000 + 400] = np.sin(np.arange(400) / 3) * np.linspace(1, 0, 400)
    scipy.io.wavfile.write(path, 16_000, sound)
    return opened.server.upload(path)


def run(page: Browser, seed: int) -> str:
    """Runs the graph to its end; earlier ones may still be told of. Returns its number."""
    page.page.evaluate(WATCH)
    number: str = page.page.evaluate(RUN, [SAMPLER, seed])
    page.page.wait_for_function(ENDED, arg=number)
    return number


def told(page: Browser, kind: str, run: str = "") -> list[Any]:
    """What the page was told, of one run where it is given."""
    return page.page.evaluate(TOLD, [kind, run])


def test_music_is_heard_while_it_is_written(opened: Browser, clicks: str) -> None:
    page = opened.page
    page.evaluate("([graph, name]) => app.loadApiJson(graph, name)", [graph(clicks), "listen"])
    button = page.locator(".d2m-listen").first
    button.wait_for()
    assert button.evaluate("button => button.offsetHeight") > 15
    assert button.get_attribute("aria-pressed") == "false"
    assert told(opened, "execution_error", run(opened, 1)) == []
    assert told(opened, "d2m.sound") == [], "nobody asked"

    with page.expect_response(lambda answer: answer.url.endswith("/d2m/listen")) as answer:
        button.click()
    assert answer.value.json() == {"on": True}
    assert button.get_attribute("aria-pressed") == "true"
    (kept,) = told(opened, "execution_cached", run(opened, 1))
    assert SAMPLER in kept["nodes"], "what is asked for is the same"
    run(opened, 2)
    page.wait_for_function(SOUND_ENDED)
    heard = page.evaluate(MUSIC)
    assert heard["numbers"] == list(range(len(heard["numbers"])))
    assert len(heard["numbers"]) > 5
    assert heard["seconds"] == pytest.approx(SECONDS, abs=0.01)
    assert heard["rms"] > 0.01
    assert heard["first"] < heard["end"], "the first sound came before the run had ended"
    assert "playing" in button.inner_text()
    opened.shot("10 listening")
    with opened.nodes_2():
        drawn = opened.drawn(int(SAMPLER)).locator(".d2m-listen")
        drawn.wait_for()
        with page.expect_response(lambda answer: answer.url.endswith("/d2m/listen")):
            drawn.click()
        opened.shot("11 listening, Nodes 2.0")
        assert drawn.inner_text().endswith("off"), "silent at once"
    run(opened, 3)
    assert told(opened, "d2m.sound") == []
    assert opened.errors == []
