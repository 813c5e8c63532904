"""A clip followed in stretches side by side: every frame once, the same pictures, the same poses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.errors import Cancelled, PoseError
from d2m_core.media import iter_frames, open_clip
from d2m_core.media.sizes import Sizes
from d2m_core.pose import alone, find_dancers, several
from d2m_core.pose.stretches import plan_stretches, side_by_side, stretch_frames
from training.studio.picture.drawing import demo_dance, render_scene


def others() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("d2m-")]


@given(total=st.integers(1, 5000), fps=st.floats(10, 60), workers=st.integers(1, 16))
def test_stretches_cover_every_frame_once(total: int, fps: float, workers: int) -> None:
    stretches = plan_stretches(total, fps, workers)
    assert 1 <= len(stretches) <= workers
    counted = [number for stretch in stretches for number in range(stretch.first, stretch.end)]
    assert counted == list(range(total))
    for stretch in stretches:
        assert 0 <= stretch.begin <= stretch.first < stretch.end <= stretch.stop <= total
        assert stretch.begin == 0 or stretch.first - stretch.begin == round(0.6 * fps)
    if total < 4 * fps:
        assert len(stretches) == 1, "too short to be worth it"


@pytest.mark.parametrize("start_s", [0.0, 0.37])
@pytest.mark.parametrize("rate", [25, 30])
def test_a_stretch_sees_the_pictures_that_one_pass_sees(
    make_clip: Callable[..., Path], start_s: float, rate: int
) -> None:
    clip = open_clip(make_clip(duration_s=8.0, width=96, height=64, fps=rate), start_s)
    whole = [frame.rgb for frame in iter_frames(clip)]
    stretches = plan_stretches(len(whole), 25.0, 3)
    assert len(stretches) == 3
    for stretch in stretches:
        sizes = Sizes(clip)
        seen = {
            number: sizes.draw(shown.frame, clip.height)
            for number, shown in stretch_frames(clip, 25.0, stretch)
        }
        assert list(seen) == list(range(stretch.begin, stretch.stop))
        for number, rgb in seen.items():
            np.testing.assert_array_equal(rgb, whole[number])
    assert not others()


@pytest.mark.parametrize("count", [1, 3])
def test_steps_are_told_where_one_called_from(count: int) -> None:
    told: list[tuple[int, threading.Thread]] = []

    def work() -> Iterator[None]:
        for _ in range(5):
            yield

    side_by_side([work] * count, lambda done: told.append((done, threading.current_thread())))
    assert [done for done, _ in told] == list(range(1, 5 * count + 1))
    assert {thread for _, thread in told} == {threading.current_thread()}


def test_cancel_and_errors_stop_all_and_leave_no_thread() -> None:
    closed: list[str] = []

    def endless() -> Iterator[None]:
        try:
            while True:
                time.sleep(0.001)
                yield
        finally:
            closed.append("endless")

    def broken() -> Iterator[None]:
        yield
        raise PoseError("broken")

    def cancel(done: int) -> None:
        if done == 7:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        side_by_side([endless, endless], cancel)
    assert closed == ["endless"] * 2
    with pytest.raises(PoseError, match="broken"):
        side_by_side([endless, broken], lambda _done: None)
    assert not others()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = demo_dance(seed=3, tempo_bpm=110, duration_s=5.5, fps=25)
    return render_scene(scene, tmp_path_factory.mktemp("drawn") / "dance.mp4")


def test_two_cores_find_what_one_finds(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = open_clip(drawn)
    found = []
    for cores in (1, 2):
        for module in (alone, several):
            monkeypatch.setattr(module, "cores", lambda cores=cores: cores)
        told: list[int] = []
        found.append(find_dancers(clip, on_progress=lambda done, _total, told=told: told.append(done)))
        assert told[-1] == found[-1].frames == 138
        assert told == sorted(told)
    one, two = found
    assert not others()
    np.testing.assert_array_equal(one.present, two.present)
    half = plan_stretches(one.frames, 25.0, 2)[0].end
    np.testing.assert_array_equal(one.image[:half], two.image[:half])
    size = np.median(np.ptp(one.image[:, 0, :, 1], axis=1))
    apart = np.linalg.norm(one.image[:, 0] - two.image[:, 0], axis=-1).mean(axis=1) / size
    assert apart.max() < 0.03, "of a body's height, where the second begins"
    assert apart[half + 25 :].max() < 0.01


def test_cancel_stops_all_stretches(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (alone, several):
        monkeypatch.setattr(module, "cores", lambda: 2)

    def cancel(frame: int, _frames: int) -> None:
        if frame == 9:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        find_dancers(open_clip(drawn), on_progress=cancel)
    assert not others()
