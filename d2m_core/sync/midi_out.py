"""MIDI clock, song position and notes to a port of `mido`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import SettingError, require
from .agenda import Agenda
from .messages import Message
from .ticks import TickClock

if TYPE_CHECKING:
    import mido

_SONG_UNITS_PER_BEAT = 4
"""Song position counts sixteenths."""
_SONG_MOST = 16383
_NOTE_S = 0.05
_BEAT_VELOCITY, _DOWNBEAT_VELOCITY = 80, 110


class Port(Protocol):
    """What is needed of a port of mido's; anything with these two will do."""

    def send(self, message: mido.Message) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class MidiSettings:
    """What goes out, and when."""

    clock: bool = True
    """24 ticks to a beat, start, stop, continue and song position."""
    notes: bool = False
    """A short note for every beat, downbeat and accent, and energy as a controller."""
    channel: int = 10
    """Of the notes, 1 to 16."""
    beat: int = 76
    downbeat: int = 77
    accent: int = 39
    """Note numbers: by General MIDI's drums a high and a low wood block, and a clap."""
    energy: int = 1
    """Number of the controller."""
    ahead_ms: float = 0.0
    """Everything leaves so long before it is heard, for receivers that are late; later where negative."""

    def __post_init__(self) -> None:
        require(1 <= self.channel <= 16, f"channel is {self.channel}; use 1 to 16.")
        for name in ("beat", "downbeat", "accent", "energy"):
            value = getattr(self, name)
            require(0 <= value <= 127, f"The MIDI number of {name} is {value}; use 0 to 127.")
        require(abs(self.ahead_ms) <= 500, f"ahead_ms is {self.ahead_ms:g}; use -500 to 500.")


class MidiSender:
    """Sends to a port, which it closes in the end.

    Args:
        port: One of mido's output ports, or `open_midi_port`'s.
        settings: See `MidiSettings`.
    """

    def __init__(self, port: Port, settings: MidiSettings | None = None) -> None:
        self.port, self.settings = port, settings or MidiSettings()
        self._ticks = TickClock()
        self._agenda: Agenda[mido.Message] = Agenda()
        self._sounding: set[int] = set()
        self._running = False

    @property
    def next_s(self) -> float:
        """When something is due, on the session's clock; infinity where nothing is."""
        ticks = self._ticks.next_s if self.settings.clock else math.inf
        return min(self._agenda.next_s, ticks) - self.settings.ahead_ms / 1000

    def tell(self, message: Message) -> None:
        """Takes note of what will happen; `send_until` sends it."""
        if self.settings.clock:
            self._tell_clock(message)
        if self.settings.notes:
            self._tell_notes(message)

    def send_until(self, now_s: float) -> None:
        """Sends all that is due by now."""
        until_s = now_s + self.settings.ahead_ms / 1000
        while True:
            ticks = self._ticks.next_s if self.settings.clock else math.inf
            queued = self._agenda.next_s
            if min(ticks, queued) > until_s:
                return
            # Start comes before the tick of the first beat; stop before the one at its moment.
            if queued <= ticks:
                self._send(self._agenda.take())
            else:
                self._ticks.take()
                self._send(_message("clock"))

    def close(self) -> None:
        """Stops the receiver, ends notes that still sound, and closes the port."""
        if self._running:
            self._send(_message("stop"))
        for note in sorted(self._sounding):
            self._send(_message("note_off", note=note, channel=self.settings.channel - 1))
        self.port.close()

    def _tell_clock(self, message: Message) -> None:
        if message.kind == "start":
            self._start(message)
        elif message.kind == "beat":
            self._ticks.beat(message.time_s, message.bpm)
        elif message.kind == "stop":
            self._agenda.add(message.time_s, _message("stop"))

    def _start(self, message: Message) -> None:
        beat = int(float(message.value))
        if beat <= 0:
            self._agenda.add(message.time_s, _message("start"))
            return
        place = min(beat * _SONG_UNITS_PER_BEAT, _SONG_MOST)
        self._agenda.add(message.time_s, _message("songpos", pos=place))
        self._agenda.add(message.time_s, _message("continue"))

    def _tell_notes(self, message: Message) -> None:
        own = self.settings
        if message.kind == "beat":
            self._note(message.time_s, own.beat, _BEAT_VELOCITY)
        elif message.kind == "downbeat":
            self._note(message.time_s, own.downbeat, _DOWNBEAT_VELOCITY)
        elif message.kind == "accent":
            self._note(message.time_s, own.accent, _seven_bits(message.value, least=1))
        elif message.kind == "energy":
            value = _seven_bits(message.value)
            control = _message("control_change", control=own.energy, value=value, channel=own.channel - 1)
            self._agenda.add(message.time_s, control)

    def _note(self, at_s: float, note: int, velocity: int) -> None:
        channel = self.settings.channel - 1
        self._agenda.add(at_s, _message("note_on", note=note, velocity=velocity, channel=channel))
        self._agenda.add(at_s + _NOTE_S, _message("note_off", note=note, channel=channel))

    def _send(self, message: mido.Message) -> None:
        if message.type == "note_on":
            self._sounding.add(message.note)
        elif message.type == "note_off":
            self._sounding.discard(message.note)
        elif message.type in ("start", "continue"):
            self._running = True
        elif message.type == "stop":
            self._running, self._ticks = False, TickClock()
        self.port.send(message)


def open_midi_port(name: str = "") -> Port:
    """A MIDI output of this machine whose name has `name` in it; without one, a new virtual port that others
    can listen to ("Dance to Music"; not on Windows).

    Raises `SettingError` where there is none like it, or python-rtmidi is missing.
    """
    import mido

    found = midi_ports()
    wanted = [port for port in found if name.lower() in port.lower()]
    try:
        if not name:
            return mido.open_output("Dance to Music", virtual=True)
        if wanted:
            return mido.open_output(wanted[0])
    except Exception as error:  # rtmidi's own, of which each system has others
        raise SettingError(f"The MIDI port cannot be opened ({error}); close who holds it.") from error
    raise SettingError(f"There is no MIDI port like {name!r}, only {_listed(found)}; name one of them.")


def midi_ports() -> list[str]:
    """The names of this machine's MIDI outputs. Raises `SettingError` where it has no MIDI at all."""
    import mido

    try:
        return list(mido.get_output_names())
    except ImportError as error:
        raise SettingError(
            'MIDI ports need python-rtmidi, which is not installed; run pip install "dance-to-music[live]" '
            "or pip install python-rtmidi."
        ) from error
    except Exception as error:  # rtmidi.SystemError where there is no ALSA
        raise SettingError(f"This machine has no MIDI ({error}); on Linux, load snd-seq.") from error


def _message(kind: str, **values: Any) -> mido.Message:
    import mido

    return mido.Message(kind, **values)


def _seven_bits(value: float | str, least: int = 0) -> int:
    """0..1 as 0..127."""
    return min(127, max(least, round(127 * float(value))))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) if names else "none"
