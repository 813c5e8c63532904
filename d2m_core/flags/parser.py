"""The parser of `python -m d2m_core`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..styles import STYLES
from .groups import add_band, add_dance, add_edits, add_extras, add_files, add_music, add_rhythm, add_sound

EPILOG = f"""\
styles of the default model: {", ".join(STYLES[:7])},
{", ".join(STYLES[7:])}

examples:
  python -m d2m_core dance.mp4 -o dance_with_music.mp4
  python -m d2m_core dance.mp4 -o house.wav --style house --tempo 122 --seed 3
  python -m d2m_core duo.mp4 -o out.mp4 --dancer most_active --keep-original-audio 0.3
  python -m d2m_core dance.mp4 -o band.mp4 --band --style funk --stems stems --midi band.mid
  python -m d2m_core dance.mp4 -o out.mp4 --seed 3 --repaint "bars 3-4" --repair "2-2.6 mirror left arm"
  python -m d2m_core dance.mp4 -o out.mp4 --half --shift 40 --ending fade --overlay seen.mp4

The output's suffix decides what is written: .mp4, .mov and .mkv hold the clip with the music, .wav,
.flac, .mp3, .opus and .m4a the music alone. The clip's picture stays untouched; where it cannot be
copied it is coded again (see --recode). The same clip, settings and seed give the same music on the
same device. What is doubtful about a result is said on standard error, and stands in the JSON.
Exit status: 0 done, 1 errors that a sentence each on standard error explains, before any work where
that can be, 2 flags that are not understood, 130 stopped by Ctrl-C."""


def build_parser() -> argparse.ArgumentParser:
    """All flags; what they come to is checked by `settings_of` and where the files are opened."""
    parser = argparse.ArgumentParser(
        prog="python -m d2m_core",
        description="Turn a video of someone dancing into music in time with the dance.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("clip", type=Path, help="video of a dance; any length of 1 s and more, size and frame rate")
    add("-o", "--out", type=Path, required=True, help="file to write; see below")
    add_dance(parser.add_argument_group("dance"))
    add_rhythm(parser.add_argument_group("rhythm"))
    add_music(parser.add_argument_group("music"))
    add_edits(parser.add_argument_group("edits"))
    add_band(parser.add_argument_group("band"))
    add_sound(parser.add_argument_group("sound"))
    add_files(parser.add_argument_group("weights and device"))
    add_extras(parser.add_argument_group("also write"))
    add("--json", action="store_true", help="print what was found as JSON on standard output")
    add("-q", "--quiet", action="store_true", help="no progress")
    return parser
