"""What is loaded before anything is asked for: the command line and ComfyUI's list of nodes start fast.

Modules are counted, not seconds: those are the same on every machine.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .test_imports import ROOT, imports, module_of, sources

LATE = {
    *"scipy.signal scipy.ndimage scipy.interpolate scipy.optimize scipy.sparse scipy.stats".split(),
    *"librosa numba llvmlite sklearn transformers mediapipe cv2 matplotlib".split(),
    *"mir_eval huggingface_hub soxr soundfile pandas torchaudio torchvision sounddevice".split(),
}
"""Loaded by who uses them. `scipy` itself is light and loads its parts when they are read."""

SHARED = {"torch", "numpy", "av", "safetensors", "scipy", "tqdm", "cython_runtime"}
"""What may be there from the start, beside the standard library."""


def loaded_by(*modules: str) -> set[str]:
    """Names of all modules that a fresh Python has loaded after importing these, without torch's own."""
    code = (
        "import json, sys; import torch, torch.nn.functional; before = set(sys.modules)\n"
        f"for name in {list(modules)!r}: __import__(name)\n"
        "sys.stdout.write(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def of_the_nodes() -> list[str]:
    """The core's modules that the node files import."""
    found = {
        each.target
        for path in sources("nodes")
        for each in imports(path)
        if each.module.startswith("d2m_core")
    }
    return sorted(found)


@pytest.mark.parametrize("who", ["command line", "nodes"])
def test_heavy_libraries_wait_until_they_are_used(who: str) -> None:
    loaded = loaded_by("d2m_core.cli") if who == "command line" else loaded_by(*of_the_nodes())
    assert "d2m_core.music.sampling" in loaded, "the chain is there"
    assert not loaded & LATE, f"{who} loads {sorted(loaded & LATE)} at once; import them where they are used"
    foreign = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names - SHARED - {"d2m_core"}
    assert not {name for name in foreign if not name.startswith("_")}, (
        "a new library at the start: is it light?"
    )


def test_node_files_import_nothing_heavy_themselves() -> None:
    for path in sources("nodes"):
        for each in imports(path):
            heavy = {each.module, each.module.split(".")[0]} & LATE
            assert each.in_function or not heavy, f"{module_of(path)}:{each.line} imports {heavy}"
