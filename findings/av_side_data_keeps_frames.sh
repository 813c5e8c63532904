#!/usr/bin/env bash
# av (PyAV) 18.1.0: a frame whose side_data was looked at is not freed when the last name of it is gone.
#
# Expected: a decoded picture that nobody holds any more is freed at once, as all are whose side_data was
# never touched (to read a display matrix, say, or film grain).
# Seen (Python 3.11, Linux): frame.side_data is kept in the frame and holds the frame itself, a cycle. Such frames
# stay until Python's garbage collector comes round to old objects, which counts objects, not their megabytes:
# a loop over films grows by a picture or more for each.
#
# Output seen:
#     side_data untouched: 0 frames are left of 50
#     side_data touched: 50 frames are left of 50
#     after gc.collect(): 0
#
# PYTHON=python3.11 bash av_side_data_keeps_frames.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - "$folder/film.mp4" <<'PY' | tee "$folder/seen"
import gc
import sys

import av
import numpy as np

with av.open(sys.argv[1], "w") as out:
    stream = out.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for k in range(50):
        picture = np.full((48, 64, 3), 4 * k, np.uint8)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
    out.mux(stream.encode(None))


def left():
    return sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())


def decode(touch):
    with av.open(sys.argv[1]) as film:
        for frame in film.decode(video=0):
            if touch:
                frame.side_data.get("DISPLAYMATRIX")


gc.collect()
gc.disable()
decode(False)
print(f"side_data untouched: {left()} frames are left of 50")
decode(True)
print(f"side_data touched: {left()} frames are left of 50")
gc.collect()
print(f"after gc.collect(): {left()}")
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
