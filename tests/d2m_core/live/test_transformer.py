"""A tiny model plays live: in the clock's time, and a band goes on where it cannot keep up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import numpy as np
import pytest

from d2m_core.band import Materials
from d2m_core.errors import SettingError
from d2m_core.live.band import LiveBand
from d2m_core.live.clock import Span
from d2m_core.live.rehearsal import rehearse, sights_of
from d2m_core.live.session import BLOCK, RATE, Heard, LiveSettings, Session
from d2m_core.live.transformer import LiveTransformer, transformer
from d2m_core.live.written import Written
from d2m_core.music.unfolding import Coming, Unfolding
from d2m_core.rhythm import load_rhythm
from d2m_core.settings import SamplingConfig
from d2m_core.straight import beat_steps
from d2m_core.weights import default_weights
from tests.d2m_core.live.clicks import Clicks
from tests.d2m_core.live.test_session import DANCE_S, dance
from tests.d2m_core.music.test_streaming import codec, model_for


def player(bpm: float = 120.0, **more: Any) -> LiveTransformer:
    ear = codec()
    return LiveTransformer(model_for(ear.spec, straight=True), ear, "house", bpm, 4, seed=1, **more)


def spans(bpm: Callable[[float], float], seconds: float, beat: float = 0.0) -> Iterator[Span]:
    """Blocks of a clock that goes at a tempo for each moment."""
    for k in range(round(seconds * RATE / BLOCK)):
        low_s = k * BLOCK / RATE
        high = beat + bpm(low_s) / 60 * BLOCK / RATE
        yield Span(np.array([low_s, low_s + BLOCK / RATE]), np.array([beat, high]))
        beat = high


class Never(Executor):
    """Takes work and does not do it."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        return Future()


def test_a_piece_is_read_sample_by_sample_where_the_clock_goes_as_it_was_written() -> None:
    def piece() -> Unfolding:
        ear = codec()
        return Unfolding(
            model_for(ear.spec), ear, SamplingConfig(seed=1, style="house"), 4, lambda: Coming(24)
        )

    plain = piece()
    sound = np.concatenate([plain.more().samples[0].numpy() for _ in range(4)], 1)
    written = Written(piece())
    for _ in range(4):
        written.take(written.make())
    count_ = int(written.high * 480)
    read = np.concatenate([written.read(part / 480) for part in np.array_split(np.arange(count_ - 9), 7)], 1)
    assert count_ > 0.7 * sound.shape[1]
    np.testing.assert_allclose(
        read[0], sound[0, : count_ - 9], atol=0.03 * np.abs(sound).max()
    )  # noise up to the edge
    np.testing.assert_allclose(written.at(np.array([0.5, 2.0, 99.0])), [12.0, 48.0, 99 * 24.0])


def test_it_begins_where_it_is_told_and_ends_there() -> None:
    one = player()
    one.start_at(1.0)
    one.feel(0.7, False)
    sound = []
    for span in spans(lambda _: 120.0, 5.0):
        if span.beats[0] > 5.0:
            one.end_on(8.0)
        sound.append(one.render(span))
    left = np.concatenate(sound, 1)[0]
    assert one.ends == 8.0
    assert np.abs(left[: round(0.5 * RATE)]).max() == 0
    heard = np.abs(left[round(0.6 * RATE) : round(4.0 * RATE)])
    assert heard.max() > 0.01
    assert np.abs(left[round(4.85 * RATE) :]).max() < 1e-3 * heard.max()
    one.rest()
    assert (one.ends, one.struck) == (None, -np.inf)


def test_another_tempo_is_written_in_other_steps() -> None:
    one = player()
    for span in spans(lambda now_s: 120.0 if now_s < 2 else 150.0, 5.0):
        one.render(span)
    lengths = np.diff(one._piece.written._piece.ends)
    assert lengths[0] == beat_steps(120.0)
    assert lengths[-1] == beat_steps(150.0)


def test_a_beginning_for_another_tempo_is_written_anew() -> None:
    one = player(120.0)
    one.start_at(0.0)
    for span in spans(lambda _: 160.0, 0.5):
        one.render(span)
    assert set(np.diff(one._piece.written._piece.ends)) == {beat_steps(160.0)}


def test_hits_swell_and_leave_room_for_each_other() -> None:
    one = player()
    assert one.hit(2.0, 0.8)
    assert not one.hit(2.5, 0.8)
    assert one.struck == 2.0
    one.end_on(4.0)
    assert not one.hit(3.5, 0.8)


def test_where_nothing_is_written_in_time_there_is_silence_and_then_somebody_else() -> None:
    one = player(helper=Never(), now_s=lambda: 0.0)
    assert not one.behind
    one.start_at(0.0)
    left = np.concatenate([one.render(span) for span in spans(lambda _: 120.0, 4.0)], 1)[0]
    assert np.abs(left[: round(0.5 * RATE)]).max() > 0.01
    assert np.abs(left[-RATE:]).max() == 0
    assert one.behind


def test_a_lack_now_and_then_is_made_up_for_and_forgiven() -> None:
    class Stops(ThreadPoolExecutor):
        """Works at once, but for the moments in which the machine is taken."""

        taken = False
        waiting: tuple[Future[Any], Any, Any] | None = None

        def submit(self, work: Any, *args: Any, **_: Any) -> Future[Any]:  # type: ignore[override]
            future: Future[Any] = Future()
            if not self.taken:
                future.set_result(work(*args))
            self.waiting = (future, work, args)
            return future

        def go_on(self) -> None:
            if self.waiting is not None and not self.waiting[0].done():
                future, work, args = self.waiting
                future.set_result(work(*args))

    with Stops(1) as helper:
        one = player(helper=helper, now_s=lambda: 0.0)
        one.start_at(0.0)
        for span in spans(lambda _: 120.0, 12.0):
            helper.taken = span.times_s[0] % 3.0 > 2.2
            one.render(span)
            if not helper.taken:
                helper.go_on()
        assert one._piece.ready_s > 0.35
        assert not one.behind


def test_a_machine_on_which_a_beat_takes_as_long_as_it_lasts_is_too_slow() -> None:
    seconds = count()
    assert player(helper=Never(), now_s=lambda: float(next(seconds))).behind
    assert not player(now_s=lambda: float(next(seconds))).behind  # nobody waits


def test_a_dance_is_played_to() -> None:
    told: list[Heard] = []
    ear, settings = codec(), LiveSettings("house", seed=3)
    make = transformer(model_for(ear.spec, straight=True), ear, settings, None)
    net = load_rhythm(default_weights("rhythm"))
    session = Session(net, Materials(), settings, tell=told.append, player=make)
    sound = np.concatenate(list(rehearse(session, sights_of(dance()), DANCE_S)), 1)
    start_s = next(one.time_s for one in told if one.kind == "start")
    assert np.abs(sound[:, : round(start_s * RATE)]).max() == 0
    begun = np.flatnonzero(np.abs(sound[0]) > 1e-4)[0] / RATE
    assert begun < start_s + 0.55  # its first beat
    assert np.abs(sound).max() <= 0.9


def test_the_same_told_at_the_same_times_sounds_the_same() -> None:
    def once() -> np.ndarray:
        one = player()
        return np.concatenate([one.render(span) for span in spans(lambda now_s: 118 + now_s, 2.0)], 1)

    np.testing.assert_array_equal(once(), once())


def test_written_in_the_background_it_is_the_same_music() -> None:
    def rendered(one: LiveTransformer) -> np.ndarray:
        sound = []
        for span in spans(lambda _: 120.0, 3.0):
            sound.append(one.render(span))
            if one._asked is not None:
                one._asked.result()
        return np.concatenate(sound, 1)

    with ThreadPoolExecutor(1) as helper:
        background = rendered(player(helper=helper, now_s=lambda: 0.0))
    assert np.abs(background[:, -RATE:]).max() > 0.01
    np.testing.assert_array_equal(background, rendered(player()))


def test_a_band_goes_on_where_the_player_does_not_keep_up(caplog: pytest.LogCaptureFixture) -> None:
    class Tired(Clicks):
        @property
        def behind(self) -> bool:  # type: ignore[override]
            return len(self.clicked) > 1

    tired, told = Tired(), []
    session = Session(
        load_rhythm(default_weights("rhythm")),
        Materials(),
        LiveSettings("house"),
        tell=told.append,
        player=lambda _style, _start: tired,
    )
    with caplog.at_level(logging.WARNING):
        sound = np.concatenate(list(rehearse(session, sights_of(dance()), DANCE_S)), 1)
    assert [record.message for record in caplog.records if "a band plays on" in record.message]
    assert isinstance(session._band, LiveBand)
    assert np.abs(sound[:, round((tired.clicked[-1] + 0.5) * RATE) :]).max() > 0.05
    beats = [round(one.beat) for one in told if one.kind == "beat"]
    assert beats == list(range(beats[0], beats[0] + len(beats)))


def test_what_a_model_cannot_do_is_refused() -> None:
    ear = codec()
    model = model_for(ear.spec, styles=("house", "funk"))
    with pytest.raises(SettingError, match="knows house, funk"):
        transformer(model, ear, LiveSettings("rock"), None)
    with pytest.raises(SettingError, match="key"):
        transformer(model, ear, LiveSettings("house", key="A minor"), None)
