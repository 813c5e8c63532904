"""Poses that were found are found again, and nothing else is ever taken for them."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import PoseError
from d2m_core.pose import __main__ as command
from d2m_core.pose import forget_poses, kept, kept_poses
from d2m_core.types import LANDMARKS, PoseSequence, VideoClip


def poses(seed: int = 0, frames: int = 5) -> PoseSequence:
    rng = np.random.default_rng(seed)
    shape = (frames, 1)
    return PoseSequence(
        rng.normal(size=(*shape, LANDMARKS, 3)).astype(np.float32),
        rng.normal(size=(*shape, LANDMARKS, 2)).astype(np.float32),
        rng.random((*shape, LANDMARKS), np.float32),
        rng.random(shape) > 0.5,
        29.97,
    )


class Looked:
    """Counts how often somebody looks."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> PoseSequence:
        self.times += 1
        return poses(self.times)


@pytest.fixture
def clip(tmp_path: Path) -> VideoClip:
    path = tmp_path / "dance.mp4"
    path.write_bytes(os.urandom(3000))
    return VideoClip(path, 2.0, 64, 48, 4.0, "h264", Fraction(25), 0.0)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "pose.task"
    path.write_bytes(b"a network")
    return path


def test_the_same_clip_is_looked_at_once(clip: VideoClip, bundle: Path, tmp_path: Path) -> None:
    look, folder = Looked(), tmp_path / "kept"
    first = kept_poses(look, clip, bundle, {"people": 1}, folder)
    again = kept_poses(look, clip, bundle, {"people": 1}, folder)
    assert look.times == 1
    for field in fields(PoseSequence):
        one, other = getattr(first, field.name), getattr(again, field.name)
        np.testing.assert_array_equal(one, other)
        assert type(one) is type(other)
    assert forget_poses(folder) == 1
    kept_poses(look, clip, bundle, {"people": 1}, folder)
    assert look.times == 2


def test_whatever_changes_it_is_looked_at_again(
    clip: VideoClip, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, folder = Looked(), tmp_path / "kept"

    def at(clip: VideoClip = clip, **settings: object) -> None:
        before = look.times
        kept_poses(look, clip, bundle, settings, folder)
        assert look.times == before + 1, "found again"
        kept_poses(look, clip, bundle, settings, folder)
        assert look.times == before + 1, "and kept"

    at()
    at(people=2)
    at(replace(clip, start_s=0.5))
    at(replace(clip, duration_s=1.5))
    facts = clip.path.stat()
    content = clip.path.read_bytes()
    clip.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(clip.path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    at()  # the same size and date
    os.utime(clip.path, (1, 1))
    at()
    bundle.write_bytes(b"another network")
    at()
    monkeypatch.setattr(kept, "_code", lambda: "a later version")
    at()


def test_what_was_asked_for_longest_ago_goes_first(clip: VideoClip, bundle: Path, tmp_path: Path) -> None:
    look, folder = Looked(), tmp_path / "kept"

    def ask(number: int, most_mb: float = 256) -> None:
        kept_poses(look, clip, bundle, {"number": number}, folder, most_mb=most_mb)

    for number in range(4):
        ask(number)
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for age, path in enumerate(files):
        os.utime(path, (age, age))
    ask(0)  # asked for again: now the latest
    size = files[0].stat().st_size
    ask(4, most_mb=3.5 * size / 1e6)
    assert len(list(folder.iterdir())) == 3
    times = look.times
    ask(0)
    ask(3)
    ask(4)
    assert look.times == times


def test_damage_and_a_full_disk_only_cost_time(clip: VideoClip, bundle: Path, tmp_path: Path) -> None:
    look, folder = Looked(), tmp_path / "kept"
    kept_poses(look, clip, bundle, {}, folder)
    file = next(folder.iterdir())
    for content in (b"", b"nonsense", file.read_bytes()[:-100]):
        file.write_bytes(content)
        before = look.times
        kept_poses(look, clip, bundle, {}, folder)
        assert look.times == before + 1
    blocked = tmp_path / "a file"
    blocked.write_bytes(b"")
    assert kept_poses(look, clip, bundle, {}, blocked / "kept").frames == 5


def test_what_could_not_be_found_is_not_kept(clip: VideoClip, bundle: Path, tmp_path: Path) -> None:
    def nobody() -> PoseSequence:
        raise PoseError("Nobody.")

    for _ in range(2):
        with pytest.raises(PoseError):
            kept_poses(nobody, clip, bundle, {}, tmp_path / "kept")
    assert not list(tmp_path.glob("kept/*"))


def test_the_command_forgets(
    clip: VideoClip,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("D2M_CACHE", str(tmp_path / "cache"))
    kept_poses(Looked(), clip, bundle, {})
    assert len(list((tmp_path / "cache" / "poses").iterdir())) == 1
    assert command.main(["--forget"]) == 0
    assert "1 clips forgotten" in capsys.readouterr().out
    assert not list((tmp_path / "cache" / "poses").iterdir())
