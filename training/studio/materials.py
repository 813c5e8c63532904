"""Where the band's raw material lies: soundfonts, drummers' MIDI, one-shots; and their licences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from d2m_core.errors import SettingError

SOUNDFONT_PLACES = (
    "/usr/share/sounds/sf3/MuseScore_General_Full.sf3",
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
)
"""Where Debian's packages put soundfonts whose licence is MIT."""

LICENCES = {
    "MuseScore_General_Full.sf3": "MIT", "MuseScore_General.sf3": "MIT", "FluidR3_GM.sf2": "MIT",
    "groove": "CC BY 4.0", "samples": "CC0", "synth": "MIT",
}  # fmt: skip


@dataclass(frozen=True)
class Materials:
    """What the band may use; every part is optional, and without any it plays its own synths."""

    soundfonts: tuple[Path, ...] = ()
    groove: Path | None = None
    """Folder of the Groove MIDI Dataset: `info.csv` and MIDI files."""
    samples: Path | None = None
    """Folder of one-shots and loops (FLAC or WAV), named as the Sonic Pi set."""


def find_materials(
    soundfonts: tuple[Path, ...] = (), groove: Path | None = None, samples: Path | None = None
) -> Materials:
    """The given paths, checked; without a soundfont, those installed from packages."""
    for path in (*soundfonts, groove, samples):
        if path is not None and not path.exists():
            raise SettingError(f"{path} does not exist; give a path that does, or leave it out.")
    installed = tuple(Path(p).resolve() for p in SOUNDFONT_PLACES if Path(p).exists())
    return Materials(soundfonts or tuple(dict.fromkeys(installed)), groove, samples)
