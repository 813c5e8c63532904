#!/usr/bin/env bash
# av (PyAV) 19.0.2: the pixel aspect ratio of a picture that states none is AVRational(0, 1).
#
# Expected: None for "not stated", as up to PyAV 18, so that code such as
#     if stream.sample_aspect_ratio is not None: width *= stream.sample_aspect_ratio
# leaves the width alone.
# Seen (Python 3.13, Linux): the value is never None; the width of an ordinary JPEG becomes 0. The
# value is false in a condition, so `if stream.sample_aspect_ratio:` is right for both versions.
# With av 18.1.0 the same program prints None.
#
# Output seen:
#     19.0.2 AVRational(0, 1) is None: False, true: False, width 64 -> 0
#
# Needs Python 3.12 or newer: PYTHON=python3.13 bash av_unknown_aspect.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==19.0.2 numpy==2.5.5

"$folder/venv/bin/python" - "$folder/grey.jpg" <<'PY'
import sys

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w", format="image2") as out:
    stream = out.add_stream("mjpeg", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
    grey = np.full((48, 64, 3), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuvj420p")
    out.mux(stream.encode(frame))
    out.mux(stream.encode())

with av.open(path) as picture:
    (stream,) = picture.streams.video
    aspect, width = stream.sample_aspect_ratio, stream.width
shown = width if aspect is None else round(float(width * aspect))
print(f"{av.__version__} {aspect!r} is None: {aspect is None}, true: {bool(aspect)}, "
      f"width {width} -> {shown}")
same = aspect is not None and not aspect and (width, shown) == (64, 0)
sys.exit(0 if same else "changed: see the head of this script")
PY
