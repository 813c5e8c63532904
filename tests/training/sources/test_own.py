"""The user's own videos, and tables of links."""

from __future__ import annotations

from pathlib import Path

import pytest

from d2m_core.errors import SettingError
from training.sources import SOURCES, Recording, SourceOptions, Unreadable, link_list, recordings
from training.sources.link_list import video_key
from training.sources.recording import PASSED_OVER
from training.sources.tables import seconds

from .samples import write_lines, write_tone


def read(source: str, root: Path, **given: object) -> list[Recording | Unreadable]:
    return list(recordings(source, SourceOptions(root, **given)))  # type: ignore[arg-type]


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_an_unknown_source_names_the_choices() -> None:
    with pytest.raises(SettingError, match="'youtube'; choose folder, list, aist, d2m_gan"):
        recordings("youtube", SourceOptions(Path(".")))
    names = "folder list aist d2m_gan cdcd loris siggraph_asia_2024 dance_with_melody"
    assert list(SOURCES) == names.split()


def test_a_folder_gives_videos_of_any_depth_with_the_style_of_their_folder(tmp_path: Path) -> None:
    names = ("b.mp4", "a.MOV", "House/x/y.mkv", "x.txt", ".hidden/c.mp4", "Tänze/ä 1.mp4", "b.mov")
    found = read("folder", touch(tmp_path, *names), style="funk")
    hidden = [(one.where, one.reason) for one in found if isinstance(one, Unreadable)]
    assert hidden == [(".hidden/c.mp4", PASSED_OVER)]
    rows = [one for one in found if isinstance(one, Recording)]
    assert [one.performance for one in rows] == ["House/x/y.mkv", "Tänze/ä 1.mp4", "a.MOV", "b.mov", "b.mp4"]
    assert [one.style for one in rows] == ["house", "funk", "funk", "funk", "funk"]
    assert len({one.name for one in rows}) == 5
    assert rows[4].name == "b"
    assert rows[1].name.startswith("T_nze_1-")
    assert found == read("folder", tmp_path, style="funk")
    write_lines(tmp_path / "labels.csv", "style,file", "house", "house,b.mp4")
    *labelled, odd = sorted(read("folder", tmp_path), key=lambda one: isinstance(one, Unreadable))
    assert isinstance(odd, Unreadable)
    assert [one.style for one in labelled if isinstance(one, Recording)][-1] == "house"
    with pytest.raises(SettingError, match="is not a folder"):
        read("folder", tmp_path / "none")


def test_labels_cut_and_name_stretches(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "sub/b.mp4", "c.mp4")
    music = write_tone(tmp_path / "songs" / "s1.wav", 0.1)
    write_lines(
        tmp_path / "labels.csv",
        "\ufefffile;style;start;end;song;performance;music",
        "a.mp4;Vogue;0:05;12,5;tune;;",
        "a.mp4;;1:00:00;;tune;p2;",
        "sub/b.mp4;;;;;;s1.wav",
        "gone.mp4;;;;;;",
        "c.mp4;;9;3;;;",
        "c.mp4;;;;;;none.wav",
    )
    found = read("folder", tmp_path, music=music.parent)
    rows = [one for one in found if isinstance(one, Recording)]
    assert [(r.start_s, r.end_s, r.song, r.performance, r.style) for r in rows] == [
        (5.0, 12.5, "tune", "a.mp4", "Vogue"),
        (3600.0, None, "tune", "p2", ""),
        (0.0, None, "s1", "sub/b.mp4", ""),
    ]
    assert rows[2].music == music
    bad = [(one.where, one.why) for one in found if isinstance(one, Unreadable)]
    assert [where for where, _ in bad] == [f"labels.csv, line {n}" for n in (5, 6, 7)]
    assert "gone.mp4" in bad[0][1]
    assert "not after the start" in bad[1][1]
    assert "none.wav" in bad[2][1]


LINES = (
    ("https://youtu.be/abcdefghijk", "01:02:03.250", "1:02:10", 3723.25, 3730.0),
    ("https://www.youtube.com/watch?v=abcdefghijk&t=3", "1:02", "65.5", 62.0, 65.5),
    ("http://127.0.0.1/x,y;z.mp4", "", "", 0.0, None),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
def test_lists_of_every_shape_read_the_same(
    tmp_path: Path, encoding: str, delimiter: str, header: bool
) -> None:
    lines = ["# my dances", "", *([delimiter.join(("URL", "Start", "End"))] if header else [])]
    lines += [delimiter.join((f'"{url}"', start, end)) for url, start, end, _, _ in LINES]
    path = tmp_path / "list.csv"
    path.write_bytes("\r\n".join([*lines, delimiter * 2, ""]).encode(encoding))
    rows = [one for one in read("list", path, sections=False) if isinstance(one, Recording)]
    assert [(one.url, one.start_s, one.end_s) for one in rows] == [
        (url, start_s, end_s) for url, _, _, start_s, end_s in LINES
    ]
    assert rows[0].performance == rows[1].performance == "youtube abcdefghijk"
    assert len({one.name for one in rows}) == 3


def test_bad_lines_are_told_with_their_number(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "list.csv",
        "style,url,end,start",
        "house,https://a.example/v.mp4,5,1",
        ",ftp://a.example/v.mp4,5,1",
        ",https://a.example/v.mp4,1:75,1",
        ',"https://a.example/v.mp4,5,1',
        ",https://a.example/v.mp4#t=3,5,1",
        ",https://a.example/v.mp4,6,1,,,surplus",
        ",https://a.example/w.mp4,soon,1",
        ",http://[x/w.mp4,5,1",
        "house",
    )
    first, *bad = read("list", path, sections=False)
    assert isinstance(first, Recording)
    assert (first.style, first.start_s, first.end_s) == ("house", 1.0, 5.0)
    assert [one.where for one in bad if isinstance(one, Unreadable)] == [
        f"list.csv, line {number}" for number in range(3, 11)
    ]
    whys = [one.why for one in bad if isinstance(one, Unreadable)]
    for why, part in zip(
        whys,
        ("ftp", "end at 59", "quotes", "same as in", "7 fields", "'soon'", "[x", "not a link"),
        strict=True,
    ):
        assert part in why


def test_with_ffmpeg_links_name_their_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_lines(tmp_path / "l", "https://a.example/v,90,112.5", "https://a.example/v,3")
    names = [one.name for one in read("list", path, sections=False) if isinstance(one, Recording)]
    monkeypatch.setattr(link_list.shutil, "which", lambda name: f"/bin/{name}")
    one, other = (each for each in read("list", path) if isinstance(each, Recording))
    assert (one.url, one.start_s, one.end_s) == ("https://a.example/v#t=90,112.5", 0.0, 22.5)
    assert (other.url, other.start_s, other.end_s) == ("https://a.example/v", 3.0, None)
    assert [one.name, other.name] == names
    assert video_key(one.url) == video_key(other.url)


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "-1", "1:60", "1:60:00", "1e3", "0x1", "1:"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        seconds(text)
