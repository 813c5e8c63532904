"""Small fixtures that several tests share.

With D2M_NO_TORCHAUDIO set, nothing in the run can import torchaudio, as in a ComfyUI without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest

from tests import media


class NoTorchaudio(MetaPathFinder):
    """Finds torchaudio nowhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "torchaudio":
            raise ModuleNotFoundError(f"No module named {name!r} (D2M_NO_TORCHAUDIO)", name=name)


if os.environ.get("D2M_NO_TORCHAUDIO"):
    sys.meta_path.insert(0, NoTorchaudio())


@pytest.fixture(scope="session", autouse=True)
def _no_poses_of_yesterday(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the command line keeps of clips lies in a folder of this run."""
    os.environ["D2M_CACHE"] = str(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """`make_clip(name="clip.mp4", **settings)`: a small clip, see `tests.media`."""

    def make(name: str = "clip.mp4", **settings: Any) -> Path:
        return media.make_clip(tmp_path / name, **settings)

    return make
