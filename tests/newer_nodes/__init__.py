"""The stock nodes that the tests' ComfyUI is too old for, as published, without a model.

A pack for ComfyUI that exists so that the page and the server can check our wiring against their
real inputs and outputs. `schema.json` says where these were looked up.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))


def _node(name: str, about: dict[str, Any]) -> type:
    def run(self: object, **inputs: Any) -> None:
        raise RuntimeError(f"{name}: the tests have its schema only.")

    return type(
        name.replace(".", "_"),
        (),
        {
            "INPUT_TYPES": classmethod(lambda cls: about["input"]),
            "RETURN_TYPES": tuple(about["output"]),
            "RETURN_NAMES": tuple(about["output_name"]),
            "FUNCTION": "run",
            "CATEGORY": "tests",
            "run": run,
        },
    )


STOCK = getattr(sys.modules.get("nodes"), "NODE_CLASS_MAPPINGS", {})
"""What the ComfyUI that runs has itself: that is taken, not what was looked up."""
NODE_CLASS_MAPPINGS = {
    name: _node(name, about) for name, about in SCHEMA["nodes"].items() if name not in STOCK
}
NODE_DISPLAY_NAME_MAPPINGS = {name: about["display_name"] for name, about in SCHEMA["nodes"].items()}
