"""Tempo and beats for Ableton Link, where several programs keep one beat over a network."""

from __future__ import annotations

from typing import Protocol

from ..errors import SettingError
from .agenda import Agenda
from .messages import Message

_KINDS = ("start", "beat", "tempo", "stop")
"""What Link has a word for."""
_MAKES_UP, _MOST_BENT = 0.5, 0.05
"""Such a share of what its beat is off is made up until the next one, by at most such a share of the tempo:
others in the session hear no leap."""
_NEAR_TEMPO = 1e-3
"""A tempo that differs by less than this share is not told again."""


class Session(Protocol):
    """What is needed of `aalink.Link`."""

    tempo: float
    playing: bool
    enabled: bool

    @property
    def beat(self) -> float: ...

    @property
    def num_peers(self) -> int: ...

    def force_beat(self, beat: float, /) -> None: ...


class LinkSender:
    """Leads a Link session: its tempo follows the dance, and so does its beat, without a leap.

    Alone in the session its first beat is ours at once; beside others theirs is drawn to ours over some
    beats. Their bars stay where they are.

    Args:
        session: Of aalink; see `open_link`.
        ahead_ms: As for the others.
    """

    def __init__(self, session: Session, ahead_ms: float = 0.0) -> None:
        self.session, self.ahead_ms = session, ahead_ms
        self._agenda: Agenda[Message] = Agenda()

    @property
    def next_s(self) -> float:
        """When something is due, on the session's clock; infinity where nothing is."""
        return self._agenda.next_s - self.ahead_ms / 1000

    def tell(self, message: Message) -> None:
        """Takes note of what will happen; `send_until` sends it."""
        if message.kind in _KINDS:
            self._agenda.add(message.time_s, message)

    def send_until(self, now_s: float) -> None:
        """Does all that is due by now."""
        until_s = now_s + self.ahead_ms / 1000
        for message in self._agenda.due(until_s):
            self._send(message, until_s - message.time_s)

    def close(self) -> None:
        """Leaves the session."""
        self.session.playing = False
        self.session.enabled = False

    def _send(self, message: Message, late_s: float) -> None:
        """Does what a message says, which was meant for so long ago."""
        if message.kind == "stop":
            self.session.playing = False
            return
        bpm = message.bpm or float(self.session.tempo)
        late = late_s * bpm / 60  # beats
        if message.kind == "start":
            self._tempo(bpm)
            if not self.session.num_peers:
                self.session.force_beat(float(message.value) + late)
            self.session.playing = True
        elif message.kind == "beat":
            off = (self.session.beat - late + 0.5) % 1.0 - 0.5  # beats that Link is ahead of us
            self._tempo(bpm * (1 - min(max(_MAKES_UP * off, -_MOST_BENT), _MOST_BENT)))
        else:
            self._tempo(bpm)

    def _tempo(self, bpm: float) -> None:
        if abs(bpm - self.session.tempo) > _NEAR_TEMPO * bpm:
            self.session.tempo = bpm


def open_link() -> Session:
    """Joins the Link session of this network, or opens one. Raises `SettingError` where aalink is missing."""
    import asyncio

    try:
        from aalink import Link
    except ImportError as error:
        raise SettingError(
            "Ableton Link needs aalink (GPL-3.0-or-later), which is not installed; run pip install aalink."
        ) from error

    async def join() -> Session:
        return Link(120.0)

    session = asyncio.run(join())  # it wants a loop, which only its waiting for beats would use
    session.enabled = True
    return session
