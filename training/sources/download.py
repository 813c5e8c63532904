"""Videos behind links, brought here by yt-dlp (extra `sources`).

One MP4 of at most 720 lines: poses are found in much smaller pictures. What a server may do better
the next time (silence, a broken connection, an answer like 429 or 503) is tried again with longer
and longer waits, what will stay so (404, no video) is not. What came whole lies in the cache under
the link's own key and is never fetched twice, however many rows or processes ask for it. A stretch
that cannot be fetched by itself (a server without ranges, a site that gives none) is cut here out of
the whole video.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from d2m_core.errors import MediaError, SettingError
from d2m_core.media import open_clip
from d2m_core.media.mux import mux
from d2m_core.types import Waveform

from .link_list import video_key
from .names import digest, safe_name
from .options import SourceOptions
from .recording import Recording

_log = logging.getLogger(__name__)

MAX_LINES = 720

_MERGED = (
    f"bv*[height<={MAX_LINES}][ext=mp4]+ba[ext=m4a]/b[height<={MAX_LINES}][ext=mp4]/"
    f"bv*[height<={MAX_LINES}]+ba/b[height<={MAX_LINES}]/b/bv*"
)
_ONE_FILE = f"b[height<={MAX_LINES}][ext=mp4]/b[height<={MAX_LINES}]/b/bv*"
"""Without the `ffmpeg` program picture and sound cannot be put together."""

_LONGEST_WAIT_S = 60.0
_PASSING = (408, 425, 429)
"""Answers of a server that is only busy, besides those from 500."""
_SECTION_OFF_S = 0.5
"""How much longer or shorter than asked a stretch may be."""
_SILENCE_RATE = 48_000
_SECTION = re.compile(r"(.+)#t=([\d.]+),([\d.]+)")
"""A link to a stretch of a video, in seconds."""


def fetch(recording: Recording, cache: Path, options: SourceOptions) -> Path:
    """The local video of a recording: its own, or its link's, downloaded into `cache`.

    The recording's times hold in it. Raises `MediaError` in one sentence, `SettingError` where
    yt-dlp is not installed.
    """
    if recording.video is not None:
        if not recording.video.is_file():
            raise MediaError(f"{recording.video} is gone; put it back or build again without it.")
        return recording.video
    if not recording.url:
        raise MediaError(f"{recording.name} has no video, only poses; read those.")
    key = safe_name(video_key(recording.url))
    if match := _SECTION.fullmatch(recording.url):
        section = float(match[2]), float(match[3])
        return _cached(
            f"{key}-{digest(recording.url)}",
            cache,
            lambda folder: _section(match[1], key, section, cache, folder, options),
        )
    return _whole(recording.url, key, cache, options)


def _whole(url: str, key: str, cache: Path, options: SourceOptions) -> Path:
    return _cached(key, cache, lambda folder: _download(url, folder, None, options))


def _cached(key: str, cache: Path, bring: Callable[[Path], Path]) -> Path:
    """The video under `key` in the cache; one process at a time brings it there."""
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f".{key}.lock"):
        for path in sorted(cache.glob(f"{key}.*")):
            return path
        with tempfile.TemporaryDirectory(prefix=".load-", dir=cache) as folder:
            loaded = bring(Path(folder))
            path = cache / f"{key}{loaded.suffix}"
            os.replace(loaded, path)
    return path


def _section(
    url: str, key: str, section: tuple[float, float], cache: Path, folder: Path, options: SourceOptions
) -> Path:
    """A stretch of a video: fetched, or where that fails cut out of the whole."""
    try:
        loaded = _download(url, folder, section, options)
        found_s, wanted_s = open_clip(loaded).duration_s, section[1] - section[0]
        if abs(found_s - wanted_s) <= _SECTION_OFF_S:
            return loaded
        _log.info("%s: %.2f s came for %.2f s; taking the whole video", url, found_s, wanted_s)
    except MediaError as error:
        if _is_gone(error.__cause__):
            raise
        _log.info("%s: no part of it can be fetched: %s", url, error)
    return _cut_out(_whole(url, key, cache, options), section, folder / "section.mp4")


def _cut_out(whole: Path, section: tuple[float, float], out: Path) -> Path:
    """A stretch of a video as a file of its own. Raises `MediaError`."""
    start_s, end_s = section
    end_s = min(end_s, open_clip(whole).duration_s)
    clip = open_clip(whole, start_s, max(end_s - start_s, 0.0))
    silence = Waveform(torch.zeros(1, 1, round(clip.duration_s * _SILENCE_RATE)), _SILENCE_RATE)
    return mux(clip, silence, out, original_gain=1.0 if clip.has_audio else 0.0)


def _download(url: str, folder: Path, section: tuple[float, float] | None, options: SourceOptions) -> Path:
    """A whole video file in `folder`."""
    try:
        import yt_dlp
    except ImportError as error:
        raise SettingError(
            "Links need the package yt-dlp, which is not installed; install the extra `sources`."
        ) from error
    settings = _settings(folder, options)
    if section is not None:
        settings["download_ranges"] = yt_dlp.utils.download_range_func(None, [section])
        settings["force_keyframes_at_cuts"] = True  # else the file starts up to seconds before
    with yt_dlp.YoutubeDL(settings) as loader:
        for tries in range(options.retries + 1):
            try:
                loader.download([url])
                break
            except (yt_dlp.utils.YoutubeDLError, OSError) as error:
                if tries == options.retries or not _may_pass(error):
                    raise MediaError(
                        f"{url} cannot be downloaded ({_reason(error)}); check the link."
                    ) from error
            time.sleep(_wait_s(options, tries))
    files = [path for path in folder.iterdir() if path.suffix not in (".part", ".ytdl")]
    if not files:
        raise MediaError(
            f"{url} gave no video; if the archive names it, take it out there or use no archive."
        )
    loaded = max(files, key=lambda path: path.stat().st_size)
    try:
        open_clip(loaded)
    except MediaError as error:
        raise MediaError(f"{url} gave no whole video ({error.args[0].rstrip('.')}).") from error
    return loaded


def _settings(folder: Path, options: SourceOptions) -> dict[str, Any]:
    def wait_s(n: int) -> float:
        return _wait_s(options, n)

    return {
        "format": _MERGED if shutil.which("ffmpeg") else _ONE_FILE,
        "merge_output_format": "mp4",
        "outtmpl": str(folder / "video.%(ext)s"),
        "noplaylist": True,
        "playlist_items": "1",
        "retries": options.retries,
        "fragment_retries": options.retries,
        "extractor_retries": options.retries,
        "retry_sleep_functions": {"http": wait_s, "fragment": wait_s, "extractor": wait_s},
        "socket_timeout": options.timeout_s,
        "ratelimit": options.rate_limit,
        "cookiefile": str(options.cookies) if options.cookies else None,
        "download_archive": str(options.archive) if options.archive else None,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "cachedir": False,
        "logger": _Silent(),
    }


def _wait_s(options: SourceOptions, tries: int) -> float:
    return float(min(options.wait_s * 2.0**tries, _LONGEST_WAIT_S))


def _may_pass(error: BaseException) -> bool:
    """Whether another try may end otherwise, by what lies at the bottom of yt-dlp's error."""
    from yt_dlp.networking.exceptions import HTTPError, TransportError

    for one in _below(error):
        if isinstance(one, HTTPError):
            return one.status in _PASSING or one.status >= 500
        if isinstance(one, TransportError | TimeoutError | ConnectionError):
            return True
    return False


def _is_gone(error: BaseException | None) -> bool:
    """Whether a server refused the link itself."""
    from yt_dlp.networking.exceptions import HTTPError

    return any(isinstance(one, HTTPError) and not _may_pass(one) for one in _below(error))


def _below(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    seen: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop(0)
        if one is None or one in seen:
            continue
        yield one
        seen.append(one)
        queue += [(getattr(one, "exc_info", None) or (None, None))[1], getattr(one, "cause", None)]
        queue += [one.__cause__, one.__context__]


class _Silent:
    """yt-dlp's errors are raised; what it says besides is not shown."""

    def debug(self, message: str) -> None: ...

    def warning(self, message: str) -> None: ...

    def error(self, message: str) -> None: ...


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.removeprefix("ERROR: ").rstrip(".")
