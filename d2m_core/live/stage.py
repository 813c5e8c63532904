"""A session in real time: pictures, poses, thoughts and sound, each in a thread of its own."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import MediaError
from ..media import Frame
from ..pose.landmarker import Body
from .session import LiveSettings
from .sinks import Sink
from .sources import Newest
from .watching import LOOK_EVERY_S

_SWITCH_S = 0.001
"""Python changes threads so often: at its usual 5 ms, sound would wait for thoughts."""
_SHORT_S, _GIVES_WAY_S = 0.045, 0.1
"""Where less sound than this is ready, a picture waits for it, at most so long: on a machine that is too slow
fewer pictures are looked at before there are gaps."""
_AFTER_S = 8.0
"""After the last picture music has at most so long to end: standing still, a bar, a last chord that rings."""


class Source(Protocol):
    """Where pictures come from."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Pictures at their time, until `stop` is set."""


class Sees(Protocol):
    """Finds the dancer."""

    note: str

    def see(self, rgb: np.ndarray, time_s: float) -> Body | None:
        """The person followed in a picture; None where not seen."""


class Plays(Protocol):
    """Makes sound of what is seen; `Session` is one."""

    @property
    def settings(self) -> LiveSettings:
        """Its `latency_ms` is made up for."""

    @property
    def playing(self) -> bool:
        """Whether there is music now."""

    def see(self, time_s: float, body: Body | None) -> None:
        """Who is seen at a moment, None for nobody."""

    def think(self) -> None:
        """Makes of what was seen what sounds next."""

    def render(self, heard_s: float) -> np.ndarray:
        """The next block, float32 [2, n], heard from a moment on."""


@dataclass(frozen=True)
class Report:
    """How a session went."""

    seconds: float
    pictures: int
    looked_at: int
    """Those that were newest when somebody had time to look."""
    drops: int
    """How often the sound had a gap."""
    cpu_share: float
    """Seconds of one core per second."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to look at."""

    frame: Frame
    body: Body | None


class Stage:
    """Runs a session until its pictures are over or somebody stops it.

    Args:
        kept: Is given every block and when it is heard, as for a recording.
        pictured: Is given every picture, as for a recording.
    """

    def __init__(
        self,
        session: Plays,
        source: Source,
        eyes: Sees,
        sink: Sink,
        kept: Callable[[float, np.ndarray], None] | None = None,
        pictured: Callable[[Frame], None] | None = None,
    ) -> None:
        self._session, self._source, self._eyes, self._sink = session, source, eyes, sink
        self._kept, self._pictured = kept, pictured
        self._newest = Newest()
        self._stop, self._over = threading.Event(), threading.Event()
        self._begun = threading.Event()
        self._zero_s = self._last_s = 0.0
        self._errors: list[BaseException] = []
        self.shown: Shown | None = None
        """The last picture that was looked at."""

    @property
    def note(self) -> str:
        """A sentence about who is followed."""
        return self._eyes.note

    @property
    def seconds(self) -> float:
        """Since the first picture."""
        return self._now_s() if self._begun.is_set() else 0.0

    def stop(self) -> None:
        """Ends the session soon."""
        self._stop.set()

    def run(self, look: Callable[[Stage], bool] | None = None) -> Report:
        """Plays. `look` is called some 30 times a second here; False stops. Raises what a thread raised."""
        began_s, cpu_s = time.monotonic(), time.process_time()
        work = (self._capture, self._watch, self._think, self._sound)
        threads = [
            threading.Thread(target=self._safely, args=(one,), name=f"d2m{one.__name__}") for one in work
        ]
        with _no_hold_ups():
            for thread in threads:
                thread.start()
            try:
                while any(thread.is_alive() for thread in threads):
                    if look is not None and not self._stop.is_set() and not look(self):
                        self._stop.set()
                    self._stop.wait(1 / 30) if not self._stop.is_set() else time.sleep(0.01)
            finally:
                self._stop.set()
                for thread in threads:
                    thread.join()
        if self._errors:
            raise self._errors[0]
        seconds = time.monotonic() - began_s
        share = (time.process_time() - cpu_s) / max(seconds, 1e-9)
        return Report(seconds, self._newest.put_count, self._newest.taken, self._sink.drops, share)

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # raised again by `run`
            self._errors.append(error)
            self._stop.set()

    def _now_s(self) -> float:
        return time.monotonic() - self._zero_s

    def _capture(self) -> None:
        """Hands on pictures; where they end by a fault, music ends on its bar first."""
        try:
            self._hand_on()
        except MediaError as error:
            self._errors.append(error)
            self._last_s = self.seconds
        self._over.set()

    def _hand_on(self) -> None:
        for frame in self._source.frames(self._stop):
            if not self._begun.is_set():
                self._zero_s = time.monotonic() - frame.time_s
                self._begun.set()
            self._last_s = frame.time_s
            self._newest.put(frame)
            if self._pictured is not None:
                self._pictured(frame)

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._give_way()
            frame = self._newest.take(0.1)
            if frame is not None:
                body = self._eyes.see(frame.rgb, frame.time_s)
                self._session.see(frame.time_s, body)
                self.shown = Shown(frame, body)
            elif self._over.is_set():
                self._session.see(self._now_s(), None)

    def _give_way(self) -> None:
        """Waits a little where sound is short."""
        until_s = time.monotonic() + _GIVES_WAY_S
        while self._session.playing and self._sink.next_s() - time.monotonic() < _SHORT_S:
            if time.monotonic() > until_s or self._stop.wait(0.005):
                return

    def _think(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self._session.think()

    def _sound(self) -> None:
        while not self._begun.wait(0.05):
            if self._stop.is_set() or self._over.is_set():
                self._stop.set()  # not one picture came
                return
        offset_s = self._session.settings.latency_ms / 1000
        while self._sink.wait(self._stop, calm=not self._session.playing):
            heard_s = self._sink.next_s() - self._zero_s + offset_s
            block = self._session.render(heard_s)
            self._sink.write(block)
            if self._kept is not None and heard_s >= 0:
                self._kept(heard_s, block)
            if self._over.is_set() and (not self._session.playing or heard_s > self._last_s + _AFTER_S):
                self._stop.set()


@contextmanager
def _no_hold_ups() -> Iterator[None]:
    """Threads change quickly, and what is there by now is not searched for garbage again and again: with
    PyTorch and MediaPipe loaded, that takes longer than the sound that is kept ready."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
