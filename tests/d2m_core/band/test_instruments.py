"""Instruments for the band: a soundfont of a folder, one that is fetched, or none at all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from d2m_core.band import Materials, find_instruments, instruments
from d2m_core.band.instruments import SOUNDFONT

BODY = bytes(range(256)) * 400
FONT = b"RIFF" + (len(BODY) + 4).to_bytes(4, "little") + b"sfbk" + BODY


class Site(ThreadingHTTPServer):
    """A server of one file; `answers` of so many bytes each, then whole ones."""

    content = FONT
    cut: tuple[int, ...] = ()
    ranges = True
    asked: list[str | None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []


class Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        turn = len(self.server.asked)
        self.server.asked.append(wanted)
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        rest = self.server.content[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.cut[turn]] if turn < len(self.server.cut) else rest)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with Site() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setattr(instruments, "SOUNDFONT_ADDRESS", f"http://127.0.0.1:{server.server_port}/f")
        monkeypatch.setattr(instruments, "installed_materials", Materials)
        monkeypatch.setattr(instruments, "font_library", lambda: object())
        yield server
        server.shutdown()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_soundfont_is_fetched_once_with_its_licence(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = find_instruments(tmp_path, download=True, on_progress=lambda *at: seen.append(at))
    assert [path.read_bytes() == FONT for path in found.soundfonts] == [True]
    assert "MIT" in (tmp_path / "MuseScore_General_LICENSE.txt").read_text()
    assert seen[-1] == (len(FONT), len(FONT))
    assert find_instruments(tmp_path, download=True).soundfonts == found.soundfonts
    assert len(site.asked) == 1


def test_without_consent_nothing_is_asked_and_a_sentence_says_what_to_do(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert find_instruments(tmp_path).soundfonts == ()
    assert not site.asked
    assert f"put {SOUNDFONT} into" in caplog.text


def test_nothing_is_fetched_that_nothing_here_could_play(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruments, "font_library", lambda: None)
    assert find_instruments(tmp_path, download=True).soundfonts == ()
    assert not site.asked


@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_goes_on_or_begins_anew(site: Site, tmp_path: Path, ranges: bool) -> None:
    site.cut, site.ranges = (30_000, 20_000), ranges
    (font,) = find_instruments(tmp_path, download=True).soundfonts
    assert font.read_bytes() == FONT
    assert site.asked == [None, "bytes=30000-", f"bytes={50_000 if ranges else 20_000}-"]


@pytest.mark.parametrize(
    ("content", "cut", "said"),
    [
        (FONT, (10, 10, 10), f"ended after 30 of {len(FONT)} bytes"),
        (b"<html>not here</html>", (), "what came is no soundfont"),
        (FONT[:-100], (), f"a soundfont of {len(FONT)} bytes came with {len(FONT) - 100}"),
    ],
)
def test_what_is_not_the_soundfont_is_one_sentence_and_leaves_nothing(
    site: Site,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    cut: tuple[int, ...],
    said: str,
) -> None:
    site.content, site.cut = content, cut
    assert find_instruments(tmp_path, download=True).soundfonts == ()
    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert said in record.getMessage()
    assert record.getMessage().endswith("The band plays its own synthesisers.")
    assert files_in(tmp_path) == []


def test_without_a_network_the_band_plays_its_own(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruments, "SOUNDFONT_ADDRESS", "http://127.0.0.1:9/nobody")
    assert find_instruments(tmp_path, download=True).soundfonts == ()
    assert "could not be fetched (" in caplog.text
    assert files_in(tmp_path) == []


def test_a_cancelled_fetch_leaves_nothing(site: Site, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_instruments(tmp_path, download=True, on_progress=stop)
    assert files_in(tmp_path) == []
