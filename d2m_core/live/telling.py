"""What a live band plays, told to other programs: the messages of `sync`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..sync import Message
from .session import Heard

_TEMPO_SHARE = 0.005
"""A tempo that differs by less than this share is the same one."""


class Teller:
    """Makes messages of what is heard.

    Args:
        send: Is given every message.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._bpm, self._bar = 0.0, 0

    def tell(self, heard: Heard) -> None:
        """Sends what one thing that is heard means to others."""
        for message in self._messages(heard):
            self._send(message)

    def _messages(self, heard: Heard) -> Iterator[Message]:
        at_s, number = heard.time_s, round(heard.beat)
        if heard.kind == "start":
            self._bar = 0
            yield Message("start", at_s, number, heard.bpm)
        elif heard.kind == "beat":
            if abs(heard.bpm - self._bpm) > _TEMPO_SHARE * heard.bpm:
                self._bpm = heard.bpm
                yield Message("tempo", at_s, round(heard.bpm, 3), heard.bpm)
            yield Message("beat", at_s, number, heard.bpm)
            if heard.value == 0:
                yield Message("downbeat", at_s, number)
                yield Message("bar", at_s, self._bar)
                self._bar += 1
        elif heard.kind == "section":
            yield Message("section", at_s, heard.name)
        elif heard.kind == "end":
            yield Message("stop", at_s)
        else:
            yield Message({"hit": "accent", "energy": "energy"}[heard.kind], at_s, round(heard.value, 3))
