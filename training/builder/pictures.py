"""Pictures for the report: histograms, and clips with their poses and beats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from d2m_core.errors import D2MError
from d2m_core.media import iter_frames, open_clip
from d2m_core.pictures import draw_poses
from training.pairs.pair import MUSIC, POSES, Pair
from training.pairs.shards import PairFolder
from training.sources import Recording, fetch
from training.studio.sheets.contact_sheet import draw_sheet

from .jobs import Context
from .packing import mixed
from .rows import Row

_INK, _BACK, _BAR = "#e8eaf0", "#14161c", "#5aaaff"
_FRAMES = 6
_FRAME_HEIGHT = 180
_QUALITY = 80


def bars_picture(counts: Mapping[str, int]) -> bytes:
    """A bar for each entry, as a PNG file."""
    import cv2
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.0, 0.7 * len(counts) + 1), 2.6), dpi=100, facecolor=_BACK)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=_BACK)
    shown = axes.bar(list(counts), list(counts.values()), color=_BAR)
    axes.bar_label(shown, color=_INK, fontsize=9)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    figure.tight_layout()
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[..., :3]
    return cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()


def sample_pictures(
    out: Path, rows: Sequence[Row], recordings: Mapping[str, Recording], context: Context, most: int
) -> Iterator[tuple[Row, bytes]]:
    """JPEG files of kept clips drawn by a checksum of their names, at most one per recording."""
    seen: set[str] = set()
    for row in sorted((row for row in rows if row.kept), key=lambda row: mixed("show" + row.clip)):
        if len(seen) < most and row.recording not in seen:
            seen.add(row.recording)
            pair = PairFolder(out / row.split).read(row.clip, kinds=(POSES, MUSIC))
            yield row, _sample(pair, row, recordings[row.recording], context)


def _sample(pair: Pair, row: Row, recording: Recording, context: Context) -> bytes:
    import cv2

    sheet = draw_sheet([pair])
    frames = _frames(pair, row, recording, context)
    if frames:
        strip = np.concatenate(frames, axis=1)
        height = round(strip.shape[0] * sheet.shape[1] / strip.shape[1])
        strip = cv2.resize(strip, (sheet.shape[1], height), interpolation=cv2.INTER_AREA)
        sheet = np.concatenate([strip, sheet])
    flags = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    return cv2.imencode(".jpg", np.ascontiguousarray(sheet[..., ::-1]), flags)[1].tobytes()


def _frames(pair: Pair, row: Row, recording: Recording, context: Context) -> list[np.ndarray]:
    """Frames on beats with poses on them; none where the video cannot be had, or its poses are of
    another picture."""
    poses = pair.seen
    if poses is None or (recording.video is None and not recording.url) or recording.poses:
        return []
    beats = np.array([beat for beat in pair.facts.beats_s if beat < row.seconds - 0.1])
    if not len(beats):
        return []
    chosen = beats[np.unique(np.linspace(0, len(beats) - 1, _FRAMES).astype(int))]
    wanted = {min(round(beat * poses.fps), poses.frames - 1) for beat in chosen}
    try:
        path = fetch(recording, context.cache, context.options)
        clip = open_clip(path, row.start_s, row.seconds)
        return [
            draw_poses(frame.rgb, poses, number)
            for number, frame in enumerate(iter_frames(clip, poses.fps, _FRAME_HEIGHT * 2))
            if number in wanted
        ]
    except D2MError:
        return []
