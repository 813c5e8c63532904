"""A runner of `peaks`: a clip to music, with the most memory of every stage."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from side_by_side import answer_each_line

from d2m_core.pipeline import dance_to_music, load_models

_CLEAR = "5"
"""Written to Linux's `clear_refs`: the peak starts anew."""


def _peak_mib() -> float:
    """The most resident memory since this was asked last."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text(_CLEAR, encoding="ascii")
    return peak / 1024


def main() -> None:
    settings = json.loads(sys.argv[1])
    found = {"imports": _peak_mib()}
    models = load_models(device="cpu")
    found["models"] = _peak_mib()

    def once() -> dict[str, float]:
        peaks, now = dict(found), ["start"]

        def follow(stage: str, _done: int, _total: int) -> None:
            if stage != now[0]:
                peaks[f"until {stage}"] = _peak_mib()
                now[0] = stage

        dance_to_music(settings["clip"], models, on_progress=follow)
        return peaks | {"until the end": _peak_mib()}

    answer_each_line(once)


if __name__ == "__main__":
    main()
