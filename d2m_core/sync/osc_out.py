"""Messages as OSC over UDP: `/d2m/beat 12 118.5` and the like."""

from __future__ import annotations

from typing import Any, Protocol

from ..errors import SettingError
from .agenda import Agenda
from .messages import KINDS, Message

PREFIX = "/d2m"
DEFAULT_PORT = 9000
_WHOLE = ("start", "beat", "downbeat", "bar")
"""Kinds whose value is a whole number."""
_WITH_TEMPO = ("start", "beat")
"""Kinds that tell the tempo behind their value."""


class Client(Protocol):
    """What is needed of python-osc's `SimpleUDPClient`."""

    def send_message(self, address: str, value: Any) -> None: ...

    def close(self) -> None: ...


class OscSender:
    """Sends each message when it is heard, or `ahead_ms` before.

    Args:
        client: Of python-osc; see `open_osc`.
        ahead_ms: For receivers that are late; negative for those that are early.
    """

    def __init__(self, client: Client, ahead_ms: float = 0.0) -> None:
        self.client, self.ahead_ms = client, ahead_ms
        self._agenda: Agenda[Message] = Agenda()

    @property
    def next_s(self) -> float:
        """When something is due, on the session's clock; infinity where nothing is."""
        return self._agenda.next_s - self.ahead_ms / 1000

    def tell(self, message: Message) -> None:
        """Takes note of what will happen; `send_until` sends it."""
        self._agenda.add(message.time_s, message)

    def send_until(self, now_s: float) -> None:
        """Sends all that is due by now."""
        until_s = now_s + self.ahead_ms / 1000
        for message in self._agenda.due(until_s):
            self.client.send_message(*osc_of(message))

    def close(self) -> None:
        """Lets the socket go."""
        self.client.close()


def osc_of(message: Message) -> tuple[str, list[int | float | str]]:
    """Address and arguments of a message."""
    assert message.kind in KINDS
    values: list[int | float | str] = []
    if message.kind in _WHOLE:
        values = [int(float(message.value))]
    elif message.kind == "section":
        values = [str(message.value)]
    elif message.kind != "stop":
        values = [float(message.value)]
    if message.kind in _WITH_TEMPO:
        values.append(float(message.bpm))
    return f"{PREFIX}/{message.kind}", values


def open_osc(place: str) -> Client:
    """A client for `host:port`, `host` or `:port`.

    Raises `SettingError` for other words, and where python-osc is missing.
    """
    host, _, port = place.partition(":")
    if port and not port.isdigit():
        raise SettingError(f"The OSC address is {place!r}; write it as 127.0.0.1:{DEFAULT_PORT}.")
    try:
        from pythonosc.udp_client import SimpleUDPClient
    except ImportError as error:
        raise SettingError(
            'OSC needs python-osc, which is not installed; run pip install "dance-to-music[live]" or '
            "pip install python-osc."
        ) from error
    try:
        return SimpleUDPClient(host or "127.0.0.1", int(port or DEFAULT_PORT))
    except OSError as error:
        raise SettingError(f"OSC cannot be sent to {place!r} ({error}); check host and port.") from error
