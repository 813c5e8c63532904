"""Pictures, poses, thoughts and sound side by side: nobody waits for anybody, and faults are sentences."""

from __future__ import annotations

import threading
import time
import types
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from d2m_core.band import Materials
from d2m_core.errors import MediaError
from d2m_core.live import sources
from d2m_core.live.eyes import Eyes
from d2m_core.live.session import RATE, LiveSettings, Session
from d2m_core.live.sinks import Silence
from d2m_core.live.sources import Camera, Newest
from d2m_core.live.stage import Stage
from d2m_core.live.watching import STANDING
from d2m_core.media import Frame
from d2m_core.pose.landmarker import Body
from d2m_core.rhythm import RhythmNet, load_rhythm
from d2m_core.weights import default_weights

BLACK = np.zeros((48, 64, 3), np.uint8)


@cache
def net() -> RhythmNet:
    return load_rhythm(default_weights("rhythm"))


def session() -> Session:
    return Session(net(), Materials(), LiveSettings("house"))


class Slow:
    """Eyes that take as long as a slow machine."""

    note = ""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.times_s: list[float] = []

    def see(self, _rgb: np.ndarray, time_s: float) -> Body | None:
        self.times_s.append(time_s)
        time.sleep(self._seconds)
        return STANDING


class Show:
    """Pictures at 50 a second, and then a fault or the end."""

    def __init__(self, seconds: float, fault: Exception | None = None) -> None:
        self._seconds, self._fault = seconds, fault

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for k in range(round(50 * self._seconds)):
            if stop.wait(0.02):
                return
            yield Frame(k / 50, BLACK)
        if self._fault:
            raise self._fault


def test_the_newest_picture_wins_and_older_ones_are_let_go() -> None:
    newest = Newest()
    for k in range(5):
        newest.put(Frame(float(k), BLACK))
    taken = newest.take(0.0)
    assert taken is not None
    assert taken.time_s == 4.0
    assert newest.take(0.0) is None


def test_slow_eyes_skip_pictures_and_never_fall_behind() -> None:
    eyes, heard = Slow(0.1), []
    stage = Stage(session(), Show(1.0), eyes, Silence(RATE), lambda at_s, block: heard.append((at_s, block)))
    report = stage.run()
    assert report.pictures == 50
    assert report.looked_at < 40
    assert eyes.times_s == sorted(eyes.times_s)
    assert max(eyes.times_s) > 0.8
    assert np.diff([at_s for at_s, _ in heard]).min() > 0
    assert heard[-1][0] >= 0.9


def test_an_unplugged_camera_ends_the_session_with_its_sentence() -> None:
    with pytest.raises(MediaError, match="unplugged"):
        Stage(session(), Show(0.1, MediaError("It was unplugged.")), Slow(0.0), Silence(RATE)).run()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("d2m_")]


class Short(Silence):
    """A device that always has little ready."""

    def next_s(self) -> float:
        return min(super().next_s(), time.monotonic() + 0.01)


class Looks(Slow):
    """Eyes that know when they looked."""

    def see(self, rgb: np.ndarray, time_s: float) -> Body | None:
        self.times_s.append(time.monotonic())
        return STANDING


def test_pictures_wait_where_sound_is_short() -> None:
    eyes = Looks(0.0)
    Stage(Ending(0.2), Show(0.8), eyes, Short(RATE)).run()
    assert 2 <= len(eyes.times_s) < 40
    assert np.diff(eyes.times_s).min() > 0.09


@pytest.mark.parametrize("fault", [None, MediaError("It was unplugged.")])
def test_a_source_without_one_picture_ends(fault: Exception | None) -> None:
    stage = Stage(Ending(0.5), Show(0.0, fault), Slow(0.0), Silence(RATE))
    if fault is None:
        assert stage.run().pictures == 0
        return
    with pytest.raises(MediaError, match="unplugged"):
        stage.run()


class Ending:
    """Music that needs a while to end after the dancer is gone."""

    settings = LiveSettings()

    def __init__(self, needs_s: float) -> None:
        self._needs_s, self._alone_s, self._now_s = needs_s, np.inf, 0.0

    @property
    def playing(self) -> bool:
        return self._now_s < self._alone_s + self._needs_s

    def see(self, time_s: float, body: Body | None) -> None:
        if body is None:
            self._alone_s = min(self._alone_s, time_s)

    def think(self) -> None: ...

    def render(self, heard_s: float) -> np.ndarray:
        self._now_s = heard_s
        return np.zeros((2, 1024), np.float32)


def test_music_ends_as_it_should_before_a_lost_camera_is_told() -> None:
    heard: list[float] = []
    show = Show(0.2, MediaError("It was unplugged."))
    stage = Stage(Ending(0.5), show, Slow(0.0), Silence(RATE), lambda at_s, _block: heard.append(at_s))
    with pytest.raises(MediaError, match="unplugged"):
        stage.run()
    assert 0.65 < heard[-1] < 3.0


def test_somebody_who_looks_can_stop_it() -> None:
    began = time.monotonic()
    report = Stage(session(), Show(30.0), Slow(0.0), Silence(RATE)).run(lambda stage: stage.seconds < 0.3)
    assert time.monotonic() - began < 10
    assert report.pictures < 500


class Capture:
    """Stands in for a camera of OpenCV's: gives some pictures, then none."""

    def __init__(self, opens: bool, pictures: int) -> None:
        self._opens, self._left = opens, pictures
        self.released = False

    def isOpened(self) -> bool:
        return self._opens

    def set(self, *_what: Any) -> None: ...

    def read(self) -> tuple[bool, np.ndarray | None]:
        self._left -= 1
        picture = np.zeros((2, 3, 3), np.uint8)
        picture[0, 0] = (255, 0, 0)  # blue, on the left
        return (True, picture) if self._left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


def plug(monkeypatch: pytest.MonkeyPatch, capture: Capture) -> None:
    names = {"CAP_PROP_FRAME_WIDTH": 3, "CAP_PROP_FRAME_HEIGHT": 4, "CAP_PROP_BUFFERSIZE": 38}
    module = types.SimpleNamespace(VideoCapture=lambda _number: capture, **names)
    monkeypatch.setattr(sources, "import_opencv", lambda: module)
    monkeypatch.setattr(sources, "_LOST_S", 0.1)


def test_no_camera_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(False, 0)
    plug(monkeypatch, capture)
    with pytest.raises(MediaError, match="no camera 3"):
        Camera(3)
    assert capture.released


def test_a_camera_is_a_mirror_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(True, 4)
    plug(monkeypatch, capture)
    seen = []
    with pytest.raises(MediaError, match="gives no more pictures"):
        seen.extend(Camera(0).frames(threading.Event()))
    assert capture.released
    frames = seen or list(_until_lost(monkeypatch))
    assert frames[0].time_s == 0.0
    assert tuple(frames[0].rgb[0, 2]) == (0, 0, 255)


def _until_lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    plug(monkeypatch, Capture(True, 4))
    try:
        yield from Camera(0).frames(threading.Event())
    except MediaError:
        return


# --- whom the eyes follow ---


def somebody(x: float, size: float) -> Body:
    """A body of so many picture heights at a place."""
    rng = np.random.default_rng(3)
    image = np.array([x, 0.5]) + size * (rng.uniform(-0.5, 0.5, (33, 2)) * np.array([0.3, 1.0]))
    return Body(np.zeros((33, 3), np.float32), image.astype(np.float32), np.ones(33, np.float32))


class Finder:
    """Stands in for MediaPipe: finds those who are in the picture, if their place is not black."""

    def __init__(self, people: list[Body], most: int) -> None:
        self.people, self._most = people, most
        self.forgot = 0

    def find(self, rgb: np.ndarray, _time_ms: int = 0) -> list[Body]:
        height = rgb.shape[0]
        there = []
        for body in self.people:
            x, y = (body.image.mean(0) * height).astype(int)
            if rgb[y, min(x, rgb.shape[1] - 1)].any():
                there.append(body)
        return there[: self._most]

    def forget(self) -> None:
        self.forgot += 1


GREY = np.full((120, 160, 3), 90, np.uint8)


def test_of_two_people_the_largest_is_followed_and_said() -> None:
    people = [somebody(0.3, 0.4), somebody(1.0, 0.8)]
    film, stills = Finder(people, 1), Finder(people, 6)
    eyes = Eyes(film, stills)  # type: ignore[arg-type]
    body = eyes.see(GREY, 0.0)
    assert body is people[1]
    assert "2 people" in eyes.note
    assert "on the right" in eyes.note
    film.people = [people[0]]  # the film jumps to the other one: that is nobody
    assert eyes.see(GREY, 0.04) is None
    assert film.forgot == 1
    film.people = stills.people = [people[0]]
    assert eyes.see(GREY, 1.0) is None  # gone
    assert eyes.see(GREY, 1.04) is people[0]
    assert "One person" in eyes.note


def test_nobody_is_said_too() -> None:
    eyes = Eyes(Finder([], 1), Finder([], 6))  # type: ignore[arg-type]
    assert eyes.see(GREY, 0.0) is None
    assert eyes.note.startswith("Nobody is seen")
