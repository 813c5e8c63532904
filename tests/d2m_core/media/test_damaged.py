"""Damaged files (bit flips, cuts, swapped boxes) and processes that are killed while they write.

D2M_DAMAGED says how many files; 2000 are the full run. D2M_KILLS likewise, 10.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from d2m_core.media import open_clip
from tests.random_clips import make, recipe

DAMAGED = int(os.environ.get("D2M_DAMAGED", "40"))
KILLS = int(os.environ.get("D2M_KILLS", "3"))
AT_ONCE = 20
"""Files handed to one process."""
LONGEST_S = 30
ROOT = Path(__file__).parents[3]

WORK = """
import sys, time, torch
from pathlib import Path
from d2m_core.errors import D2MError
from d2m_core.media import open_clip
from d2m_core.media.mux import best_suffix, mux
from d2m_core.types import Waveform
for name in sys.argv[1:]:
    path, begun = Path(name), time.monotonic()
    try:
        clip = open_clip(path)
        out = path.with_name(path.stem + "_film" + best_suffix(clip))
        mux(clip, Waveform(torch.zeros(1, 1, 24000), 24000), out, 0.5 if clip.has_audio else 0.0)
        said = f"written {clip.duration_s}"
    except D2MError as error:
        said = "refused: " + " ".join(str(error).split())
    print(f"{path.name}|{time.monotonic() - begun:.1f}|{said}", flush=True)
"""


def _damage(data: bytearray, rng: np.random.Generator) -> bytes:
    """One to a hundred flipped bits, an end or a middle cut off, or two boxes or stretches swapped."""
    kind = int(rng.integers(4))
    if kind == 0:
        for at in rng.integers(0, len(data), int(rng.integers(1, 100))):
            data[at] ^= 1 << int(rng.integers(8))
        return bytes(data)
    if kind == 1:
        return bytes(data[: int(rng.integers(1, len(data)))])
    if kind == 2:
        begin, end = sorted(int(at) for at in rng.integers(0, len(data), 2))
        return bytes(data[:begin] + data[end:])
    parts = list(_boxes(data)) if data[4:8] == b"ftyp" else np.array_split(np.frombuffer(data, np.uint8), 8)
    one, two = rng.choice(len(parts), 2, replace=False)
    parts[one], parts[two] = parts[two], parts[one]
    return b"".join(bytes(part) for part in parts)


def _boxes(data: bytearray) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        size = size if size >= 8 else len(data) - at
        yield bytes(data[at : at + size])
        at += size


def _sources(folder: Path) -> list[Path]:
    seeds = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    return [make(recipe(seed), folder / f"source{seed}{recipe(seed).suffix}") for seed in seeds]


def test_no_damaged_file_crashes_hangs_or_leaves_half_a_film(tmp_path: Path) -> None:
    sources = _sources(tmp_path)
    for begin in range(0, DAMAGED, AT_ONCE):
        folder = tmp_path / f"from{begin}"
        folder.mkdir()
        names = []
        for seed in range(begin, min(begin + AT_ONCE, DAMAGED)):
            source = sources[seed % len(sources)]
            path = folder / f"{seed}{source.suffix}"
            path.write_bytes(_damage(bytearray(source.read_bytes()), np.random.default_rng(seed)))
            names.append(path)
        command = [sys.executable, "-c", WORK, *map(str, names)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S * AT_ONCE, check=False
        )
        assert done.returncode == 0, (names, done.stdout, done.stderr)
        said = [line.split("|", 2) for line in done.stdout.splitlines()]
        assert [name for name, _s, _what in said] == [path.name for path in names]
        assert max(float(seconds) for _name, seconds, _what in said) < LONGEST_S
        films = {
            f"{Path(name).stem}_film": float(what.split()[1])
            for name, _s, what in said
            if what.startswith("written")
        }
        for path in set(folder.iterdir()) - set(names):
            assert path.stem in films, f"{path.name} was left behind"
            assert _end_of_pictures(path) > films[path.stem] - 0.5


def _end_of_pictures(path: Path) -> float:
    """By the packets of a film that can be read from end to end."""
    with av.open(str(path)) as container:
        return max(float((p.pts + p.duration) * p.time_base) for p in container.demux(video=0) if p.size)


KILLED = """
import sys, torch
from pathlib import Path
from d2m_core.media import open_clip
from d2m_core.media.mux import mux
from d2m_core.types import Waveform
clip = open_clip(sys.argv[1])
wave = Waveform(torch.zeros(1, 1, 24000), 24000)
print("begins", flush=True)
while True:
    mux(clip, wave, sys.argv[2], recode="always")
"""


def test_a_killed_process_leaves_no_half_film(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip = make_clip("clip.mp4", duration_s=8.0, width=320, height=240)
    rng = np.random.default_rng(0)
    for number in range(KILLS):
        out = tmp_path / f"kill{number}" / "film.mp4"
        command = [sys.executable, "-c", KILLED, str(clip), str(out)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            end = time.monotonic() + LONGEST_S
            while not list(out.parent.glob(".film.*.mp4")) and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(float(rng.uniform(0, 0.4)))
            process.send_signal(signal.SIGKILL)
        left = os.listdir(out.parent)
        assert left, "it was writing"
        if out.exists():
            assert open_clip(out).duration_s == pytest.approx(8.0, abs=0.05)
        assert all(name == "film.mp4" or name.startswith(".film.") for name in left)
