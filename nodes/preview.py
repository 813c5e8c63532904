"""Music on the page while it is written, for whoever asked the page for it.

A thread decodes tokens as they come and sends their sound; nothing is sent, loaded or computed where nobody
listens, and the run never waits for it.
"""

from __future__ import annotations

import base64
import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache

from ..d2m_core.codec import Codec, load_codec
from ..d2m_core.errors import Cancelled, D2MError
from ..d2m_core.music import OnTokens, pcm_16, sounds_of
from ..d2m_core.music.threads import threads_here
from ..d2m_core.types import AudioTokens
from ..d2m_core.weights import EMBEDDED
from . import host
from .encodec import codec_source

_log = logging.getLogger(__name__)

_latest: list[_Preview] = []
"""The one whose music is sent: a new one takes its place."""


def offer_listening() -> None:
    """Lets a page ask for it; the codec of the embedded model is loaded as soon as one does."""

    def get_ready() -> None:
        threading.Thread(target=_try_codec, args=(EMBEDDED,), daemon=True).start()

    host.offer_listening(get_ready)


@contextmanager
def heard_on_page(codec_name: str, duration_s: float, why_not: str = "") -> Iterator[OnTokens | None]:
    """What takes the tokens of the run's first piece of music inside the `with`; None where nobody listens.

    With `why_not` there is nothing to hear before the end, and the page is told so.
    """
    send = host.listener()
    if send is None:
        yield None
    elif why_not:
        send({"why": why_not})
        yield None
    else:
        preview = _Preview(send, codec_name, duration_s)
        try:
            yield preview.tokens.put
        except BaseException:
            preview.stop()
            raise
        preview.tokens.put(None)


class _Preview:
    """Decodes and sends until the music ends, the page is gone, or another preview begins."""

    def __init__(self, send: host.Send, codec_name: str, duration_s: float) -> None:
        self.send, self.codec_name, self.duration_s = send, codec_name, duration_s
        self.tokens: queue.SimpleQueue[AudioTokens | None] = queue.SimpleQueue()
        self.stopped = threading.Event()
        for before in _latest:
            before.stop()
        _latest[:] = [self]
        threading.Thread(target=self._run, name="d2m-preview", daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self.tokens.put(None)

    def _run(self) -> None:
        try:
            with threads_here(1):
                self._send_all()
        except Cancelled:
            self.send({"stopped": True})
        except D2MError as error:
            self.send({"why": str(error)})
        except Exception:  # whatever it is, the music itself is being written all the same
            _log.exception("The music cannot be heard while it is written")
            self.send({"why": "The music cannot be heard while it is written; the log says why."})

    def _send_all(self) -> None:
        codec = _codec(self.codec_name)
        with closing(sounds_of(codec, self._pieces(), self.duration_s)) as sounds:
            for number, sound in enumerate(sounds):
                samples = sound.samples[0].t().contiguous().numpy()  # [n, C]
                piece = {"number": number, "rate": sound.sample_rate, "channels": samples.shape[1]}
                sent = self.send(piece | {"pcm": base64.b64encode(pcm_16(samples)).decode()})
                if not sent or self.stopped.is_set():
                    return
        self.send({"ended": True})

    def _pieces(self) -> Iterator[AudioTokens]:
        while (piece := self.tokens.get()) is not None:
            yield piece
        if self.stopped.is_set():
            raise Cancelled("Nobody waits for this music any more.")


@lru_cache(maxsize=1)
def _codec(name: str) -> Codec:
    """On the CPU, beside those that ComfyUI may move: another thread uses them."""
    return load_codec(codec_source(name))


def _try_codec(name: str) -> None:
    try:
        _codec(name)
    except D2MError as error:  # said again when there is something to hear
        _log.info("%s", error)
