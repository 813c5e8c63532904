"""The weights that come with the project."""

from __future__ import annotations

import pytest

from d2m_core.errors import SettingError
from d2m_core.weights import EMBEDDED_FOLDERS, WEIGHTS, default_weights, weights_folder


def test_what_the_project_names_is_there() -> None:
    assert all(default_weights(kind).is_file() for kind in WEIGHTS)
    assert all((weights_folder(name) / "config.json").is_file() for name in EMBEDDED_FOLDERS)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(SettingError, match="choose model, rhythm"):
        default_weights("lyrics")
