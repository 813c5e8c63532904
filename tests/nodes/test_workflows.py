"""The example workflows: made by the script, alike in both forms, and run in a real ComfyUI."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from d2m_core.rhythm import abc_header
from scripts.make_thumbnails import SIZE, Comfy, thumbnail
from scripts.make_workflows import api_form, ui_form
from scripts.try_comfy import refusal
from scripts.workflow_band import CONDUCTED
from scripts.workflow_dancer import PLAN, PORTRAIT
from scripts.workflow_graphs import GRAPHS, LARGE
from scripts.workflow_models import CLAP, TOLD_MODELS, YUE2
from scripts.workflow_parts import (
    ALIGN,
    BAND,
    BAND_LATENT,
    CLAPPED,
    CLAPS,
    DIFFUSE,
    FOUND,
    LENGTH,
    LOAD,
    MIDI,
    NOTE,
    POSE,
    RHYTHM,
    SAVE_AUDIO,
    SAVE_VIDEO,
    SCORE,
    SCORE_TEXT,
    SELECT,
    SOUND,
    STEMS,
    TEMPO_LINE,
    TOLD,
    WORDS,
    Graph,
)
from tests.comfy_server import REPOSITORY, Server
from tests.newer_nodes import SCHEMA

from .graphs import DURATION_S, WANDERING, assert_success, messages, read_audio, video_length_s
from .workflow_media import Media, change, draw_group, with_media, write_song

FOLDER = REPOSITORY / "workflows"
EVERY = pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.api_name)
RUNNABLE = pytest.mark.parametrize(
    "graph", [g for g in GRAPHS if g.api_name not in LARGE], ids=lambda graph: graph.api_name
)
WIRED = pytest.mark.parametrize(
    "graph", [g for g in GRAPHS if g.api_name in LARGE], ids=lambda graph: graph.api_name
)
TELLING = pytest.mark.parametrize(
    "graph", [g for g in GRAPHS if g.api_name in TOLD_MODELS], ids=lambda graph: graph.api_name
)
CONDUCTING = pytest.mark.parametrize(
    "graph", [g for g in GRAPHS if g.api_name in CONDUCTED], ids=lambda graph: graph.api_name
)


def ui(graph: Graph) -> dict[str, Any]:
    return json.loads((FOLDER / f"{graph.name}.json").read_text(encoding="utf-8"))


def api(graph: Graph) -> dict[str, Any]:
    path = FOLDER / "api" / f"{graph.api_name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def info(server: Server) -> dict[str, Any]:
    """What the server says of its nodes."""
    return server.call("/object_info")


# --- the files ---


def test_no_other_files_lie_in_the_folder() -> None:
    names = {f"{graph.name}.{suffix}" for graph in GRAPHS for suffix in ("json", "jpg")}
    assert {path.name for path in FOLDER.iterdir()} == {*names, "api"}
    forms = {f"{graph.api_name}.json" for graph in GRAPHS}
    assert {path.name for path in (FOLDER / "api").iterdir()} == forms


@EVERY
def test_the_files_are_what_the_script_makes(graph: Graph, info: dict[str, Any]) -> None:
    assert told(api(graph)) == told(api_form(graph, info))
    assert ui(graph) == ui_form(graph, info)


def told(form: dict[str, Any]) -> dict[str, Any]:
    """The form without what a stock node calls itself, which changes from ComfyUI to ComfyUI."""
    assert all(about["_meta"]["title"] for about in form.values())
    ours = {name for name, about in form.items() if about["class_type"].startswith("D2M_")}
    return {name: about | ({} if name in ours else {"_meta": ""}) for name, about in form.items()}


@EVERY
def test_both_forms_are_one_graph(graph: Graph, info: dict[str, Any]) -> None:
    """The page's form, read without the script: nodes, links and settings of the API form."""
    page, queued = ui(graph), api(graph)
    links = {link[0]: [str(link[1]), link[2]] for link in page["links"]}
    nodes = {str(n["id"]): n for n in page["nodes"] if n["type"] != "MarkdownNote"}
    assert nodes.keys() == queued.keys()
    for name, node in nodes.items():
        assert node["type"] == queued[name]["class_type"]
        values, inputs = iter(node["widgets_values"]), {}
        for entry in node["inputs"]:
            value = next(values) if "widget" in entry else None
            if entry["name"] in ("seed", "noise_seed"):
                assert next(values) in {"randomize", "fixed"}
            if entry["link"] is not None:
                inputs[entry["name"]] = links[entry["link"]]
            elif "widget" in entry:
                inputs[entry["name"]] = value
        assert inputs == queued[name]["inputs"]
        assert list(values) in ([], ["image"]), "more values than widgets"


@EVERY
def test_links_join_what_fits(graph: Graph) -> None:
    page = ui(graph)
    nodes = {node["id"]: node for node in page["nodes"]}
    for link, source, output, target, entry, kind in page["links"]:
        out, into = nodes[source]["outputs"][output], nodes[target]["inputs"][entry]
        assert link in out["links"]
        assert into["link"] == link
        assert out["type"] == kind
        assert into["type"] == "*" or kind in into["type"].split(",")


@EVERY
def test_nodes_lie_apart_and_inside_their_groups(graph: Graph) -> None:
    page = ui(graph)
    boxes = {n["id"]: (n["pos"][0], n["pos"][1] - 30, n["size"][0], n["size"][1] + 30) for n in page["nodes"]}
    for one, (x1, y1, w1, h1) in boxes.items():
        for other, (x2, y2, w2, h2) in boxes.items():
            apart = x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1
            assert one == other or apart, (one, other)
        inside = [
            g["title"]
            for g in page["groups"]
            if g["bounding"][0] <= x1
            and g["bounding"][1] <= y1
            and x1 + w1 <= g["bounding"][0] + g["bounding"][2]
            and y1 + h1 <= g["bounding"][1] + g["bounding"][3]
        ]
        assert len(inside) == (one != NOTE)


@EVERY
def test_a_note_says_what_to_change(graph: Graph) -> None:
    (note,) = [node for node in ui(graph)["nodes"] if node["type"] == "MarkdownNote"]
    (text,) = note["widgets_values"]
    assert "**What to change" in text
    titles = {data["_meta"]["title"] for data in api(graph).values()}
    named = [part for part in text.split("**")[1::2] if part[0].isupper() and " " in part]
    known = [n for n in named if any(title.startswith(n) for title in titles)]
    assert known, "it names nodes of the graph as they are called on the page"


@EVERY
def test_a_picture_goes_with_it(graph: Graph) -> None:
    path = FOLDER / f"{graph.name}.jpg"
    assert path.stat().st_size < 100_000
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        assert picture.size == SIZE


def test_the_script_makes_a_picture_of_a_run(server: Server, clip: str) -> None:
    (graph,) = [g for g in GRAPHS if g.api_name == "ace_step"]
    picture = thumbnail(Comfy(server.address), graph, {"clip": clip})
    assert picture.size == SIZE
    half = SIZE[1] // 2
    for part in (picture.crop((0, 0, SIZE[0], half)), picture.crop((0, half, *SIZE))):
        assert np.asarray(part).std() > 10, "nothing to see"


# --- run for real ---


@pytest.fixture(scope="module")
def media(server: Server, clip: str, tmp_path_factory: pytest.TempPathFactory) -> Media:
    """Clips and a song, uploaded."""
    folder = tmp_path_factory.mktemp("media")
    group, song = draw_group(folder / "three.mp4"), write_song(folder / "song.wav")
    return Media(clip, server.upload(group), server.upload(song))


@RUNNABLE
def test_it_runs(server: Server, graph: Graph, media: Media) -> None:
    queued = with_media(api(graph), media)
    entry = server.run(queued)
    assert_success(entry)
    (shown,) = entry["outputs"][str(SAVE_AUDIO)]["audio"]
    samples, rate = read_audio(server.file(shown))
    assert samples.shape[-1] == round(DURATION_S * rate)
    assert samples.std() > 1e-4, "silence"
    (film,) = entry["outputs"][str(SAVE_VIDEO)]["images"]
    assert video_length_s(server.file(film)) == pytest.approx(DURATION_S, abs=0.05)
    with av.open(str(server.file(film))) as container:
        assert container.streams.audio
    if graph.api_name == "band_stems_midi":
        assert entry["outputs"][str(MIDI)]["midi"]
        assert all(entry["outputs"][str(STEMS + index)]["audio"] for index in range(5))
    (cached,) = messages(entry, "execution_cached")
    for node in {str(RHYTHM), str(SELECT), str(SCORE)} & (queued.keys() - set(cached["nodes"])):
        assert entry["outputs"][node]["images"], "a picture"


# --- large models: wired as published, without their files ---


def test_ace_step_is_told_tempo_and_metre_of_the_dance() -> None:
    (graph,) = [g for g in GRAPHS if g.api_name == "ace_step"]
    told = api(graph)[str(WORDS)]["inputs"]
    assert told["bpm"] == [str(RHYTHM), 3]
    assert told["timesignature"] == [str(RHYTHM), 5]
    needed = SCHEMA["nodes"]["TextEncodeAceStepAudio1.5"]["input"]["required"]
    assert told.keys() == needed.keys()
    for name in ("language", "keyscale"):  # the server does not check lists of such nodes
        assert told[name] in needed[name][1]["options"]


def place_models(server: Server, graph: dict[str, Any]) -> None:
    """Empty files in the place of the models that a graph names."""
    folders = {
        **{"ckpt_name": "checkpoints", "unet_name": "diffusion_models", "vae_name": "vae"},
        **dict.fromkeys(("clip_name", "clip_name1", "clip_name2"), "text_encoders"),
        "lora_name": "loras",
    }
    for about in graph.values():
        for name in folders.keys() & about["inputs"].keys():
            seeing = about["class_type"] == "CLIPVisionLoader"
            folder = "clip_vision" if seeing else folders[name]
            path = server.base / "models" / folder / about["inputs"][name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")


@WIRED
def test_the_server_accepts_the_wiring_of_large_models(server: Server, clip: str, graph: Graph) -> None:
    """Refused for its models alone; then, once files of their names are there, for nothing."""
    queued = api(graph)
    change(queued, LOAD, file=clip)
    change(queued, PORTRAIT, image=clip)
    answer = server.submit(queued)
    if "prompt_id" in answer:  # another test has put the files there
        finish(server, answer)
    else:
        assert refusal(queued, answer) == (True, "refused for its models alone, which are not installed")
    place_models(server, queued)
    answer = server.submit(of_known_kinds(server, queued))
    assert "prompt_id" in answer, json.dumps(answer, indent=1)
    assert not answer["node_errors"]
    finish(server, answer)

    for node in {str(DIFFUSE), str(FOUND), str(WORDS), str(PLAN)} & queued.keys():
        for name, value in queued[node]["inputs"].items():
            if isinstance(value, list):
                wrong = copy.deepcopy(queued)
                wrong[node]["inputs"][name] = [str(LOAD), 0]
                assert node in server.submit(wrong)["node_errors"], f"{name} takes anything"
    for node, values in ((DIFFUSE, {"denoise": 2.0}), (WORDS, {"bpm": 5})):
        if values.keys() <= queued.get(str(node), {"inputs": {}})["inputs"].keys():
            wrong = copy.deepcopy(queued)
            change(wrong, node, **values)
            assert str(node) in server.submit(wrong)["node_errors"], "the schema does not bite"


def finish(server: Server, answer: dict[str, Any]) -> None:
    server.call("/interrupt", {})
    server.wait(answer["prompt_id"])


def of_known_kinds(server: Server, graph: dict[str, Any]) -> dict[str, Any]:
    """A graph for a ComfyUI that may be too old to know the kind of a text encoder."""
    changed = copy.deepcopy(graph)
    for about in changed.values():
        kind = about["class_type"]
        if kind in ("CLIPLoader", "DualCLIPLoader"):
            needed = server.call(f"/object_info/{kind}")[kind]["input"]["required"]["type"]
            kinds = needed[0] if isinstance(needed[0], list) else needed[1]["options"]
            if about["inputs"]["type"] not in kinds:
                about["inputs"]["type"] = kinds[0]
    return changed


@TELLING
def test_models_are_told_the_dance_in_words_and_aligned(graph: Graph) -> None:
    queued = api(graph)
    told_as = {
        name
        for about in queued.values()
        for name, value in about["inputs"].items()
        if value == [str(TOLD), 0]
    }
    assert told_as & {"caption", "style", "tags"}
    assert queued[str(TOLD)]["inputs"]["string_b"] == [str(RHYTHM), 8]
    assert queued[str(ALIGN)]["inputs"]["audio"] == [str(SOUND), 0]
    assert queued[str(SAVE_VIDEO)]["inputs"]["audio"] == [str(ALIGN), 0]
    length = queued[str(WORDS)]["inputs"]
    assert [str(LENGTH), 0] in (length.get("max_duration"), length.get("duration"))


def test_a_score_is_given_the_dance_s_tempo(server: Server) -> None:
    """The two stock nodes between our header and the score, run as they stand in the graph."""
    queued = {name: api(YUE2)[name] for name in (str(TEMPO_LINE), str(SCORE_TEXT))}
    queued[str(TEMPO_LINE)]["inputs"]["string"] = abc_header(WANDERING)
    score = "X:1\nT:\nM:4/4\nL:1/32\nQ:1/4=83\nK:C\nV: Vocal\nz32|\n"
    queued[str(SCORE_TEXT)]["inputs"]["string"] = score
    queued["seen"] = {"class_type": "PreviewAny", "inputs": {"source": [str(SCORE_TEXT), 0]}}
    entry = server.run(queued)
    assert_success(entry)
    assert entry["outputs"]["seen"]["text"] == [score.replace("Q:1/4=83", "Q:1/4=120")]


def test_a_clapped_tempo_is_the_dance_s(server: Server, media: Media) -> None:
    queued = with_media(api(CLAP), media)
    queued = {name: queued[name] for name in map(str, (LOAD, POSE, CLAPS, CLAPPED, RHYTHM))}
    for name in (CLAPPED, RHYTHM):
        queued[f"of {name}"] = {"class_type": "PreviewAny", "inputs": {"source": [str(name), 2]}}
    entry = server.run(queued)
    assert_success(entry)
    clapped, danced = (float(entry["outputs"][f"of {name}"]["text"][0]) for name in (CLAPPED, RHYTHM))
    assert clapped == pytest.approx(60 / 0.52, rel=0.02), "the song of clicks"
    assert danced == pytest.approx(clapped, rel=1e-3)


@CONDUCTING
def test_the_band_leads_and_the_result_is_aligned_and_scored(graph: Graph) -> None:
    queued = api(graph)

    def source(node: int, name: str) -> list[Any]:
        return queued[str(node)]["inputs"][name]

    assert source(BAND_LATENT, "audio") == [str(BAND), 0]
    assert source(DIFFUSE, "latent_image") == [str(BAND_LATENT), 0]
    assert 0.4 <= queued[str(DIFFUSE)]["inputs"]["denoise"] < 1, "else nothing is left of the band"
    assert source(ALIGN, "audio") == [str(SOUND), 0]
    assert source(SCORE, "audio") == source(SAVE_VIDEO, "audio") == [str(ALIGN), 0]
    if "keyscale" in queued[str(WORDS)]["inputs"]:
        assert queued[str(WORDS)]["inputs"]["keyscale"] == queued[str(BAND)]["inputs"]["key"]
        needed = SCHEMA["nodes"]["TextEncodeAceStepAudio1.5"]["input"]["required"]
        assert queued[str(WORDS)]["inputs"].keys() == needed.keys()


def test_the_schema_says_where_it_comes_from() -> None:
    sources = SCHEMA["sources"]
    assert sorted(name for one in sources for name in one["nodes"]) == sorted(SCHEMA["nodes"])
    for source in sources:
        assert len(source["commit"]) == 40
        assert source["repository"].startswith("https://github.com/")
        assert Path(source["file"]).suffix == ".py"
