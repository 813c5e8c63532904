"""yt-dlp against a small server on this machine: whole, broken, busy and slow links."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from d2m_core.errors import MediaError
from d2m_core.media import iter_frames, load_audio, open_clip
from tests.media import make_clip, read_number
from training.build_dataset import order_of, parser
from training.sources import Recording, SourceOptions, fetch, recordings

from .samples import write_lines

pytest.importorskip("yt_dlp", reason="links need the extra `sources`")

SLOW_S = 60.0


@dataclass
class Site:
    """What the server serves, and what it was asked."""

    url: str = ""
    clip: bytes = b""
    asked: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)

    def body(self, path: str, cookies: str) -> tuple[int, bytes]:
        if path == "/cookie.mp4":
            return (200, self.clip) if "key=secret" in cookies else (403, b"")
        if path == "/busy.mp4" and self.asked[path] == 1:
            return 503, b""
        if path == "/slow.mp4":
            self.stop.wait(SLOW_S)
        bodies = {"/text.mp4": b"no video " * 500, "/cut.mp4": self.clip[: len(self.clip) // 2]}
        return (404, b"") if path == "/gone.mp4" else (200, bodies.get(path, self.clip))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site()
    folder = tmp_path_factory.mktemp("served")
    site.clip = make_clip(folder / "dance.mp4", duration_s=3.0, audio=True).read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked[self.path] += 1
            status, body = site.body(self.path, self.headers.get("Cookie", ""))
            self.send_response(status)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked may have gone
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield site
    site.stop.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(served: Site) -> Site:
    served.asked.clear()
    return served


def options(folder: Path, **given: object) -> SourceOptions:
    return SourceOptions(
        folder,
        **{"retries": 1, "wait_s": 0.01, "timeout_s": 2.0, **given},  # type: ignore[arg-type]
    )


def linked(site: Site, path: str, **given: object) -> Recording:
    return Recording("r", "list", url=f"{site.url}{path}", **given)  # type: ignore[arg-type]


def test_a_link_comes_once_however_many_ask(site: Site, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    rows = [linked(site, "/dance.mp4", start_s=s, end_s=s + 1) for s in (0.0, 1.0, 2.0)]
    with ThreadPoolExecutor(3) as pool:
        paths = list(pool.map(lambda row: fetch(row, cache, options(tmp_path)), rows))
    assert len(set(paths)) == 1
    assert paths[0].read_bytes() == site.clip
    assert open_clip(paths[0], 2.0, 1.0).has_audio
    once = site.asked["/dance.mp4"]
    fetch(rows[0], cache, options(tmp_path))
    assert site.asked["/dance.mp4"] == once
    kept = [path.name for path in cache.iterdir() if not path.name.endswith(".lock")]
    assert kept == [paths[0].name]


def test_own_videos_are_themselves(tmp_path: Path) -> None:
    own = Recording("r", "folder", video=make_clip(tmp_path / "a.mp4"))
    assert fetch(own, tmp_path / "cache", options(tmp_path)) == own.video
    with pytest.raises(MediaError, match="is gone"):
        fetch(Recording("r", "folder", video=tmp_path / "b.mp4"), tmp_path, options(tmp_path))
    with pytest.raises(MediaError, match="only poses"):
        fetch(Recording("r", "aist", poses=tmp_path / "b.pkl"), tmp_path, options(tmp_path))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/gone.mp4", "cannot be downloaded .*404"),
        ("/text.mp4", "gave no whole video"),
        ("/cut.mp4", "gave no whole video"),
    ],
)
def test_broken_links_are_one_sentence_and_leave_nothing(
    site: Site, tmp_path: Path, path: str, said: str
) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(MediaError, match=said) as raised:
        fetch(linked(site, path), cache, options(tmp_path))
    assert "\n" not in str(raised.value)
    assert [one for one in cache.iterdir() if one.suffix != ".lock"] == []
    if path == "/gone.mp4":
        assert site.asked[path] == 1  # what is gone is not asked for again


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    assert fetch(linked(site, "/busy.mp4"), tmp_path / "c", options(tmp_path)).stat().st_size
    site.asked.clear()
    with pytest.raises(MediaError, match="503"):
        fetch(linked(site, "/busy.mp4"), tmp_path / "d", options(tmp_path, retries=0))


def test_a_silent_server_is_given_up_in_time(site: Site, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(MediaError, match="timed out"):
        fetch(linked(site, "/slow.mp4"), tmp_path / "c", options(tmp_path, timeout_s=0.3))
    assert time.monotonic() - began < SLOW_S / 2
    assert site.asked["/slow.mp4"] == 2  # tried again once


def test_cookies_archive_and_rate_limit_reach_the_download(site: Site, tmp_path: Path) -> None:
    row = linked(site, "/cookie.mp4")
    with pytest.raises(MediaError, match="403"):
        fetch(row, tmp_path / "a", options(tmp_path))
    cookies = write_lines(
        tmp_path / "cookies.txt",
        "# Netscape HTTP Cookie File",
        "127.0.0.1\tFALSE\t/\tFALSE\t4000000000\tkey\tsecret",
    )
    how = options(tmp_path, cookies=cookies, archive=tmp_path / "archive.txt")
    assert fetch(row, tmp_path / "b", how).read_bytes() == site.clip
    with pytest.raises(MediaError, match="archive"):
        fetch(row, tmp_path / "c", how)
    began = time.monotonic()
    fetch(row, tmp_path / "d", options(tmp_path, cookies=cookies, rate_limit=len(site.clip)))
    assert time.monotonic() - began > 0.5


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program")
def test_with_ffmpeg_only_the_section_comes(site: Site, tmp_path: Path) -> None:
    table = write_lines(tmp_path / "list.csv", f"{site.url}/dance.mp4,1,2.5")
    (row,) = recordings("list", SourceOptions(table))
    assert isinstance(row, Recording)
    path = fetch(row, tmp_path / "cache", options(tmp_path))
    clip = open_clip(path)
    assert clip.duration_s == pytest.approx(1.5, abs=0.1)
    first = next(iter(iter_frames(clip)))
    assert read_number(first.rgb) in (29, 30, 31)  # of 30 per second: the one at 1 s
    assert fetch(row, tmp_path / "cache", options(tmp_path)) == path


def test_a_section_that_cannot_be_fetched_is_cut_out_of_the_whole(site: Site, tmp_path: Path) -> None:
    """The server knows no ranges and the index is at the end; without ffmpeg there are no sections at all."""
    cache = tmp_path / "cache"
    rows = [linked(site, f"/dance.mp4#t={times}") for times in ("0.5,2", "1,2.5", "1.5,9")]
    paths = [fetch(row, cache, options(tmp_path)) for row in rows]
    for path, first, seconds in zip(paths, (15, 30, 45), (1.5, 1.5, 1.5), strict=True):
        clip = open_clip(path)
        assert clip.duration_s == pytest.approx(seconds, abs=0.05)
        assert read_number(next(iter(iter_frames(clip))).rgb) in (first - 1, first, first + 1)
        sound = load_audio(path)
        assert sound.duration_s == pytest.approx(seconds, abs=0.05)
        assert float(sound.samples.abs().max()) > 0.05
    assert len({path.read_bytes() for path in paths}) == 3
    asked = site.asked["/dance.mp4"]
    assert [fetch(row, cache, options(tmp_path)) for row in rows] == paths
    assert site.asked["/dance.mp4"] == asked


def test_a_section_of_a_link_that_is_gone_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="404"):
        fetch(linked(site, "/gone.mp4#t=1,2"), tmp_path / "cache", options(tmp_path))
    assert site.asked["/gone.mp4"] == 1


def test_a_section_behind_the_end_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="starts at 7 s, but"):
        fetch(linked(site, "/dance.mp4#t=7,9"), tmp_path / "cache", options(tmp_path))


def test_sections_can_be_switched_off(tmp_path: Path) -> None:
    table = write_lines(tmp_path / "list.csv", "https://a.example/v,90,112.5")
    args = parser().parse_args(["--out", "x", "--source", "list", "--root", str(table), "--no-sections"])
    order = order_of(args)
    (row,) = recordings("list", order.options)
    assert isinstance(row, Recording)
    assert (row.url, row.start_s, row.end_s) == ("https://a.example/v", 90.0, 112.5)
    assert order_of(parser().parse_args(["--out", "x", "--root", str(table)])).options.sections
