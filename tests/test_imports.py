"""Who may import whom: the arrows of the house, checked on the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "d2m_core"
HOST_MODULES = {
    "comfy",
    "comfy_api",
    "comfy_config",
    "comfy_execution",
    "comfy_extras",
    "execution",
    "folder_paths",
    "latent_preview",
    "node_helpers",
    "server",
}
SCHEMA = {"comfy_api"}
"""What every node file may import of ComfyUI; the rest goes through nodes/host.py."""

RANKS = (
    {"errors", "patterns"},
    {"types", "config", "grid"},
    {"video", "audio", "motion", "codec", "model"},
    {"align", "assets", "pose_keypoints", "pose", "rhythm", "sampling", "checkpoint", "metrics", "plots"},
    {"pipeline"},
    {"cli"},
)
"""Arrows go from a later rank to an earlier one, or stay within a rank without a cycle."""

PARTS_OF = {
    "accents": "motion",
    "agreement": "sampling",
    "align_map": "grid",
    "align_start": "align",
    "braking": "motion",
    "__main__": "cli",
    "beat_bar": "plots",
    "beat_confidence": "rhythm",
    "beat_text": "rhythm",
    "beat_tracking": "rhythm",
    "beats": "rhythm",
    "blend": "motion",
    "codec_files": "codec",
    "codec_stream": "codec",
    "dancer_picture": "plots",
    "files": "errors",
    "limiter": "grid",
    "metrics_sound": "metrics",
    "motion_body": "motion",
    "motion_braking": "motion",
    "mux": "audio",
    "pose_bundle": "assets",
    "pose_packages": "assets",
    "pose_track": "pose",
    "pose_world": "pose",
    "quiet": "errors",
    "rhythm_edit": "rhythm",
    "rhythm_plot": "plots",
    "rhythm_stream": "rhythm",
    "score": "metrics",
    "sound_file": "audio",
    "stretch": "audio",
    "video_source": "video",
}
"""Files split off a module have its rank."""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(dots, module) of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module is None or (node.level == 2 and node.module == CORE.name):
                prefix = f"{node.module}." if node.module else ""
                yield from ((node.level, prefix + alias.name) for alias in node.names)
            else:
                yield node.level, node.module


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def of_core(path: Path) -> set[str]:
    return {module.split(".")[0] for dots, module in imports(path) if dots == 1}


def rank(module: str) -> int:
    module = PARTS_OF.get(module, module)
    found = [number for number, names in enumerate(RANKS) if module in names]
    assert found, f"d2m_core/{module}.py has no rank in tests/test_imports.py; give it one."
    return found[0]


@pytest.mark.parametrize("path", sources("d2m_core"), ids=lambda path: path.stem)
def test_core_imports_point_one_way(path: Path) -> None:
    for dots, module in imports(path):
        top = module.split(".")[0]
        assert dots < 2, f"{module}: the core never reaches above itself"
        assert top not in HOST_MODULES, f"{module}: ComfyUI belongs to nodes/"
        assert dots or top not in {"d2m_core", "nodes", "training", "tests", "benchmarks"}, module
    if path.stem != "__init__":
        higher = {name for name in of_core(path) if rank(name) > rank(path.stem)}
        assert not higher, f"{path.name} imports {higher}, which are above it"


def test_core_has_no_cycle() -> None:
    arrows = {path.stem: of_core(path) for path in sources("d2m_core")}
    left = dict(arrows)
    while left:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        assert free, f"these import each other in a circle: {sorted(left)}"
        for name in free:
            del left[name]


@pytest.mark.parametrize("path", [ROOT / "__init__.py", *sources("nodes")], ids=lambda path: path.stem)
def test_nodes_import_relatively_and_through_one_door(path: Path) -> None:
    for dots, module in imports(path):
        top = module.split(".")[0]
        if dots == 0:
            assert top not in {"d2m_core", "nodes", "training", "tests"}, f"{module}: use dots"
            if path.name != "host.py":
                assert top not in HOST_MODULES - SCHEMA, f"{module}: only nodes/host.py may"
        elif dots == 2:
            assert top == "d2m_core", f"{module}: nodes know the core and each other"


@pytest.mark.parametrize("folder", ["training", "benchmarks"])
def test_tools_know_the_core_alone(folder: str) -> None:
    for path in sources(folder):
        for dots, module in imports(path):
            top = module.split(".")[0]
            assert top not in HOST_MODULES | {"nodes", "tests"}, f"{path.name}: {module}"
            assert dots < 2, f"{path.name}: {module}: import absolutely"


@pytest.mark.parametrize("folder", ["d2m_core", "nodes", "training", "benchmarks"])
def test_nobody_edits_the_search_path_or_pickles(folder: str) -> None:
    for path in sources(folder):
        assert "sys.path" not in path.read_text(encoding="utf-8"), path
        readers = {module for _, module in imports(path)} & {"pickle", "dill", "joblib"}
        assert not readers or path == ROOT / "training" / "pickles.py", path  # arrays only
