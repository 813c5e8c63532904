"""Small fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import media


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """`make_clip(name="clip.mp4", **settings)`: a small clip, see `tests.media`."""

    def make(name: str = "clip.mp4", **settings: Any) -> Path:
        return media.make_clip(tmp_path / name, **settings)

    return make
