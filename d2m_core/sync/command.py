"""`python -m d2m_core.sync FILE`: the beats of a dance clip, a MIDI file or a list, sent out in time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ..errors import D2MError, MediaError, SettingError
from ..grid import tempo_of
from ..midi import midi_sections, open_midi, rhythm_from_midi
from ..pipeline import read_dance
from ..rhythm import load_rhythm, parse_beats
from ..settings import DanceSettings
from ..types import METRE, MOTION_FPS, RHYTHM_CURVES, Rhythm
from ..weights import default_weights
from .link_out import LinkSender, open_link
from .messages import KINDS, Message, messages_of
from .midi_out import MidiSender, MidiSettings, midi_ports, open_midi_port
from .osc_out import DEFAULT_PORT, OscSender, open_osc
from .outputs import Sender, play

_MIDI_ENDINGS, _LIST_ENDING = (".mid", ".midi"), ".txt"


def main(argv: list[str] | None = None) -> int:
    """The command line: its exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.list_ports:
            sys.stdout.write("".join(f"{name}\n" for name in midi_ports()))
            return 0
        messages = _messages(args.file)
        senders = senders_of(args.midi, args.notes, args.osc, args.ahead_ms, args.link)
        if not senders:
            raise SettingError("Nobody is told; give --osc HOST:PORT, --midi PORT, --midi-virtual or --link.")
        play(messages, senders, _said if args.verbose else None)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    return 0


def senders_of(
    midi: str | None = None,
    notes: bool = False,
    osc: str | None = None,
    ahead_ms: float = 0.0,
    link: bool = False,
) -> list[Sender]:
    """Senders for what was asked.

    Args:
        midi: Part of a port's name; "" makes a virtual port; None sends no MIDI.
        notes: Whether MIDI has notes too.
        osc: `host:port`; None sends no OSC.
        ahead_ms: See `MidiSettings`.
        link: Whether to lead an Ableton Link session.

    Raises `SettingError`.
    """
    found: list[Sender] = []
    if osc is not None:
        found.append(OscSender(open_osc(osc), ahead_ms))
    if midi is not None:
        settings = MidiSettings(notes=notes, ahead_ms=ahead_ms)
        found.append(MidiSender(open_midi_port(midi), settings))
    if link:
        found.append(LinkSender(open_link(), ahead_ms))
    return found


def _messages(path: Path | None) -> list[Message]:
    """What there is to tell of a file."""
    if path is None:
        raise SettingError("Nothing is played; name a dance clip, a MIDI file or a list of beats.")
    ending = path.suffix.lower()
    if ending in _MIDI_ENDINGS:
        midi = open_midi(path)
        sections = [(section.start_s, section.name) for section in midi_sections(midi)]
        return messages_of(rhythm_from_midi(midi), sections)
    if ending == _LIST_ENDING:
        return messages_of(_listed(path))
    net = load_rhythm(default_weights("rhythm"))
    return messages_of(read_dance(path, net, DanceSettings(), None, True, None).rhythm)


def _listed(path: Path) -> Rhythm:
    """The rhythm of a list of beats, without accents and energy."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"{path.name} cannot be read ({error}); check the path.") from error
    beats, marks = parse_beats(text)
    if len(beats) < 2:
        raise SettingError(f"{path.name} has {len(beats)} beat; a tempo needs at least two.")
    downbeats = np.arange(len(beats)) % METRE == 0 if marks is None else marks
    frames = int(np.ceil((beats[-1] + 60 / tempo_of(beats)) * MOTION_FPS))
    silent = np.zeros((frames, len(RHYTHM_CURVES)), np.float32)
    return Rhythm(beats, downbeats, silent, tempo_of(beats))


def _said(message: Message) -> None:
    sys.stderr.write(f"{message.time_s:8.3f}  {message.kind:9}{message.value}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m d2m_core.sync",
        description="Sends the beats of FILE in time, beginning at once: " + ", ".join(KINDS) + ".",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, help="a dance clip, a MIDI file (.mid), or a list of beats (.txt)"
    )
    parser.add_argument("--osc", metavar="HOST:PORT", help=f"send OSC there, e.g. 127.0.0.1:{DEFAULT_PORT}")
    parser.add_argument("--midi", metavar="PORT", help="send MIDI clock to the port with this in its name")
    parser.add_argument(
        "--midi-virtual", dest="midi", action="store_const", const="", help="a new port (not on Windows)"
    )
    parser.add_argument("--link", action="store_true", help="lead an Ableton Link session")
    parser.add_argument("--notes", action="store_true", help="MIDI notes for beats and accents too")
    parser.add_argument(
        "--ahead-ms", type=float, default=0.0, help="send so long before the moment, for late receivers"
    )
    parser.add_argument("--list-ports", action="store_true", help="name the MIDI ports of this machine")
    parser.add_argument("--verbose", action="store_true", help="write what is sent")
    return parser
