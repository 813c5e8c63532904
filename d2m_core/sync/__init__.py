"""The beats told to other programs while they happen: MIDI clock and notes, OSC, Ableton Link.

`messages` is the table of what is told; `midi_out`, `osc_out` and `link_out` send it, `ticks` lays the
MIDI clock between beats, and `outputs` sends everything at its moment, from a thread or for a whole rhythm
at once.
"""

from .command import senders_of
from .link_out import LinkSender, open_link
from .messages import KINDS, Message, messages_of
from .midi_out import MidiSender, MidiSettings, midi_ports, open_midi_port
from .osc_out import OscSender, open_osc
from .outputs import Outputs, Sender, play
from .ticks import TICKS_PER_BEAT, TickClock

__all__ = [
    "KINDS",
    "TICKS_PER_BEAT",
    "LinkSender",
    "Message",
    "MidiSender",
    "MidiSettings",
    "OscSender",
    "Outputs",
    "Sender",
    "TickClock",
    "messages_of",
    "midi_ports",
    "open_link",
    "open_midi_port",
    "open_osc",
    "play",
    "senders_of",
]
