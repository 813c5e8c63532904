"""The flags of `python -m d2m_core.live`. Needs no PyTorch: help comes at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..settings import ANY
from ..styles import STYLES

PLAYERS = ("band", "transformer")

_EPILOG = f"""\
styles: {", ".join(STYLES[:7])},
{", ".join(STYLES[7:])}

examples:
  python -m d2m_core.live --camera 0 --style house
  python -m d2m_core.live --camera 0 --record evening.mp4
  python -m d2m_core.live --video dance.mp4 --style funk --seed 3
  python -m d2m_core.live --camera 0 --player transformer --style techno
  python -m d2m_core.live --video dance.mp4 --fast --record dance_live.mp4

Stand so that the whole body is in the picture, and dance: after some five seconds the band begins. Stand
still, and it ends on the bar. q in the window, or Ctrl-C, ends the session; a recording is then written.
Exit status: 0 done, 1 an error that a sentence on standard error explains, 2 flags that are not
understood, 130 stopped by Ctrl-C."""


def build_parser() -> argparse.ArgumentParser:
    """All flags."""
    parser = argparse.ArgumentParser(
        prog="python -m d2m_core.live",
        description="Dance, and a band plays along while you do.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--camera", type=int, metavar="N", help="watch this camera; 0 is the first")
    source.add_argument("--video", type=Path, help="watch a film of a dance as if it happened now")
    add("--style", default=ANY, help=f"style of the music, or {ANY}: one that suits the tempo [%(default)s]")
    add(
        "--player",
        choices=PLAYERS,
        default=PLAYERS[0],
        help="who plays: a band, or the model, which writes as you dance [%(default)s]",
    )
    add("--model", type=Path, metavar="FILE", help="with --player transformer: its checkpoint (.safetensors)")
    add("--codec", metavar="FOLDER", help="with --player transformer: its codec")
    add("--seed", type=int, default=0, help="another seed, another band [%(default)s]")
    add("--key", default=ANY, help='of the music: any, or as in "A minor", F#m [%(default)s]')
    add(
        "--latency-ms",
        type=float,
        default=0.0,
        metavar="MS",
        help="so much later than the computer knows do your loudspeakers sound; music comes that much "
        "earlier [%(default)s]",
    )
    add(
        "--record",
        type=Path,
        metavar="FILE",
        help="also write the film with the music as heard, or (.wav, .flac, .mp3, .m4a) the music alone",
    )
    add("--device", help="sound device, by number or a part of its name; the usual one if not given")
    add("--mute", action="store_true", help="play to nobody, as for a recording")
    add("--no-window", action="store_true", help="show nothing")
    add("--fast", action="store_true", help="with --video and --record: as fast as can be, and repeatable")
    add("--midi", metavar="PORT", help="tell the beats to this MIDI port, as clock")
    add("--midi-notes", action="store_true", help="with --midi: as notes too")
    add("--osc", metavar="HOST:PORT", help="tell beats, accents and energy by OSC")
    add("--link", action="store_true", help="lead an Ableton Link session")
    add(
        "--calibrate",
        action="store_true",
        help="find --latency-ms: clap with twelve clicks before the camera",
    )
    add("--seconds", type=float, metavar="S", help="end after so long")
    add("-q", "--quiet", action="store_true", help="say nothing but errors")
    return parser
