"""Finding everybody: sightings, tracks, cuts, views, choice and events; and small real groups."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.pose import At, Region, dancer_index, events, followed, load_poses, save_poses, select_dancer
from d2m_core.pose.cuts import Cuts
from d2m_core.pose.landmarker import Body
from d2m_core.pose.sightings import Sighting, sightings_of
from d2m_core.pose.stills import Stills
from d2m_core.pose.track import BODY, fill_gaps
from d2m_core.pose.tracks import Track, in_order, tracks_of
from d2m_core.pose.usurped import without_usurpers
from d2m_core.pose.views import View, tiles
from d2m_core.types import LANDMARKS, PoseSequence

FPS = 25.0
STICK = np.stack([np.linspace(-0.1, 0.1, LANDMARKS), np.linspace(-0.25, 0.25, LANDMARKS)], axis=-1)
"""A body of half a picture's height [J, 2], the nose on top and the feet below."""
RED, BLUE = np.tile([0.9, 0.1, 0.1], 4), np.tile([0.1, 0.1, 0.9], 4)


def body(x: float, y: float = 0.5, size: float = 1.0) -> Body:
    image = (STICK * size + (x, y)).astype(np.float32)
    world = np.zeros((LANDMARKS, 3), np.float32)
    return Body(world, image, np.ones(LANDMARKS, np.float32))


def sighting(x: float, look: np.ndarray = RED, size: float = 1.0, sure: float = 1.0) -> Sighting:
    return Sighting(body(x, size=size), look.astype(np.float32), sure)


def poses_of(places: np.ndarray, present: np.ndarray | None = None, **more: object) -> PoseSequence:
    """Bodies whose middles are at `places` [F, P, 2]."""
    shape = places.shape[:2]
    present = np.ones(shape, np.bool_) if present is None else present
    image = np.where(present[..., None, None], places[:, :, None] + STICK, 0.0).astype(np.float32)
    seen = np.repeat(present[..., None], LANDMARKS, axis=-1).astype(np.float32)
    world = np.concatenate([image, np.zeros((*shape, LANDMARKS, 1), np.float32)], axis=-1)
    return PoseSequence(world, image, seen, present, FPS, **more)  # type: ignore[arg-type]


def places(*middles: tuple[float, float], frames: int = 50) -> np.ndarray:
    return np.tile(np.array(middles), (frames, 1, 1))


def walk(track: Track) -> list[float]:
    return [float(one.centre[0]) for one in track.seen]


def followed_looks(tracks: list[Track]) -> list[set[str]]:
    return [{"red" if one.look[0] > 0.5 else "blue" for one in track.seen} for track in tracks]


TIMES = np.arange(40) * 0.16


def test_two_who_cross_behind_each_other_keep_their_tracks() -> None:
    stills = []
    for time_s in TIMES:
        red, blue = 0.4 + 0.15 * time_s, 1.36 - 0.15 * time_s
        both = [sighting(red, RED), sighting(blue, BLUE)]
        stills.append(both if abs(red - blue) > 0.15 else [both[0]])
    tracks = tracks_of(TIMES.tolist(), stills)
    assert followed_looks(tracks) == [{"red"}, {"blue"}]
    assert walk(tracks[0])[-1] > 1.0 > 0.8 > walk(tracks[1])[-1]


def test_somebody_who_comes_back_later_is_the_same_person() -> None:
    stills = [[sighting(0.5, RED), *([sighting(1.2, BLUE)] if not 10 <= k < 25 else [])] for k in range(40)]
    assert [len(track.seen) for track in tracks_of(TIMES.tolist(), stills)] == [40, 25]


def test_what_is_seen_for_a_moment_is_nobody() -> None:
    stills = [[sighting(0.5), *([sighting(1.5, BLUE)] if k in (7, 8) else [])] for k in range(40)]
    assert len(tracks_of(TIMES.tolist(), stills)) == 1


def test_unsure_sightings_go_on_with_a_track_but_begin_none() -> None:
    stills = [
        [sighting(0.5, sure=1.0 if k % 3 == 0 else 0.5), sighting(1.5, BLUE, sure=0.5)] for k in range(40)
    ]
    (track,) = tracks_of(TIMES.tolist(), stills)
    assert len(track.seen) == 40


def test_a_small_body_within_a_person_does_not_take_over_the_track() -> None:
    stills = [[sighting(0.5, RED, size=0.2 if k == 20 else 1.0)] for k in range(40)]
    (track,) = tracks_of(TIMES.tolist(), stills)
    assert len(track.seen) == 39


def test_after_a_cut_people_are_known_by_their_look() -> None:
    cut_s = float(TIMES[20]) - 0.05
    stills = [[sighting(0.5, RED), sighting(1.2, BLUE)] for _ in range(20)]
    stills += [[sighting(0.3, BLUE), sighting(1.4, RED)] for _ in range(20)]
    tracks = tracks_of(TIMES.tolist(), stills, [cut_s])
    assert followed_looks(tracks) == [{"red"}, {"blue"}]
    assert [track.changes_s for track in tracks] == [[], []]


def test_another_person_after_a_cut_takes_the_place_and_that_is_known() -> None:
    cut_s = float(TIMES[20]) - 0.05
    stills = [[sighting(0.5, RED)] for _ in range(20)] + [[sighting(0.6, BLUE)] for _ in range(20)]
    (track,) = tracks_of(TIMES.tolist(), stills, [cut_s])
    assert track.changes_s == [TIMES[20]]


def test_people_are_numbered_from_left_to_right_then_as_they_come() -> None:
    tracks = []
    for first, x in ((0, 1.2), (0, 0.4), (20, 0.1)):
        track = Track()
        for k in range(first, 40):
            track.add(float(TIMES[k]), sighting(x))
        tracks.append(track)
    assert [walk(track)[0] for track in in_order(tracks)] == pytest.approx([0.4, 1.2, 0.1], abs=0.05)


def test_a_body_found_twice_or_mixed_from_two_is_left_out() -> None:
    rgb = np.zeros((90, 160, 3), np.uint8)
    mixed = body(0.5)
    mixed.image[BODY[::2]] = body(0.9).image[BODY[::2]]
    mixed.visibility[:] = 0.9
    found = [(body(0.5), False), (body(0.51), False), (body(0.9), False), (mixed, False)]
    assert sorted(float(one.centre[0]) for one in sightings_of(found, rgb)) == pytest.approx(
        [body(x).image[[11, 12, 23, 24], 0].mean() for x in (0.5, 0.9)], abs=0.02
    )


def test_a_body_between_two_is_left_out_and_the_third_real_one_stays() -> None:
    """Left half of one, right half of the other, as the detector makes it of people side by side."""
    rgb = np.zeros((90, 160, 3), np.uint8)
    between = body(0.7)
    left = [joint for joint in BODY if joint % 2]
    between.image[left] = body(0.5).image[left] + 0.02
    between.image[[j for j in BODY if j % 2 == 0]] = body(0.9).image[[j for j in BODY if j % 2 == 0]] - 0.02
    found = [(one, False) for one in (body(0.5), between, body(0.9), body(1.4))]
    kept = sorted(float(one.centre[0]) for one in sightings_of(found, rgb))
    assert kept == pytest.approx([body(x).image[[11, 12, 23, 24], 0].mean() for x in (0.5, 0.9, 1.4)])


def test_pieces_of_a_body_do_not_explain_it_away() -> None:
    """A closer look finds the upper and the lower half by themselves, both less sure than the whole."""
    rgb = np.zeros((90, 160, 3), np.uint8)
    pieces = [body(0.4, 0.375, 0.5), body(0.6, 0.625, 0.5)]
    for piece in pieces:
        piece.visibility[:] = 0.8
    whole = body(0.5)
    kept = sightings_of([(whole, False), *((piece, False) for piece in pieces)], rgb)
    assert kept[0].body is whole


@pytest.mark.parametrize("quick", [True, False])
def test_what_is_known_while_stills_are_looked_at_is_the_same_on_every_machine(quick: bool) -> None:
    """Where to look closer follows from it, and so who is found."""
    stills = Stills()
    looks = [Future[list[Sighting]]() for _ in range(9)]
    for k, look in enumerate(looks):
        if quick or k < 5:
            look.set_result([sighting(k / 10)])
        stills.add(k, look)
    assert len(stills.seen) == (9 if quick else 5)
    assert [round(one.centre[0], 1) for (one,) in stills.known] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_a_single_leap_away_and_back_is_a_slip() -> None:
    """The body found between two in one still is not where somebody was: nothing pulls them there."""
    stills = [[sighting(0.5 if k != 9 else 0.65, RED)] for k in range(40)]
    (track,) = tracks_of(TIMES.tolist(), stills)
    assert len(track.seen) == 39
    assert max(walk(track)) < 0.6


def test_nobody_changes_places_so_that_a_stranger_finds_one() -> None:
    """Only the neighbour could be the odd one at the left; both neighbours stay who they are."""
    looks = [share * BLUE + (1 - share) * RED for share in (0.0, 0.26, 0.5)]
    usual = [sighting(0.4, looks[0]), sighting(0.55, looks[1])]
    stills = [usual if k != 20 else [sighting(0.4, looks[2]), usual[1]] for k in range(40)]
    for track, x, look in zip(tracks_of(TIMES.tolist(), stills), (0.4, 0.55), looks, strict=False):
        assert walk(track) == pytest.approx([x] * len(track.seen), abs=0.02)
        for one in track.seen:
            assert one.look == pytest.approx(look)


def test_somebody_who_turns_and_looks_otherwise_is_the_same_person() -> None:
    stills = [[sighting(0.5, RED if k < 20 else BLUE)] for k in range(40)]
    (track,) = tracks_of(TIMES.tolist(), stills)
    assert len(track.seen) == 40


@pytest.mark.parametrize("left", [-10, 30, 70])
def test_what_is_found_in_a_part_is_put_back(left: int) -> None:
    """A spot that only one pixel has is found in the part, over an edge too, and put back where it was."""
    rgb = np.zeros((60, 100, 3), np.uint8)
    rgb[31, left + 12] = 255
    view = View(left, 20, 40, 20)
    part = view.cut(rgb)
    row, column = np.argwhere(part[..., 0] == 255)[0]
    spot = np.array([column, row]) / part.shape[0]
    found = Body(np.zeros((1, 3), np.float32), spot[None].astype(np.float32), np.ones(1, np.float32))
    x, y = view.put_back(found, 60).image[0] * 60
    assert abs(x - left - 12) <= 1
    assert abs(y - 31) <= 1


def test_squares_cover_the_whole_picture() -> None:
    covered = np.zeros((90, 160), bool)
    for view in tiles(np.zeros((90, 160, 3), np.uint8), 0.6):
        assert (view.width, view.height) == (64, 64)
        covered[view.top : view.top + view.height, view.left : view.left + view.width] = True
    assert covered.all()


def noisy(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (9, 16, 3), np.uint8).repeat(10, 0).repeat(10, 1)


@pytest.mark.parametrize("length", [40, 24])
def test_a_cut_is_found_and_a_flash_is_none(length: int) -> None:
    cuts = Cuts()
    for frame in range(length):
        picture = noisy(0 if frame < 20 else 1)
        cuts.see(np.full_like(picture, 255) if frame == 10 else picture)
    assert cuts.end() == [20]


def test_a_picture_that_moves_has_no_cuts() -> None:
    cuts, picture = Cuts(), noisy(3)
    for frame in range(30):
        cuts.see(np.roll(picture, 2 * frame, axis=1))
    assert cuts.end() == []


def test_two_people_are_never_read_off_one_body() -> None:
    tracks = []
    for x in (0.5, 1.2):
        track = Track()
        for time_s in np.arange(13) * 0.16:
            track.add(float(time_s), sighting(x))
        tracks.append(track)
    where = places((0.5, 0.5), (1.2, 0.5))
    where[20:30, 0] = (1.2, 0.5)  # the first is read off the second for a while
    present = without_usurpers(poses_of(where), tracks, [0, 1]).present
    assert not present[20:30, 0].any()
    assert present[:20, 0].all()
    assert present[:, 1].all()


def test_who_is_seen_longest_does_not_win_by_that() -> None:
    where = places((0.5, 0.5), (1.2, 0.5), frames=100)
    present = np.ones((100, 2), np.bool_)
    present[40:, 1] = False
    poses = poses_of(where, present)
    larger = poses.image.copy()
    larger[:40, 1] = 1.2 + 1.4 * (larger[:40, 1] - 1.2)
    assert dancer_index(replace(poses, image=larger), "largest") == 1
    moving = poses.image.copy()
    moving[:40, 1] += 0.03 * np.sin(np.arange(40))[:, None, None]
    moving[:, 0] += 0.01 * np.sin(np.arange(100))[:, None, None]
    assert dancer_index(replace(poses, image=moving), "most_active") == 1


def test_a_body_imagined_for_a_moment_is_not_the_most_active() -> None:
    present = np.ones((100, 2), np.bool_)
    present[15:, 1] = False
    poses = poses_of(places((0.5, 0.5), (1.2, 0.5), frames=100), present)
    moving = poses.image.copy()
    moving[:, 0] += 0.03 * np.sin(np.arange(100) / 2)[:, None, None]
    moving[:, 1] += 0.18 * np.sin(np.arange(100) / 2)[:, None, None]  # leaps about, six times as far
    assert dancer_index(replace(poses, image=moving), "most_active") == 0


def test_joints_that_are_hardly_seen_move_nobody() -> None:
    poses = poses_of(places((0.5, 0.5), (1.2, 0.5), frames=100))
    moving, seen = poses.image.copy(), poses.visibility.copy()
    moving[:, 0] += 0.03 * np.sin(np.arange(100) / 2)[:, None, None]
    legs = BODY[-4:]
    moving[:, 1, legs] += 0.2 * np.sin(np.arange(100) / 2)[:, None, None]  # guessed anew each time
    assert dancer_index(replace(poses, image=moving), "most_active") == 1
    seen[:, 1, legs] = 0.1
    assert dancer_index(replace(poses, image=moving, visibility=seen), "most_active") == 0


def test_of_two_of_one_size_who_is_always_seen_is_the_largest() -> None:
    present = np.ones((50, 2), np.bool_)
    present[20:30, 0] = False
    poses = poses_of(places((0.3, 0.5), (0.9, 0.5)), present)
    assert dancer_index(poses, "largest") == 1
    for larger, chosen in ((1.01, 1), (1.1, 0)):
        image = poses.image.copy()
        image[:, 0] = 0.3 + larger * (image[:, 0] - 0.3)
        assert dancer_index(replace(poses, image=image), "largest") == chosen


def test_points_regions_and_the_centre_choose() -> None:
    poses = poses_of(places((0.3, 0.5), (0.9, 0.5), (1.5, 0.5)), aspect=16 / 9)
    assert dancer_index(poses, "centre") == 1
    assert [dancer_index(poses, At(x, 0.5)) for x in (0.1, 0.55, 0.9)] == [0, 1, 2]
    assert dancer_index(poses, Region(0.7, 0.0, 0.3, 1.0)) == 2
    assert followed(poses, "blend") == [0, 1, 2]
    assert select_dancer(poses, "blend").people == 3
    with pytest.raises(SettingError, match="Nobody's trunk"):
        dancer_index(poses, Region(0.0, 0.0, 0.05, 0.05))
    with pytest.raises(SettingError, match="do not know"):
        dancer_index(replace(poses, aspect=None), At(0.5, 0.5))
    for wrong in ((1.2, 0.5), (0.5, -0.1)):
        with pytest.raises(SettingError, match="0 to 1"):
            At(*wrong)


def test_a_point_is_looked_at_in_its_moment() -> None:
    where = places((0.3, 0.5), (1.5, 0.5), frames=100)
    where[50:] = where[50:, ::-1]
    poses = poses_of(where, aspect=16 / 9)
    assert dancer_index(poses, At(0.2, 0.5)) == 0
    assert dancer_index(poses, At(0.2, 0.5, 3.0)) == 1


def test_losses_changes_cuts_and_empty_pictures_are_told_with_their_times() -> None:
    present = np.ones((100, 2), np.bool_)
    present[25:50, 0] = False
    present[75:] = False
    poses = poses_of(places((0.3, 0.5), (1.5, 0.5), frames=100), present, cuts_s=(2.4,), changes=((1, 2.4),))
    told = events(poses, [0])
    assert [(one.kind, one.start_s, one.end_s) for one in told] == [
        ("lost", 1.0, 2.0),
        ("cut", 2.4, 2.4),
        ("nobody", 3.0, 4.0),
    ]
    assert "from 1.0 s to 2.0 s" in told[0].text
    assert "to the end at 4.0 s" in told[2].text
    assert [one.kind for one in events(poses, [1])] == ["change", "cut", "nobody"]
    assert "another person" in events(poses, [1])[0].text


def test_cuts_and_changes_go_with_the_frames_and_people_and_into_files(tmp_path: Path) -> None:
    poses = poses_of(places((0.3, 0.5), (1.5, 0.5)), cuts_s=(0.4, 1.2), changes=((1, 1.2),), aspect=1.5)
    later = poses.frames_at(slice(20, 50))
    assert later.cuts_s == pytest.approx((0.4,))
    assert poses.people_at([1]).changes == ((0, 1.2),)
    assert poses.people_at([0]).changes == ()
    kept = load_poses(save_poses(poses, tmp_path / "poses.npz"))
    assert (kept.cuts_s, kept.aspect) == (poses.cuts_s, poses.aspect)


def test_no_gap_is_filled_across_a_cut() -> None:
    present = np.ones((50, 1), np.bool_)
    present[[20, 21, 30, 31]] = False
    poses = poses_of(places((0.5, 0.5)), present, cuts_s=(21 / FPS,))
    filled = fill_gaps(poses, 0.2).present[:, 0]
    assert np.flatnonzero(~filled).tolist() == [20, 21]
