"""Where the band's raw material lies: soundfonts, drummers' MIDI, one-shots; and their licences."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import SettingError

SOUNDFONT_PLACES = (
    "/usr/share/sounds/sf3/MuseScore_General_Full.sf3",
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
)
"""Where Debian's packages put soundfonts whose licence is MIT."""

LICENCES = {
    "MuseScore_General_Full.sf3": "MIT",
    "MuseScore_General.sf3": "MIT",
    "MuseScore_General_Lite.sf3": "MIT",
    "FluidR3_GM.sf2": "MIT",
    "groove": "CC BY 4.0",
    "samples": "CC0",
    "synth": "MIT",
}
"""By soundfont, or by what a source's name starts with."""

UNKNOWN_LICENCE = "unknown: given by path"
RESERVED_SHARE = 10
"""One name in so many is kept for measuring."""


@dataclass(frozen=True)
class Materials:
    """What the band may use; every part is optional, and without any it plays its own synths."""

    soundfonts: tuple[Path, ...] = ()
    groove: Path | None = None
    """Folder of the Groove MIDI Dataset: `info.csv` and MIDI files."""
    samples: Path | None = None
    """Folder of one-shots and loops (FLAC or WAV), named as the Sonic Pi set."""
    held_out: bool = False
    """Plays the reserved tenth of samples and grooves, which nothing else ever plays."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Kinds of raw material that are not given."""
        kinds = {"soundfont": self.soundfonts, "groove": self.groove, "samples": self.samples}
        return tuple(kind for kind, given in kinds.items() if not given)


def find_materials(
    soundfonts: tuple[Path, ...] = (), groove: Path | None = None, samples: Path | None = None
) -> Materials:
    """The given paths, checked; without a soundfont, those installed from packages."""
    for path in (*soundfonts, groove, samples):
        if path is not None and not path.exists():
            raise SettingError(f"{path} does not exist; give a path that does, or leave it out.")
    installed = tuple(Path(p).resolve() for p in SOUNDFONT_PLACES if Path(p).exists())
    return Materials(soundfonts or tuple(dict.fromkeys(installed)), groove, samples)


@lru_cache(maxsize=1)
def installed_materials() -> Materials:
    """What the band finds on this machine without being told."""
    return find_materials()


def reserved(name: str) -> bool:
    """Whether a sample or groove of this name is kept for measuring."""
    return int(hashlib.sha1(name.encode()).hexdigest()[:8], 16) % RESERVED_SHARE == 0


def allowed(names: tuple[str, ...], held_out: bool) -> tuple[str, ...]:
    """Those of `names` that may be played; held out, the reserved ones, or all if none is."""
    if not held_out:
        return tuple(name for name in names if not reserved(name))
    return tuple(name for name in names if reserved(name)) or names


def licences_of(sources: tuple[str, ...]) -> dict[str, str]:
    """The licence of every source that a song names."""
    return {
        source: LICENCES.get(source, LICENCES.get(source.split("/")[0], UNKNOWN_LICENCE))
        for source in sources
    }
