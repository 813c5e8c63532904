"""The band's raw material and its players' programs, as parts of what music is made of."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from d2m_core.band import Materials
from training.run.provenance import digest, file_sha256, fluidsynth_version, versions_of

_PACKAGES = ("mido", "numpy", "pyfluidsynth", "pyloudnorm", "scipy", "soxr")


@lru_cache
def checksums_of(materials: Materials) -> dict[str, Any]:
    """Checksums of all that the band may play with."""
    fonts = [{"name": path.name, "sha256": file_sha256(path)} for path in materials.soundfonts]
    folders = {"groove": materials.groove, "samples": materials.samples}
    digests = {key: None if path is None else digest(path) for key, path in folders.items()}
    return {"soundfonts": fonts, **digests}


@lru_cache
def band_of(materials: Materials) -> dict[str, Any]:
    """All beside plan and code that decides what the band sounds like here."""
    versions = {**versions_of(_PACKAGES), "fluidsynth": fluidsynth_version()}
    return {**checksums_of(materials), "held_out": materials.held_out, "versions": versions}
