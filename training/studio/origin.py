"""`manifest.json`: what a data set was made with and from; the guard against mixing two of them.

It is written when a data set is begun, with all that decides what the pairs will be, and again when
it is finished, with counts, checksums and the licences of every source that went in. All of that
comes from the shards, so a run that was killed and went on writes the same as one that was not.
"""

from __future__ import annotations

from training.pairs.manifest import Origin
from training.pairs.shards import write_shard
from training.run.provenance import code_of, fluidsynth_version, versions_of

from .materials import checksums_of
from .pairs import make_pair
from .settings import PairSettings

_PACKAGES = (
    *"av mido numpy opencv-contrib-python pyfluidsynth".split(),
    *"pyloudnorm safetensors scipy soxr torch".split(),
)


def origin_of(settings: PairSettings, seed: int, per_shard: int) -> Origin:
    """The origin of pairs that are made here and now."""
    plain = {key: value for key, value in vars(settings).items() if key != "materials"}
    del plain["made_by"]
    plain |= {"styles": list(settings.styles), "held_out": settings.materials.held_out}
    versions = versions_of(_PACKAGES)
    if (synth := fluidsynth_version()) is not None:
        versions["fluidsynth"] = synth
    plain |= {"seed": seed, "per_shard": per_shard}
    return Origin(plain, checksums_of(settings.materials), studio_code(), versions)


def studio_code() -> str:
    """A checksum of all source that decides what pairs are like."""
    return code_of(make_pair, write_shard)
