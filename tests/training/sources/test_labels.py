"""Names in labels.csv as people's machines write them; nothing is passed over without a word."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from training.sources import Recording, SourceOptions, Unreadable, recordings
from training.sources.names import VIDEO_SUFFIXES
from training.sources.recording import LABEL_LOST, NO_VIDEO, PASSED_OVER, UNREADABLE
from training.sources.splits import assign_splits

from .samples import write_lines, write_tone

FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def folder(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def read(root: Path, **given: object) -> tuple[dict[str, Recording], list[tuple[str, str, str]]]:
    """Recordings by their video, and what is left out: where, reason, why."""
    found = list(recordings("folder", SourceOptions(root, **given)))  # type: ignore[arg-type]
    taken = {
        one.video.relative_to(root).as_posix(): one
        for one in found
        if isinstance(one, Recording) and one.video
    }
    return taken, [(one.where, one.reason, one.why) for one in found if isinstance(one, Unreadable)]


@pytest.mark.parametrize("on_disk", FORMS)
@pytest.mark.parametrize("written", FORMS)
def test_labels_in_any_unicode_form_find_their_video(tmp_path: Path, on_disk: str, written: str) -> None:
    name = unicodedata.normalize(on_disk, "café ﬁn/été 舞 가.mp4")
    label = unicodedata.normalize(written, "café ﬁn/été 舞 가.mp4")
    write_lines(folder(tmp_path, name) / "labels.csv", "file,song", f'"{label}",tune')
    taken, left = read(tmp_path)
    assert [(one.song, one.start_s) for one in taken.values()] == [("tune", 0.0)]
    assert left == []


@pytest.mark.parametrize(
    "label",
    [
        "House\\my dance.MP4",
        "house/My Dance.mp4",
        ".\\house\\my dance.mp4",
        "/House/my dance.MP4",
        "./House//my dance.MP4",
    ],
)
def test_labels_from_windows_find_their_video(tmp_path: Path, label: str) -> None:
    write_lines(folder(tmp_path, "House/my dance.MP4") / "labels.csv", f"{label},tune")
    taken, left = read(tmp_path)
    assert [one.song for one in taken.values()] == ["tune"]
    assert left == []


@pytest.mark.parametrize(
    "line", ['"plain.mp4" ,tune', '"plain.mp4"  , "tune" ', ' "plain.mp4" ,"tune"', '"plain.mp4",tune']
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spaces_around_quotes_are_nothing(tmp_path: Path, line: str, delimiter: str) -> None:
    write_lines(
        folder(tmp_path, "plain.mp4") / "labels.csv",
        "file,song".replace(",", delimiter),
        line.replace(",", delimiter),
    )
    taken, left = read(tmp_path)
    assert taken["plain.mp4"].song == "tune"
    assert left == []


def test_the_table_may_be_called_in_capitals(tmp_path: Path) -> None:
    write_lines(folder(tmp_path, "a.mp4") / "Labels.CSV", "file,song", "a.mp4,tune")
    assert read(tmp_path)[0]["a.mp4"].song == "tune"


def test_what_cannot_be_told_apart_is_said(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.mp4", "A.MP4")
    write_lines(root / "labels.csv", "file,song", "A.mp4,tune", "a.mp4,other")
    taken, left = read(root)
    assert taken["a.mp4"].song == "other"
    assert (
        "labels.csv, line 2",
        NO_VIDEO,
        "'A.mp4' may be 'A.MP4' or 'a.mp4'; write it as the file is called",
    ) in left
    assert "A.MP4" not in taken  # its row may have been meant


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("house/my_danse 7.mp4,tune", NO_VIDEO),
        ("My Dance 7.mov,tune", NO_VIDEO),
        ('"house/my dance 7.mp4,tune', UNREADABLE),
        ('"house/my dance 7.mp4"x,tune', UNREADABLE),
        ("house/my dance 7.mp4,tune,p,house,0,5,s.wav,more", UNREADABLE),
    ],
)
def test_a_video_whose_label_is_lost_is_not_taken_without_its_song(
    tmp_path: Path, row: str, reason: str
) -> None:
    root = folder(tmp_path, "house/my dance 7.mp4", "house/my dance 8.mp4", "other.mp4")
    write_lines(root / "labels.csv", "file,song,performance,style,start,end,music", row)
    taken, left = read(root)
    assert sorted(taken) == ["house/my dance 8.mp4", "other.mp4"]
    assert [(where, why) for where, why, _ in left] == [
        ("labels.csv, line 2", reason),
        ("house/my dance 7.mp4", LABEL_LOST),
    ]
    assert "labels.csv, line 2 may mean it" in left[1][2]


def test_quotes_are_told_for_what_they_are(tmp_path: Path) -> None:
    root = folder(tmp_path, "z.mp4")
    write_lines(root / "labels.csv", "file,song", '"a"b.mp4,t', '"c.mp4,t')
    assert [why for _, _, why in read(root)[1]] == [
        "something follows the end of a quoted field; double the quotes inside it",
        "a quoted field does not end; close its quotes",
    ]


def test_music_is_found_like_videos(tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    path = write_tone(songs / unicodedata.normalize("NFD", "Été/chanson.WAV"), 0.1)
    root = folder(tmp_path / "videos", "a.mp4")
    write_lines(
        root / "labels.csv",
        "file,music",
        unicodedata.normalize("NFC", "été\\chanson.wav").join(["a.mp4,", ""]),
    )
    assert read(root, music=songs)[0]["a.mp4"].music == path


def test_one_song_in_two_forms_is_one_song() -> None:
    forms = [unicodedata.normalize(form, "Séga Été") for form in ("NFC", "NFD")] + ["séga été"]
    for seed in range(20):
        found = [Recording(f"r{n}", "folder", video=Path("v"), song=song) for n, song in enumerate(forms)]
        assert len(set(assign_splits(found, seed=seed, shares=(0.4, 0.3, 0.3)).values())) == 1


USUAL = """.mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .wmv .flv .ts .mts .m2ts .3gp .ogv .mxf .vob .gif
    .asf .f4v .dv"""


@pytest.mark.parametrize("suffix", USUAL.split())
def test_all_usual_videos_are_taken(tmp_path: Path, suffix: str) -> None:
    assert suffix in VIDEO_SUFFIXES
    assert len(read(folder(tmp_path, "one" + suffix, "TWO" + suffix.upper()))[0]) == 2


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    root = folder(
        tmp_path / "root",
        "a.mp4",
        "b.mp4.part",
        ".c.mp4",
        ".trash/d.mp4",
        "._a.mp4",
        "notes.txt",
        ".labels.swp",
    )
    (root / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    folder(tmp_path / "elsewhere", "e.mp4")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    taken, left = read(root)
    assert sorted(taken) == ["a.mp4", "again/e.mp4"]
    assert [(where, reason) for where, reason, _ in left] == [
        (name, PASSED_OVER) for name in (".c.mp4", ".trash/d.mp4", "b.mp4.part", "gone.mp4")
    ]
    assert "has not come whole (.part)" in left[2][2]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everybody's folders are open to root")
def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.mp4", "shut/b.mp4")
    (root / "shut").chmod(0)
    try:
        assert [(where, reason) for where, reason, _ in read(root)[1]] == [("shut", PASSED_OVER)]
    finally:
        (root / "shut").chmod(0o700)
