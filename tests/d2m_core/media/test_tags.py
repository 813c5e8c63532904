"""Tags whose bytes are not UTF-8, as old cameras and Windows programs write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import pytest
import torch

from d2m_core.media import iter_frames, load_audio, open_clip, save_audio
from d2m_core.media.mux import mux
from d2m_core.media.video_file import clean_tags
from d2m_core.types import Waveform

MakeClip = Callable[..., Path]

PLACE, LATIN_1 = b"Caf_dance", "Café".encode("latin-1") + b"dance"
READ = "Caf\ufffddance"
SOUND = Waveform(0.1 * torch.ones(1, 1, 24_000), 24_000)


def with_latin_1(path: Path) -> Path:
    """The file, its tags changed in place."""
    data = path.read_bytes()
    assert PLACE in data
    path.write_bytes(data.replace(PLACE, LATIN_1))
    return path


@pytest.fixture(params=[".mp4", ".mkv", ".mov"])
def clip(make_clip: MakeClip, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A clip with such tags, of the file and of the picture's stream."""
    plain, path = make_clip("plain.mkv", duration_s=1.5, audio=True), tmp_path / f"a{request.param}"
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        targets = [out.add_stream_from_template(stream, opaque=True) for stream in source.streams]
        for target in targets:
            target.metadata.update(title=PLACE.decode(), handler_name=PLACE.decode())
        out.metadata.update(title=PLACE.decode(), comment=PLACE.decode())
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = targets[packet.stream_index]
                out.mux(packet)
    return with_latin_1(path)


def test_a_clip_with_such_tags_opens(clip: Path) -> None:
    assert len(list(iter_frames(open_clip(clip)))) == 38
    assert load_audio(clip).duration_s == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(("name", "window"), [("out.mp4", ()), ("out.mkv", ()), ("out.mp4", (0.2, 1.0))])
def test_its_film_has_tags_that_all_can_read(clip: Path, name: str, window: tuple[float, ...]) -> None:
    made = mux(open_clip(clip, *window), SOUND, clip.with_name(name))
    assert b"Caf\xe9dance" not in made.read_bytes()
    with av.open(str(made)) as container:
        tags = [dict(container.metadata), *(dict(stream.metadata) for stream in container.streams)]
    json.dumps(tags, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".flac"])
def test_a_song_with_such_tags_loads(tmp_path: Path, suffix: str) -> None:
    song = save_audio(SOUND, tmp_path / f"song{suffix}", {"title": PLACE.decode()})
    assert load_audio(with_latin_1(song)).duration_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".opus", ".m4a"])
@pytest.mark.parametrize("surrogate", [0xDCE9, 0xD83D])
def test_tags_handed_on_from_elsewhere_are_written_clean(tmp_path: Path, suffix: str, surrogate: int) -> None:
    """What PyAV 19 reads from such a file, and half of an emoji from a page."""
    made = save_audio(SOUND, tmp_path / f"song{suffix}", {"title": f"Caf{chr(surrogate)}dance"})
    with av.open(str(made)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
    assert {name.lower(): text for name, text in tags.items()}["title"] == READ


def test_good_tags_stay_as_they_are() -> None:
    tags = {"title": "Ünö 舞 💃", "": ""}
    assert clean_tags(tags) == tags
    assert clean_tags({"\ud800a": "b\udfff"}) == {"\ufffda": "b\ufffd"}
