"""The weights that come with the project, and where they lie."""

from __future__ import annotations

from pathlib import Path

from .errors import ModelError, SettingError

WEIGHTS = {
    "model": "model.safetensors",
    "rhythm": "rhythm.safetensors",
    "style": "style.safetensors",
    "ear": "ear.safetensors",
}
"""Our own networks: names in the repository's `weights` folder; codecs are `EMBEDDED_FOLDERS`."""


def default_weights(kind: str) -> Path:
    """The weights that come with the project: `kind` is a key of `WEIGHTS`. Raises `ModelError`."""
    if kind not in WEIGHTS:
        raise SettingError(f"There are no weights called {kind!r}; choose {', '.join(WEIGHTS)}.")
    path = Path(__file__).resolve().parent.parent / "weights" / WEIGHTS[kind]
    if not path.exists():
        raise ModelError(f"The {kind} weights are missing at {path}; get the repository again.")
    return path


EMBEDDED = "d2m-3"
"""The codec that the default model writes for."""

EMBEDDED_FOLDERS = {EMBEDDED: "codec_3", "d2m-2": "codec_2"}
"""Codecs whose weights come with this repository, and where in `weights/` they lie; models of 0.2 and 0.3
write for d2m-2."""

ON_STEPS = (EMBEDDED,)
"""Codecs made for music in straight time (`d2m_core.straight`)."""

GONE = {"d2m": "0.1.x"}
"""Codecs that earlier versions came with, and which ones."""


def who_reads(name: str) -> str:
    """What to say beside an error about a codec that no longer comes with us; empty for any other."""
    if name not in GONE:
        return ""
    return f" Codec {name} no longer comes with this version; version {GONE[name]} reads it and its models."


def weights_folder(name: str = EMBEDDED) -> Path:
    """Where a codec of `EMBEDDED_FOLDERS` lies. Raises `ModelError` for one that is missing or `GONE`."""
    if name in GONE:
        raise ModelError(f"{who_reads(name).strip()} Choose {EMBEDDED} and the default model.")
    path = Path(__file__).resolve().parent.parent / "weights" / EMBEDDED_FOLDERS[name]
    if not path.exists():
        raise ModelError(f"The codec weights are missing at {path}; get the repository again.")
    return path
