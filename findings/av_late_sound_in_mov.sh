#!/usr/bin/env bash
# av (PyAV) 18.1.0 with its FFmpeg: sound in MOV and MP4 starts up to a millisecond early.
#
# Expected: a track of sound has its rate as its time base, so a first sample written at 1000 / 44100 s
# is read at 1000 / 44100 s: PCM in MOV is exact to the sample.
# Seen (Python 3.11, Linux): it is read at sample 970, and 1020 at 1014. A late start is kept in an edit list,
# which counts in the whole film's time scale: thousandths of a second, and 22.68 of them become 22.
# The shift hits the whole track; pictures that start at 0 do not move, so sound and picture part.
# AAC in MP4 is as early: 3969 is read where 5000 less the 1024 of the encoder's delay is 3976.
# With the option movie_timescale=44100, or 90000, every start below is exact. av 19.0.2 is exact
# without it.
#
# Output seen:
#     default: 1000 -> 970, 1020 -> 1014, 5000 -> 4983, 44100 -> 44100
#     movie_timescale=44100: 1000 -> 1000, 1020 -> 1020, 5000 -> 5000, 44100 -> 44100
#     movie_timescale=90000: 1000 -> 1000, 1020 -> 1020, 5000 -> 5000, 44100 -> 44100
#
# PYTHON=python3.11 bash av_late_sound_in_mov.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - "$folder/film.mov" <<'PY' | tee "$folder/seen"
import sys
from fractions import Fraction

import av
import numpy as np

RATE = 44_100


def start_read(start, options):
    """Where the first sample that was written at `start` is said to be."""
    with av.open(sys.argv[1], "w", options=options) as out:
        pictures = out.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for _ in range(50):
            black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            out.mux(pictures.encode(black))
        out.mux(pictures.encode())
        for at in range(0, 20 * 1024, 1024):
            frame = av.AudioFrame.from_ndarray(np.ones((1, 1024), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), start + at
            out.mux(sound.encode(frame))
        out.mux(sound.encode())
    with av.open(sys.argv[1]) as film:
        frame = next(film.decode(audio=0))
        return frame.pts * frame.time_base * RATE


for scale in (None, "44100", "90000"):
    options = {} if scale is None else {"movie_timescale": scale}
    starts = [f"{n} -> {int(start_read(n, options))}" for n in (1000, 1020, 5000, 44100)]
    print("default:" if scale is None else f"movie_timescale={scale}:", ", ".join(starts))
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
