"""`manifest.json`: what a data set was made with and from; the guard against mixing two of them.

It is written when a data set is begun, with all that decides what the pairs will be, and again when
it is finished, with counts, checksums and the licences of every source that went in. All of that
comes from the shards, so a run that was killed and went on writes the same as one that was not.
"""

from __future__ import annotations

from typing import Any

from training.pairs.manifest import Origin
from training.run.provenance import ROOT, digest, file_sha256, fluidsynth_version, versions_of

from .settings import PairSettings

_PACKAGES = (
    "av",
    "mido",
    "numpy",
    "opencv-contrib-python",
    "pyfluidsynth",
    "pyloudnorm",
    "safetensors",
    "scipy",
    "soxr",
    "torch",
)
_CODE = ("training/studio", "d2m_core/grid.py", "d2m_core/types.py")


def origin_of(settings: PairSettings, seed: int, per_shard: int) -> Origin:
    """The origin of pairs that are made here and now."""
    plain = {key: value for key, value in vars(settings).items() if key != "materials"}
    del plain["made_by"]
    plain |= {"styles": list(settings.styles), "held_out": settings.materials.held_out}
    versions = versions_of(_PACKAGES)
    if (synth := fluidsynth_version()) is not None:
        versions["fluidsynth"] = synth
    return Origin(
        {**plain, "seed": seed, "per_shard": per_shard}, _materials(settings), studio_code(), versions
    )


def studio_code() -> str:
    """A checksum of all source that decides what pairs are like."""
    files = []
    for place in _CODE:
        path = ROOT / place
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        files += [p for p in found if p.is_file() and p.suffix in (".py", ".json")]
    return digest(*files)[:16]


def _materials(settings: PairSettings) -> dict[str, Any]:
    given = settings.materials
    fonts = [{"name": path.name, "sha256": file_sha256(path)} for path in given.soundfonts]
    folders = {"groove": given.groove, "samples": given.samples}
    digests = {key: None if path is None else digest(path) for key, path in folders.items()}
    return {"soundfonts": fonts, **digests}
