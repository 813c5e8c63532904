"""Every schema, built by a real ComfyUI; one bad schema would drop every later node of the pack."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from d2m_core.pose import MAX_PEOPLE
from scripts.make_help import pages
from tests.comfy_server import APP, DECLARE_OPERATORS, PYTHON, REPOSITORY, install_pack

NEEDS_COMFY = pytest.mark.skipif(
    not PYTHON.exists(), reason="no ComfyUI in .comfy; `python tests/setup_comfy.py` sets it up"
)

REPORT = (
    DECLARE_OPERATORS
    + """
import comfy.options
comfy.options.enable_args_parsing()
import asyncio, importlib.util, json, sys
import folder_paths

FOREIGN = {"d2m_core", "mediapipe", "librosa", "matplotlib", "mido", "opentimelineio", "python_stretch"}
pack = PACK
name = pack.replace(".", "_x_")  # as ComfyUI names it
spec = importlib.util.spec_from_file_location(name, pack + "/__init__.py")
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
registered_by_import = "dance2music" in folder_paths.folder_names_and_paths

async def collect():
    extension = await module.comfy_entrypoint()
    nodes = await extension.get_node_list()
    return [node.GET_SCHEMA() and node.GET_NODE_INFO_V1() for node in nodes]

nodes = asyncio.run(collect())
paths, suffixes = folder_paths.folder_names_and_paths["dance2music"]
sys.stdout.write("REPORT " + json.dumps({
    "nodes": {node["name"]: node for node in nodes},
    "registered_by_import": registered_by_import,
    "paths": paths,
    "suffixes": sorted(suffixes),
    "web": module.WEB_DIRECTORY,
    "mappings": hasattr(module, "NODE_CLASS_MAPPINGS"),
    "foreign": sorted({name.split(".")[0] for name in sys.modules} & FOREIGN),
}))
"""
)
"""Loads the pack by path, as ComfyUI does, and says what it found."""

SAMPLING = ["style", "seed", "temperature", "top_k", "top_p", "guidance", "poses"]

PLACE = ("x", "y", "width", "height")

PLAYERS = ["drums", "bass", "chords", "lead", "percussion"]

RELEASED: dict[str, list[str]] = {
    "D2M_LoadVideo": ["file", "start_s", "duration_s", "path"],
    "D2M_PoseEstimate": [
        "video",
        "model",
        "people",
        "dancer",
        "draw",
        "download",
        "keypoints",
        "rate",
        *PLACE,
        "everybody",
    ],
    "D2M_PoseFromKeypoints": ["keypoints", "fps", "video"],
    "D2M_PoseToKeypoints": ["poses", "people", "layout", "width", "height"],
    "D2M_SelectDancer": ["poses", "dancer", "number", *PLACE],
    "D2M_DanceRhythm": ["poses", "tempo_bpm", "grid", "nudge_ms", "energy", "audio", "beats_from"],
    "D2M_EditRhythm": "rhythm tempo tempo_bpm grid shift_ms swing energy beats_per_bar beats poses".split(),
    "D2M_RhythmFromAudio": ["audio", "tempo_bpm", "ear"],
    "D2M_LoadModel": ["model_name"],
    "D2M_Sampler": [
        "model",
        "rhythm",
        *SAMPLING,
        "batch_size",
        "candidates",
        "codec",
        "style_guidance",
        "sound",
        "sound_use",
    ],
    "D2M_Continue": ["model", "tokens", "rhythm", "keep_s", "length_s", *SAMPLING, "style_guidance"],
    "D2M_LoadCodec": ["codec_name", "download"],
    "D2M_EnCodecDecode": ["tokens", "codec", "ending", "dynamics", "finish"],
    "D2M_EnCodecEncode": ["audio", "codec"],
    "D2M_AlignAudio": ["audio", "rhythm", "strength", "most_bend", "most_tempo_change", "start", "loop"],
    "D2M_ScoreMusic": ["audio", "rhythm", "poses"],
    "D2M_SaveAudio": ["audio", "filename_prefix", "format", "audioUI"],
    "D2M_SaveVideo": ["video", "audio", "filename_prefix", "format", "original_level", "recode"],
    "D2M_DanceBand": [*"rhythm style seed key intensity humanise".split(), *PLAYERS, "poses", "download"],
    "D2M_SaveMidi": ["midi", "filename_prefix"],
    "D2M_LoadMidi": ["file", "path", "seconds"],
    "D2M_ExportBeats": [
        *"rhythm format filename_prefix frame_rate start_timecode every_beat video poses midi".split()
    ],
    "D2M_EditMusic": [
        *"model tokens edit span snap bars likeness candidates".split(),
        *SAMPLING,
        "style_guidance",
        "rhythm",
    ],
    "D2M_RepairPoses": ["poses", "spans", "method", "part", "points"],
    "D2M_RhythmCurves": ["rhythm", "energy_curve", "accent_curve", "amount"],
}
"""Inputs in order. Saved workflows break where an id or the order changes: only add at the end."""

RHYTHM_OUTPUTS = ["D2M_RHYTHM", "IMAGE", "FLOAT", "INT", "INT", "COMBO", "STRING", "FLOAT"]
TEXTS = ["STRING", "STRING"]
"""For text encoders; they came later, so they stand last."""

OUTPUTS: dict[str, list[str]] = {
    "D2M_LoadVideo": ["D2M_CLIP", "VIDEO", "FLOAT"],
    "D2M_PoseEstimate": ["D2M_POSES", "POSE_KEYPOINT", "VIDEO", "IMAGE"],
    "D2M_PoseFromKeypoints": ["D2M_POSES"],
    "D2M_PoseToKeypoints": ["POSE_KEYPOINT", "FLOAT"],
    "D2M_SelectDancer": ["D2M_POSES", "IMAGE"],
    "D2M_DanceRhythm": [*RHYTHM_OUTPUTS, *TEXTS],
    "D2M_EditRhythm": [*RHYTHM_OUTPUTS, *TEXTS],
    "D2M_RhythmFromAudio": [*RHYTHM_OUTPUTS, *TEXTS],
    "D2M_LoadModel": ["D2M_MODEL"],
    "D2M_Sampler": ["D2M_TOKENS"],
    "D2M_Continue": ["D2M_TOKENS", "D2M_RHYTHM"],
    "D2M_LoadCodec": ["D2M_CODEC"],
    "D2M_EnCodecDecode": ["AUDIO"],
    "D2M_EnCodecEncode": ["D2M_TOKENS"],
    "D2M_AlignAudio": ["AUDIO", "STRING"],
    "D2M_ScoreMusic": ["STRING", "IMAGE", "FLOAT"],
    "D2M_SaveAudio": ["AUDIO"],
    "D2M_SaveVideo": ["VIDEO"],
    "D2M_DanceBand": [*["AUDIO"] * 6, "MIDI", "STRING"],
    "D2M_SaveMidi": ["MIDI", "IMAGE"],
    "D2M_LoadMidi": [*RHYTHM_OUTPUTS, "MIDI", *TEXTS],
    "D2M_ExportBeats": ["AUDIO", "STRING"],
    "D2M_EditMusic": ["D2M_TOKENS", "D2M_RHYTHM", "FLOAT"],
    "D2M_RepairPoses": ["D2M_POSES", "IMAGE"],
    "D2M_RhythmCurves": ["D2M_RHYTHM", "CURVE", "CURVE", "IMAGE"],
}
"""Outputs in order; saved workflows count them."""

DISPLAY_NAMES = {
    "D2M_LoadVideo": "Load Dance Video",
    "D2M_PoseEstimate": "Pose Estimate",
    "D2M_PoseFromKeypoints": "Pose from Keypoints",
    "D2M_PoseToKeypoints": "Pose to Keypoints",
    "D2M_SelectDancer": "Select Dancer",
    "D2M_DanceRhythm": "Dance Rhythm",
    "D2M_EditRhythm": "Edit Rhythm",
    "D2M_RhythmFromAudio": "Rhythm from Audio",
    "D2M_LoadModel": "Load Dance2Music Model",
    "D2M_Sampler": "Dance2Music Sampler",
    "D2M_Continue": "Continue / Extend Music",
    "D2M_LoadCodec": "Load Audio Codec",
    "D2M_EnCodecDecode": "EnCodec Decode",
    "D2M_EnCodecEncode": "EnCodec Encode",
    "D2M_AlignAudio": "Align Audio to Dance",
    "D2M_ScoreMusic": "Score Dance Music",
    "D2M_SaveAudio": "Save Audio (Dance)",
    "D2M_SaveVideo": "Save Dance Video",
    "D2M_DanceBand": "Dance Band",
    "D2M_SaveMidi": "Save MIDI",
    "D2M_LoadMidi": "Load MIDI",
    "D2M_ExportBeats": "Export Beats",
    "D2M_EditMusic": "Edit Dance Music",
    "D2M_RepairPoses": "Repair Poses",
    "D2M_RhythmCurves": "Rhythm Curves",
}

LANGUAGES = ("fr", "zh")
"""Besides English, which the schemas speak."""

TYPES_OF_OTHERS = {
    "VIDEO",
    "IMAGE",
    "AUDIO",
    "FLOAT",
    "INT",
    "STRING",
    "COMBO",
    "POSE_KEYPOINT",
    "MIDI",
    "CURVE",
}
"""Of stock nodes and of other packs."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return in_comfyui(REPORT, tmp_path_factory.mktemp("schemas"))


def in_comfyui(code: str, base: Path) -> dict[str, Any]:
    """What `code` reports about a copy of the pack, run by ComfyUI's interpreter in its folder."""
    (base / "custom_nodes").mkdir()
    pack = base / "custom_nodes" / "ComfyUI-Dance.To-Music"
    install_pack(pack)
    done = subprocess.run(
        [str(PYTHON), "-c", code.replace("PACK", repr(str(pack))), "--cpu", "--base-directory", str(base)],
        cwd=APP,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "REPORT " in done.stdout, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(done.stdout.split("REPORT ", 1)[1])


@NEEDS_COMFY
def test_every_schema_builds(report: dict[str, Any]) -> None:
    assert {name: node["display_name"] for name, node in report["nodes"].items()} == DISPLAY_NAMES
    for node in report["nodes"].values():
        assert node["category"] == "Dance to Music"
        assert node["description"]
    assert not report["mappings"], "NODE_CLASS_MAPPINGS would win over comfy_entrypoint"


@NEEDS_COMFY
def test_all_nodes_count_as_many_people(report: dict[str, Any]) -> None:
    estimate, select = (report["nodes"][f"D2M_{name}"]["input"] for name in ("PoseEstimate", "SelectDancer"))
    assert estimate["required"]["people"][1]["max"] == MAX_PEOPLE
    assert select["required"]["number"][1]["max"] == MAX_PEOPLE - 1
    kind, details = estimate["required"]["dancer"]
    choices = details["options"] if kind == "COMBO" else kind
    assert choices[-1] == f"person {MAX_PEOPLE - 1}"


@NEEDS_COMFY
@pytest.mark.parametrize("name", RELEASED)
def test_inputs_keep_their_ids_and_order(report: dict[str, Any], name: str) -> None:
    order = report["nodes"][name]["input_order"]
    assert [*order["required"], *order.get("optional", [])] == RELEASED[name]


@NEEDS_COMFY
@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_keep_their_order(report: dict[str, Any], name: str) -> None:
    assert report["nodes"][name]["output"] == OUTPUTS[name]
    assert all(report["nodes"][name]["output_tooltips"])


@NEEDS_COMFY
@pytest.mark.parametrize("name", RELEASED)
def test_every_input_says_what_it_is_and_has_a_sane_default(report: dict[str, Any], name: str) -> None:
    node = report["nodes"][name]
    for kind in ("required", "optional"):
        for input_id, (socket, facts) in node["input"].get(kind, {}).items():
            where = f"{name}.{input_id}"
            assert len(facts.get("tooltip", "")) > 8, where
            assert facts["tooltip"].endswith("."), where
            if socket in ("INT", "FLOAT"):
                assert facts["min"] <= facts["default"] <= facts["max"], where
                assert facts["min"] < facts["max"], where
            elif socket == "COMBO":
                assert facts["options"], where
                assert facts.get("default", facts["options"][0]) in facts["options"], where
            elif socket in ("STRING", "BOOLEAN"):
                assert "default" in facts, where


@NEEDS_COMFY
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_and_input_is_translated_and_nothing_else(report: dict[str, Any], language: str) -> None:
    folder = REPOSITORY / "locales" / language
    texts = json.loads((folder / "nodeDefs.json").read_text(encoding="utf-8"))
    assert texts.keys() == report["nodes"].keys()
    for name, node in report["nodes"].items():
        own = texts[name]
        assert own["inputs"].keys() == set(RELEASED[name]), name
        assert list(own.get("outputs", {})) == [str(k) for k in range(len(OUTPUTS[name]))], name
        assert own["display_name"] != node["display_name"], name
        assert own["description"], name
        for words in (*own["inputs"].values(), *own.get("outputs", {}).values()):
            assert words.keys() == {"name", "tooltip"}, name
            assert all(words.values()), name
    main = json.loads((folder / "main.json").read_text(encoding="utf-8"))
    assert main["nodeCategories"].keys() == {"Dance to Music"}


@NEEDS_COMFY
def test_every_input_has_an_english_word(report: dict[str, Any]) -> None:
    """Pages and apps would show the id where there is none. What each does its tooltip says."""
    texts = json.loads((REPOSITORY / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    assert texts.keys() == report["nodes"].keys()
    for name, node in report["nodes"].items():
        assert texts[name]["display_name"] == node["display_name"]
        assert texts[name]["inputs"].keys() == set(RELEASED[name]), name
        for id, words in texts[name]["inputs"].items():
            assert words.keys() == {"name"}, (name, id)
            assert not set("_") & set(words["name"]), (name, id)
            given = {**node["input"].get("required", {}), **node["input"].get("optional", {})}[id]
            shown = given[1].get("display_name") if len(given) > 1 else None
            assert shown in (None, words["name"]), (name, id)


@NEEDS_COMFY
def test_one_edit_looks_the_same_under_both_its_ids(report: dict[str, Any]) -> None:
    """Saved workflows know it by two; the artist sees one name and one explanation."""
    both = (("D2M_DanceRhythm", "nudge_ms"), ("D2M_EditRhythm", "shift_ms"))
    first, second = (report["nodes"][name]["input"]["required"][id][1] for name, id in both)
    assert first == second
    assert first["display_name"] == "shift (ms)"
    for language in LANGUAGES:
        texts = json.loads((REPOSITORY / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
        first, second = (texts[name]["inputs"][id] for name, id in both)
        assert first == second


@NEEDS_COMFY
def test_sockets_are_ours_or_stock(report: dict[str, Any]) -> None:
    for node in report["nodes"].values():
        for output in node["output"]:
            assert output.startswith("D2M_") or output in TYPES_OF_OTHERS, output
    taken = report["nodes"]["D2M_PoseEstimate"]["input"]["required"]["video"][0]
    assert set(taken.split(",")) == {"VIDEO", "D2M_CLIP"}
    assert report["nodes"]["D2M_SaveAudio"]["input"]["optional"]["audioUI"][0] == "AUDIO_UI"
    assert report["nodes"]["D2M_SaveAudio"]["output_node"]


@NEEDS_COMFY
def test_lists_are_full_without_any_user_files(report: dict[str, Any]) -> None:
    models = report["nodes"]["D2M_LoadModel"]["input"]["required"]["model_name"][1]["options"]
    codecs = report["nodes"]["D2M_LoadCodec"]["input"]["required"]["codec_name"][1]["options"]
    assert models == ["embedded"]
    assert {"d2m-2", "d2m-3"} <= set(codecs)
    assert "d2m" not in codecs, "version 0.1.x reads it"


@NEEDS_COMFY
def test_importing_does_no_work(report: dict[str, Any]) -> None:
    assert not report["registered_by_import"]
    assert report["paths"][0].endswith("models/dance2music")
    assert report["suffixes"] == [".safetensors"], "an empty set would list every file"
    assert report["foreign"] == [], "a stale installed copy, or a heavy import at start-up"


@NEEDS_COMFY
def test_every_node_has_a_help_page(report: dict[str, Any]) -> None:
    pages = {page.stem for page in (REPOSITORY / report["web"] / "docs").glob("*.md")}
    assert pages == report["nodes"].keys()
    for name, node in report["nodes"].items():
        text = (REPOSITORY / report["web"] / "docs" / f"{name}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {node['display_name']}\n")
        assert "| Input | Meaning |\n|---|---|\n" in text
        assert not OUTPUTS[name] or "| Output | Meaning |\n|---|---|\n" in text, name
        unnamed = [word for word in node["output_name"] if f"`{word}`" not in text]
        assert not unnamed, f"{name}.md does not explain the outputs {unnamed}"
        missing = [word for word in RELEASED[name] if word != "audioUI" and f"`{word}`" not in text]
        assert not missing, f"{name}.md does not explain {missing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_in_other_languages_names_the_same_inputs(language: str) -> None:
    """Where the page looks for it, as the script makes it; each input has a row, and nothing else has."""
    made = pages(language)
    folder = REPOSITORY / "web" / "docs"
    assert set(folder.glob(f"*/{language}.md")) == {folder / name / f"{language}.md" for name in RELEASED}
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m scripts.make_help"
        name = path.parent.name
        inputs, *outputs = (part for part in text.split("\n\n") if "|---|---|" in part)
        rows = re.findall(r"^\| `(\w+)`", inputs, re.MULTILINE)
        assert rows == [word for word in json_of(language)[name]["inputs"] if word != "audioUI"]
        assert set(rows) == set(RELEASED[name]) - {"audioUI"}
        assert len(re.findall(r"^\| `", outputs[0], re.MULTILINE)) == len(OUTPUTS[name])
        assert len(text.split("\n\n")) > 4, f"{name}: nothing is said beside the tables"


def json_of(language: str) -> dict[str, Any]:
    return json.loads((REPOSITORY / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))


PREVIEWS = REPORT.replace(
    "FOREIGN =",
    """
import dataclasses
from comfy_api.latest import io
if "has_intermediate_output" not in {field.name for field in dataclasses.fields(io.Schema)}:
    @dataclasses.dataclass
    class Schema(io.Schema):
        has_intermediate_output: bool = False
    io.Schema = Schema

FOREIGN =""",
).replace(
    "node.GET_SCHEMA() and node.GET_NODE_INFO_V1()",
    "{'name': node.GET_SCHEMA().node_id, 'kept': node.SCHEMA.has_intermediate_output}",
)
"""The same with the schema of a ComfyUI that can show a node's pictures again."""


@NEEDS_COMFY
def test_what_a_node_shows_stays_where_comfyui_can_keep_it(tmp_path: Path) -> None:
    nodes = in_comfyui(PREVIEWS, tmp_path)["nodes"]
    assert {name for name, node in nodes.items() if node["kept"]} == {
        "D2M_PoseEstimate",
        "D2M_PoseFromKeypoints",
        "D2M_SelectDancer",
        "D2M_DanceRhythm",
        "D2M_EditRhythm",
        "D2M_RhythmFromAudio",
        "D2M_AlignAudio",
        "D2M_DanceBand",
        "D2M_LoadMidi",
        "D2M_EditMusic",
        "D2M_RepairPoses",
        "D2M_RhythmCurves",
    }


ALIGN = (
    DECLARE_OPERATORS
    + """
import comfy.options
comfy.options.enable_args_parsing()
import importlib, importlib.util, json, sys
import comfy.model_management
import numpy as np
import torch

pack = PACK
spec = importlib.util.spec_from_file_location("pack", pack + "/__init__.py")
sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["pack"])
node = importlib.import_module("pack.nodes.align_audio").AlignAudio
ClipRhythm = importlib.import_module("pack.nodes.sockets").ClipRhythm
Rhythm = importlib.import_module("pack.d2m_core.types").Rhythm

rate = 44100
clicks = torch.zeros(12 * rate)
for beat in range(24):
    start = round((0.3 + beat / 2) * rate)
    clicks[start : start + 400] = torch.linspace(0.8, 0.0, 400)
samples = torch.stack([torch.stack([clicks, clicks / 2]), torch.zeros(2, len(clicks))])
audio = {"waveform": samples, "sample_rate": rate}
beats = np.arange(0.2, 8.0, 0.47)
curves = np.full((201, 2), 0.5, np.float32)
rhythm = ClipRhythm(Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 60 / 0.47), 8.013)

def run(most_tempo_change):
    try:
        return node.execute(audio, rhythm, 1.0, 8.0, most_tempo_change, "best", True)
    except comfy.model_management.InterruptProcessingException:
        return "cancelled"
    except Exception as error:
        return str(error)

aligned, info = run(35.0).args
refused = run(2.0)
comfy.model_management.interrupt_current_processing(True)
sys.stdout.write("REPORT " + json.dumps({
    "shape": list(aligned["waveform"].shape), "rate": aligned["sample_rate"], "info": info,
    "refused": refused, "interrupted": run(35.0), "start": node.validate_inputs(start="middle"),
}))
"""
)
"""Runs Align Audio to Dance on a batch of clicks and silence."""


@NEEDS_COMFY
def test_align_audio_runs_refuses_and_cancels(tmp_path: Path) -> None:
    found = in_comfyui(ALIGN, tmp_path)
    assert found["shape"] == [2, 2, round(8.013 * 44_100)]
    assert found["rate"] == 44_100
    assert "17 of 17 beats meet" in found["info"]
    assert "no steady beat" in found["info"].splitlines()[1]
    assert "most_tempo_change is 2 %" in found["refused"]
    assert found["interrupted"] == "cancelled"
    assert "middle" in found["start"]


def test_outside_comfyui_the_pack_offers_nothing() -> None:
    assert importlib.util.find_spec("comfy_api") is None, "this test runs outside ComfyUI"
    spec = importlib.util.spec_from_file_location("the_pack", REPOSITORY / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not hasattr(module, "comfy_entrypoint")


# --- the registry ---


def test_what_the_registry_reads() -> None:
    facts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    project, comfy = facts["project"], facts["tool"]["comfy"]
    assert "comfyui" not in project["name"].lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert (REPOSITORY / project["license"]["file"]).is_file()
    assert comfy["PublisherId"]
    assert comfy["DisplayName"]
    assert comfy["requires-comfyui"].startswith(">=")
    icon = REPOSITORY / "docs" / Path(comfy["Icon"]).name
    assert icon.read_text(encoding="utf-8").lstrip().startswith("<svg")
    action = (REPOSITORY / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    assert "${{ secrets.REGISTRY_ACCESS_TOKEN }}" in action


# --- the graphs we ship ---


@NEEDS_COMFY
@pytest.mark.parametrize("path", sorted((REPOSITORY / "workflows" / "api").glob("*.json")), ids=str)
def test_api_graphs_name_known_nodes_and_inputs(report: dict[str, Any], path: Path) -> None:
    for node in json.loads(path.read_text(encoding="utf-8")).values():
        if node["class_type"].startswith("D2M_"):
            known = report["nodes"][node["class_type"]]["input"]
            assert known["required"].keys() <= node["inputs"].keys()
            assert node["inputs"].keys() <= {*known["required"], *known.get("optional", {})}
