"""All senders together, on one clock: a thread that sends each thing at its moment."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from .messages import Message

log = logging.getLogger(__name__)

_LONGEST_WAIT_S = 0.05
"""The session's clock may run otherwise than the machine's: it is looked at so often at least."""
_BUSY_S = 0.001
"""Nearer than this the thread does not sleep: a system may wake it that late."""


class Sender(Protocol):
    """Where messages go: `MidiSender`, `OscSender`, `LinkSender`."""

    @property
    def next_s(self) -> float: ...

    def tell(self, message: Message) -> None: ...

    def send_until(self, now_s: float) -> None: ...

    def close(self) -> None: ...


class Outputs:
    """Sends messages at the moments at which they are heard, from a thread of its own.

    Args:
        senders: Closed together with this.
        now_s: The session's clock: seconds since its start, of what is heard now.

    A sender that fails (a port that was pulled out) is left out from then on, and a warning says so;
    the music and the others go on.
    """

    def __init__(self, senders: Sequence[Sender], now_s: Callable[[], float]) -> None:
        self._senders, self._now_s = list(senders), now_s
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="d2m-sync", daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        """Tells all senders of what will happen at `message.time_s`; returns at once."""
        with self._news:
            self._each(lambda sender: sender.tell(message))
            self._news.notify()

    def close(self) -> None:
        """Stops the thread and closes all senders; what was due later is not sent."""
        with self._news:
            if self._ended:
                return
            self._ended = True
            self._news.notify()
        self._thread.join()
        self._each(lambda sender: sender.close())

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _run(self) -> None:
        with self._news:
            while not self._ended:
                now_s = self._now_s()
                self._each(lambda sender, now_s=now_s: sender.send_until(now_s))  # type: ignore[misc]
                next_s = min((sender.next_s for sender in self._senders), default=math.inf)
                wait_s = min(next_s - self._now_s(), _LONGEST_WAIT_S) - _BUSY_S
                self._news.wait(max(wait_s, 0.0))

    def _each(self, work: Callable[[Sender], None]) -> None:
        for sender in list(self._senders):
            try:
                work(sender)
            except Exception as error:  # whatever a driver raises: the music goes on
                self._senders.remove(sender)
                log.warning("%s sends no more: %s", type(sender).__name__, error)


def play(
    messages: Iterable[Message],
    senders: Sequence[Sender],
    on_message: Callable[[Message], None] | None = None,
    lead_s: float = 1.0,
) -> None:
    """Sends a whole list in time, beginning now, and returns after its last message.

    `on_message` hears of each a second before it is due (`lead_s`), and may raise to stop.
    """
    began = time.monotonic() + lead_s

    def now_s() -> float:
        return time.monotonic() - began

    last_s = 0.0
    with Outputs(senders, now_s) as outputs:
        for message in messages:
            while message.time_s - lead_s > now_s():
                time.sleep(min(0.05, max(0.0, message.time_s - lead_s - now_s())))
            if on_message is not None:
                on_message(message)
            outputs.send(message)
            last_s = max(last_s, message.time_s)
        while now_s() < last_s + 0.1:
            time.sleep(0.02)
