"""Outputs are planned before work: containers against codecs, names, places, and what is left out."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core import files
from d2m_core.errors import MediaError, SettingError
from d2m_core.files import check_place, not_written
from d2m_core.media import load_audio, open_clip
from d2m_core.media.copied import copying_suffixes, left_out, picture_size
from d2m_core.media.kept import never_lost
from d2m_core.media.mux import best_suffix, mux
from d2m_core.media.plan import check_own_sound, plan_film, plan_output
from d2m_core.types import Waveform

MakeClip = Callable[..., Path]

MUSIC = Waveform(0.3 * torch.sin(torch.arange(48_000) * 0.06).reshape(1, 1, -1), 24_000)

SOURCES = {
    "gif": ("a.gif", dict(codec="gif", pix_fmt="rgb8"), set(), ".mp4"),
    "DNxHR": ("b.mov", dict(codec="dnxhd", pix_fmt="yuv422p", width=256, height=128), {".mov"}, ".mov"),
    "WMV2": ("c.wmv", dict(codec="wmv2"), set(), ".mp4"),
    "FLV1": ("d.flv", dict(codec="flv"), set(), ".mp4"),
    "H.263": ("e.3gp", dict(codec="h263", width=176, height=144), {".mov"}, ".mp4"),
    "VP8": ("f.webm", dict(codec="libvpx"), {".mkv"}, ".mkv"),
    "VP9": ("g.webm", dict(codec="libvpx-vp9"), {".mp4", ".m4v", ".mkv"}, ".mkv"),
    "ProRes": ("h.mov", dict(codec="prores_ks", pix_fmt="yuv422p10le"), {".mov", ".mkv"}, ".mov"),
    "raw": ("i.avi", dict(codec="rawvideo", pix_fmt="yuv420p"), set(), ".mp4"),
    "H.264": ("j.mov", dict(codec="libx264"), {".mp4", ".m4v", ".mov", ".mkv"}, ".mp4"),
    "Animation": ("k.mov", dict(codec="qtrle", pix_fmt="rgb24"), {".mov"}, ".mov"),
}
"""What each can be copied into, and the ending that `auto` chooses."""


def source(make_clip: MakeClip, kind: str) -> tuple[Any, set[str], str]:
    name, settings, copied, best = SOURCES[kind]
    options = {"profile": "dnxhr_hq"} if kind == "DNxHR" else {}
    return open_clip(make_clip(name, duration_s=1.2, fps=25, options=options, **settings)), copied, best


def numbers(path: Path) -> tuple[str, int]:
    """(codec, pictures) of a film, every picture decoded."""
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name, sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("kind", SOURCES)
def test_every_picture_gets_into_every_film(kind: str, make_clip: MakeClip, tmp_path: Path) -> None:
    clip, copied, best = source(make_clip, kind)
    before = clip.path.read_bytes()
    assert set(copying_suffixes(clip)) == copied
    assert best_suffix(clip) == best
    pictures = numbers(clip.path)[1]
    for suffix in (".mp4", ".mov", ".mkv"):
        plan = plan_film(clip, tmp_path / f"out{suffix}")
        assert (plan.recode == "auto") == (suffix in copied)
        assert any("coded again" in notice for notice in plan.notices) == (suffix not in copied)
        made = open_clip(mux(clip, MUSIC, plan.path, recode=plan.recode))
        assert made.duration_s == pytest.approx(clip.duration_s, abs=0.0015)
        assert (made.width, made.height) == (clip.width // 2 * 2, clip.height // 2 * 2)
        wanted = clip.codec if suffix in copied else ("hevc" if kind == "ProRes" else "h264")
        assert numbers(made.path) == (wanted, pictures)
    assert clip.path.read_bytes() == before


@pytest.mark.parametrize("kind", ["gif", "VP8", "ProRes"])
def test_a_copy_that_cannot_be_is_refused_with_endings_that_fit(
    kind: str, make_clip: MakeClip, tmp_path: Path
) -> None:
    clip, copied, _best = source(make_clip, kind)
    with pytest.raises(MediaError, match=r"which \.mp4 files do not hold") as caught:
        plan_film(clip, tmp_path / "out.mp4", "copy")
    assert {suffix for suffix in SUFFIXES if f"{suffix} or" in str(caught.value)} <= copied
    assert all(suffix in str(caught.value) for suffix in copied)
    with pytest.raises(MediaError, match="a part of a clip"):
        plan_film(open_clip(clip.path, 0.1, 1.0), tmp_path / "out.mkv", "copy")
    with pytest.raises(SettingError, match="Recode is 'never'; choose auto, copy, always"):
        plan_film(clip, tmp_path / "out.mp4", "never")


SUFFIXES = (".mp4", ".mov", ".mkv")


def test_what_could_be_copied_is_coded_again_when_asked(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = open_clip(make_clip("clip.mp4", duration_s=1.2, codec="libvpx-vp9"))
    assert numbers(mux(clip, MUSIC, tmp_path / "again.mp4", recode="always"))[0] == "h264"
    assert numbers(mux(clip, MUSIC, tmp_path / "copy.mp4", recode="copy"))[0] == "vp9"


@pytest.mark.parametrize(
    "name", ["舞" * 82 + ".mp4", "é" * 125 + ".mp4", "d" * 251 + ".mkv", "💃" * 62 + ".mov"]
)
def test_any_legal_name_can_be_written(name: str, make_clip: MakeClip, tmp_path: Path) -> None:
    clip = open_clip(make_clip("clip.mp4", duration_s=1.2))
    plan = plan_film(clip, tmp_path / "new folder" / name)
    assert not (tmp_path / "new folder").exists(), "a plan leaves nothing behind"
    assert mux(clip, MUSIC, plan.path).is_file()
    assert os.listdir(tmp_path / "new folder") == [name]


def test_places_that_take_no_file_are_refused_in_their_own_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.wav").mkdir()
    wrong = {
        "舞" * 84 + ".wav": "the name is too long",
        "new/" + "d" * 252 + ".wav": "the name is too long",
        "d" * 256 + "/a.wav": "the name is too long",
        "file/a.wav": "is a file",
        "folder.wav": "it is a folder",
    }
    if Path("/proc/self").exists():
        wrong["/proc/out.wav"] = "takes no files"
    for name, words in wrong.items():
        with pytest.raises(MediaError, match=words) as caught:
            plan_output(tmp_path / name, [".wav"])
        assert "free some space" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.wav"]
    with pytest.raises(MediaError, match=r"needs about 1000000000\.0 GB, and the disk has"):
        check_place(tmp_path / "a.wav", 10**18)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MediaError, match="takes no files from you"):
        plan_output(tmp_path / "a.wav", [".wav"])
    tmp_path.chmod(0o700)


def test_each_cause_has_its_own_sentence() -> None:
    said = {code: str(not_written(Path("x/a.mp4"), OSError(code, "no"))) for code in files._CAUSES}
    assert len(set(said.values())) == len(said) - 2, "two pairs of codes are one cause"
    space = {code for code, text in said.items() if "free some space" in text}
    assert space == {errno.ENOSPC, errno.EDQUOT}
    assert "Invalid argument, so choose another" in str(
        not_written(Path("a.mp4"), OSError(errno.EINVAL, "Invalid argument"))
    )


def test_outputs_may_not_be_the_clip_or_one_another(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = open_clip(make_clip("clip.mp4", duration_s=1.2))
    (tmp_path / "link.mp4").symlink_to(clip.path)
    os.link(clip.path, tmp_path / "hard.mp4")
    for name in ("clip.mp4", "link.mp4", "hard.mp4", "../" + tmp_path.name + "/clip.mp4"):
        with pytest.raises(MediaError, match="is the clip itself"):
            plan_film(clip, tmp_path / name)
    with pytest.raises(MediaError, match="is the name of another result"):
        plan_output(tmp_path / "z.mp4", SUFFIXES, taken=[tmp_path / "." / "z.mp4"])


def test_music_is_kept_where_its_film_cannot_be_written(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = open_clip(make_clip("silent.mp4", duration_s=1.2))
    with (
        pytest.raises(
            MediaError, match=r"has no sound.*; the music is kept in .*out_music_1\.flac\."
        ) as caught,
        never_lost(MUSIC, tmp_path / "out.mp4"),
    ):
        mux(clip, MUSIC, tmp_path / "out.mp4", 0.5)
    kept = tmp_path / "out_music_1.flac"
    assert str(kept) in str(caught.value)
    np.testing.assert_allclose(load_audio(kept).samples, MUSIC.samples, atol=1e-4)
    with pytest.raises(MediaError, match=r"out_music_2\.flac"), never_lost(MUSIC, tmp_path / "out.mp4"):
        raise MediaError("Broken.")
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(MediaError, match="is kept in") as caught,
        never_lost(MUSIC, tmp_path / "file" / "o.mp4"),
    ):
        raise MediaError("Broken.")
    elsewhere = Path(str(caught.value).split("is kept in ")[1].rstrip("."))
    assert load_audio(elsewhere).duration_s == pytest.approx(2.0)
    elsewhere.unlink()


def test_what_is_left_out_is_told(make_clip: MakeClip, tmp_path: Path) -> None:
    plain = make_clip("plain.mp4", duration_s=1.2, audio=True)
    assert left_out(plain) is None
    assert plan_film(open_clip(plain), tmp_path / "out.mp4").notices == ()
    rich = tmp_path / "rich.mkv"
    with av.open(str(plain)) as given, av.open(str(rich), "w") as out:
        streams = [given.streams.video[0], *[given.streams.audio[0]] * 3]
        copies = [out.add_stream_from_template(stream) for stream in streams]
        out.add_attachment("font.ttf", "font/ttf", b"glyphs")
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = copies[0]
                out.mux(packet)
    assert left_out(rich) == "2 further sound tracks and 1 attached file"
    notice = "rich.mkv also holds 2 further sound tracks and 1 attached file, which out.mp4 leaves out."
    assert notice in plan_film(open_clip(rich), tmp_path / "out.mp4").notices


def test_sound_that_is_promised_but_not_there_is_refused_before_work(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    plain = make_clip("plain.mp4", duration_s=1.2, audio=True)
    check_own_sound(open_clip(plain))
    empty = tmp_path / "nosamples.mkv"
    with av.open(str(plain)) as given, av.open(str(empty), "w") as out:
        copies = [out.add_stream_from_template(s) for s in (given.streams.video[0], given.streams.audio[0])]
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = copies[0]
                out.mux(packet)
    with pytest.raises(MediaError, match=r"nosamples\.mkv"):
        check_own_sound(open_clip(empty))
    with pytest.raises(MediaError, match="no sound to keep"):
        check_own_sound(open_clip(make_clip("silent.mp4", duration_s=1.2)))


def test_transparency_stays_marked(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("alpha.webm", duration_s=1.2, codec="libvpx-vp9", pix_fmt="yuva420p")
    made = mux(open_clip(path), MUSIC, tmp_path / "out.mkv")
    for film in (path, made):
        with av.open(str(film)) as container:
            tags = {name.lower(): value for name, value in container.streams.video[0].metadata.items()}
        assert tags.get("alpha_mode") == "1", film.name


def test_prores_4444_keeps_its_twelve_bits(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(
        "4444.mov", duration_s=1.2, codec="prores_ks", pix_fmt="yuv444p10le", options={"profile": "4444"}
    )
    with av.open(str(mux(open_clip(path), MUSIC, tmp_path / "out.mkv"))) as container:
        context = container.streams.video[0].codec_context
        assert (context.codec_tag, context.pix_fmt) == ("ap4h", "yuv444p12le")


def test_the_size_of_the_pictures_is_known_within_a_half(make_clip: MakeClip) -> None:
    noise = np.random.default_rng(0)

    def paint(_index: int, width: int, height: int) -> np.ndarray:
        return noise.integers(0, 256, (height, width, 3), np.uint8)

    for name in ("a.mp4", "a.mkv"):
        clip = open_clip(make_clip(name, duration_s=1.2, paint=paint))
        with av.open(str(clip.path)) as container:
            really = sum(packet.size for packet in container.demux(video=0))
        assert 0.4 * really < picture_size(clip) < 1.1 * really


def test_pictures_that_would_stay_for_hours_are_taken_for_damage(make_clip: MakeClip) -> None:
    """One flipped bit in the table of an MP4 file makes hours of one picture."""
    hours = make_clip("hours.mp4", times_s=[0.0, 0.1, 0.2, 9_000.0, 9_000.1], codec="libx264")
    with pytest.raises(MediaError, match=r"hours\.mp4 shows 5 pictures in 9000 s"):
        open_clip(hours)
