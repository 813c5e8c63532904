"""Finding dancers: identities, gaps, choice, and the real landmarker on a drawn dance."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import Cancelled, PoseError, PoseModelError, SettingError
from d2m_core.media import iter_frames, open_clip
from d2m_core.media.video import read_ahead
from d2m_core.pose import MAX_PEOPLE, dancer_index, estimate_poses, pose_model, select_dancer
from d2m_core.pose.landmarker import landmarkers
from d2m_core.pose.model_file import DETECTOR, LANDMARKER
from d2m_core.pose.track import Tracker, fill_gaps
from d2m_core.types import LANDMARKS, PoseSequence
from scripts.pose_model import stored_zip
from training.studio.picture.drawing import demo_dance, render_scene
from training.studio.stage.scene import Scene

FPS = 25.0


def sequence(present: np.ndarray, image: np.ndarray | None = None) -> PoseSequence:
    """Poses of upright bodies at `image` [F, P, 2] (middle of the body), zeros where absent."""
    shape = present.shape
    image = np.zeros((*shape, 2)) if image is None else image
    points = np.where(present[..., None, None], image[..., None, :] + STICK, 0.0)
    seen = np.repeat(present[..., None], LANDMARKS, axis=-1)
    world = np.concatenate([points, np.zeros((*shape, LANDMARKS, 1))], axis=-1)
    return PoseSequence(
        world.astype(np.float32), points.astype(np.float32), seen.astype(np.float32), present, FPS
    )


STICK = np.stack([np.linspace(-0.1, 0.1, LANDMARKS), np.sin(np.arange(LANDMARKS)) * 0.25], axis=-1)
"""A body of half a picture's height [J, 2]."""
ALL = np.ones(LANDMARKS, np.bool_)


def assign(tracker: Tracker, frame: int, places: list[tuple[float, float]], **more: np.ndarray):
    joints = np.array(places).reshape(-1, 1, 2) + STICK
    return tracker.assign(frame / FPS, joints, np.ones(joints.shape[:2], np.bool_), **more)


def test_people_keep_their_slot_when_they_are_listed_in_another_order() -> None:
    tracker = Tracker(2)
    assert assign(tracker, 0, [(0.5, 0.5), (1.5, 0.5)]) == {0: 0, 1: 1}
    assert assign(tracker, 1, [(1.5, 0.5), (0.5, 0.5)]) == {0: 1, 1: 0}


def test_people_who_cross_keep_their_slots() -> None:
    tracker = Tracker(2)
    rng = np.random.default_rng(0)
    for frame in range(60):
        places = [(0.4 + 0.02 * frame, 0.5), (1.58 - 0.02 * frame, 0.53)]
        order = rng.permutation(2)
        found = assign(tracker, frame, [places[index] for index in order])
        for slot, index in found.items():
            assert order[index] == slot, f"frame {frame}"
    assert len(found) == 2


def test_who_comes_back_gets_the_old_slot() -> None:
    tracker = Tracker(2)
    for frame in range(10):
        assign(tracker, frame, [(0.5, 0.5), (1.5, 0.5)])
    for frame in range(10, 40):
        assert assign(tracker, frame, [(1.5, 0.5)]) == {1: 0}
    assert assign(tracker, 40, [(1.5, 0.5), (0.6, 0.5)]) == {0: 1, 1: 0}


def test_nobody_jumps_across_the_picture_in_one_frame() -> None:
    tracker = Tracker(1)
    assign(tracker, 0, [(0.5, 0.5)])
    assert assign(tracker, 1, [(1.5, 0.5)]) == {}
    assert assign(tracker, 2, [(0.5, 0.5)]) == {0: 0}
    assert assign(tracker, 100, [(1.5, 0.5)]) == {0: 0}  # four seconds later they may be there


def test_the_same_body_found_twice_is_one_person() -> None:
    assert assign(Tracker(2), 0, [(0.5, 0.5), (0.505, 0.5)]) == {0: 0}


def test_clothes_tell_people_apart_after_they_hid_each_other() -> None:
    red, blue = np.array([0.9, 0.1, 0.1]), np.array([0.1, 0.1, 0.9])
    tracker = Tracker(2)
    assign(tracker, 0, [(0.5, 0.5), (0.9, 0.5)], colours=np.stack([red, blue]))
    for frame in range(1, 20):
        assign(tracker, frame, [], colours=np.zeros((0, 3)))
    swapped = assign(tracker, 20, [(0.5, 0.5), (0.9, 0.5)], colours=np.stack([blue, red]))
    assert swapped == {0: 1, 1: 0}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(0, 8))
def test_only_short_gaps_between_sightings_are_filled(pattern: list[bool], frames: int) -> None:
    present = np.array(pattern)[:, None]
    way = np.stack([np.arange(len(pattern)) * 0.01, np.full(len(pattern), 0.5)], axis=-1)[:, None]
    filled = fill_gaps(sequence(present, way), frames / FPS)
    seen = np.flatnonzero(present[:, 0])
    for frame in range(len(pattern)):
        before, after = seen[seen <= frame], seen[seen >= frame]
        inside = len(before) > 0 and len(after) > 0
        want = present[frame, 0] or (inside and after[0] - before[-1] - 1 <= frames)
        assert filled.present[frame, 0] == want
        expected = way[frame, 0] + STICK if want else np.zeros_like(STICK)
        np.testing.assert_allclose(filled.image[frame, 0], expected, atol=1e-6)
        assert (filled.visibility[frame, 0] > 0).all() == want


def test_dancers_are_chosen_by_size_activity_or_number() -> None:
    present = np.ones((50, 3), np.bool_)
    present[5:, 2] = False  # the third is huge, but only there for a moment
    places = np.array([[0.5, 0.5], [1.0, 0.5], [1.5, 0.5]])
    image = np.repeat(places[None], 50, axis=0)
    image[:, 1, 1] += 0.1 * np.sin(np.arange(50))
    poses = sequence(present, image)
    wide = poses.image.copy()
    wide[:, 0] = (wide[:, 0] - 0.5) * 1.5 + 0.5
    wide[:, 2] = (wide[:, 2] - 0.5) * 3.0 + 0.5
    poses = PoseSequence(poses.world, wide, poses.visibility, present, FPS)
    for which, slot in (("largest", 0), ("most_active", 1), (0, 0), (2, 2)):
        assert dancer_index(poses, which) == slot
        chosen = select_dancer(poses, which)
        assert chosen.people == 1
        np.testing.assert_array_equal(chosen.image[:, 0], wide[:, slot])
    with pytest.raises(SettingError, match="Dancer 3 was asked for, but the clip has 3"):
        select_dancer(poses, 3)
    with pytest.raises(SettingError, match="largest, most_active"):
        select_dancer(poses, "tallest")
    with pytest.raises(PoseError, match="nobody"):
        select_dancer(sequence(np.zeros((5, 1), np.bool_)))


def test_a_dancer_who_stands_where_another_does_keeps_their_number() -> None:
    """Poses alone do not tell two apart that are equal, as in a mirror or a doubled detection."""
    poses = sequence(np.ones((10, 3), np.bool_), np.full((10, 3, 2), 0.5))
    assert [dancer_index(poses, number) for number in range(3)] == [0, 1, 2]


def decoders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "d2m-decoder"]


def test_reading_ahead_keeps_order_and_stays_within_its_bounds() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(20):
            made.append(number)
            yield number

    got = []
    for number in read_ahead(source(), size=3):
        time.sleep(0.002)
        assert len(made) <= number + 1 + 3 + 1
        got.append(number)
    assert got == list(range(20))
    assert not decoders()


def test_reading_ahead_hands_on_errors_and_ends_with_its_reader() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def broken() -> Iterator[int]:
        yield 1
        raise PoseError("broken")

    items = read_ahead(endless(), size=2)
    next(items)
    items.close()
    assert closed.is_set()
    with pytest.raises(PoseError, match="broken"):
        list(read_ahead(broken()))
    assert not decoders()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scene]:
    scene = demo_dance(seed=3, tempo_bpm=110, duration_s=2.0, fps=FPS)
    return render_scene(scene, tmp_path_factory.mktemp("drawn") / "dance.mp4"), scene


def test_a_drawn_dancer_is_found_where_they_are(drawn: tuple[Path, Scene]) -> None:
    path, scene = drawn
    seen: list[tuple[int, int]] = []
    clip = open_clip(path)
    poses = estimate_poses(clip, on_progress=lambda *progress: seen.append(progress))
    assert poses.frames == 50
    assert poses.present.mean() >= 0.98
    assert seen == [(frame, 50) for frame in range(1, 51)]
    both = poses.present[:, 0]
    truth = scene.poses.image[both, 0]
    size = np.ptp(truth[..., 1], axis=1).mean()
    error = np.linalg.norm(poses.image[both, 0] - truth, axis=-1)[:, 11:29] / size
    assert np.median(error) < 0.05
    hips = poses.world[both, 0][:, 23:25].mean(axis=1)
    assert np.abs(hips).max() < 0.05
    # left is left, up is up
    assert (poses.world[both, 0, 11] - poses.world[both, 0, 23])[:, 1].mean() < -0.2
    side = np.sign(scene.poses.world[both, 0, 11, 0] - scene.poses.world[both, 0, 12, 0])
    assert (np.sign(poses.world[both, 0, 11, 0] - poses.world[both, 0, 12, 0]) == side).mean() > 0.9


def test_every_clip_gets_a_fresh_tracker_and_the_console_stays_clean(
    drawn: tuple[Path, Scene], capfd: pytest.CaptureFixture[str]
) -> None:
    clip = open_clip(drawn[0], duration_s=1.0)
    first, second = estimate_poses(clip, "full"), estimate_poses(clip, "full")
    np.testing.assert_array_equal(first.image, second.image)
    assert capfd.readouterr().err == ""


def test_it_stays_quiet_when_somebody_comes_later(
    drawn: tuple[Path, Scene], capfd: pytest.CaptureFixture[str]
) -> None:
    """The network that reads joints runs, and talks, with the first body."""
    clip = open_clip(drawn[0], duration_s=1.0)
    rgb = next(iter(iter_frames(clip))).rgb
    with landmarkers(pose_model("full")) as opens:
        film = opens.of_film(1)
        found = [film.find(picture, k * 40) for k, picture in enumerate((0 * rgb, 0 * rgb, rgb, rgb))]
    assert [len(bodies) for bodies in found] == [0, 0, 1, 1]
    assert capfd.readouterr().err == ""


def test_cancel_stops_at_once_and_leaves_no_thread(drawn: tuple[Path, Scene]) -> None:
    def cancel(frame: int, _frames: int) -> None:
        if frame == 3:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        estimate_poses(open_clip(drawn[0]), "full", on_progress=cancel)
    assert not decoders()


def test_a_clip_with_nobody_in_it_is_refused_with_the_share(make_clip: Callable[..., Path]) -> None:
    clip = open_clip(make_clip(duration_s=1.2, width=160, height=120))
    with pytest.raises(PoseError, match=r"A person was found in 0 of 30 frames \(0%\); use a clip"):
        estimate_poses(clip, "full")


def test_a_model_that_mediapipe_cannot_open_is_named(drawn: tuple[Path, Scene], tmp_path: Path) -> None:
    path = tmp_path / "pose_landmarker_full.task"
    path.write_bytes(stored_zip({DETECTOR: b"not a network", LANDMARKER: b"nor this"}))
    with pytest.raises(PoseModelError, match="cannot open the pose model"):
        estimate_poses(open_clip(drawn[0]), model_folder=tmp_path)
    assert not decoders()


def test_a_mediapipe_that_cannot_run_is_no_clip_without_a_dancer(
    drawn: tuple[Path, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes "nobody" for an answer (`except PoseError`) must not take this for one."""
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # its import fails
    with pytest.raises(PoseModelError, match="MediaPipe cannot be loaded") as caught:
        estimate_poses(open_clip(drawn[0]))
    assert not isinstance(caught.value, PoseError)


def test_silly_settings_are_refused(drawn: tuple[Path, Scene]) -> None:
    for people in (0, MAX_PEOPLE + 1):
        with pytest.raises(SettingError, match=f"choose 1 to {MAX_PEOPLE}"):
            estimate_poses(open_clip(drawn[0]), people=people)
    with pytest.raises(SettingError, match="lite, full, heavy"):
        pose_model("enormous")
