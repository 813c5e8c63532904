#!/usr/bin/env bash
# av (PyAV) 18.1.0: a frame's colorspace makes the numbers, the encoder's writes the label, each alone.
#
# Expected: the colours of a coded film are named in one place. Told to an encoder, BT.709 is what its
# RGB frames are turned into; or told to the frames, it is what the file says of them.
# Seen (Python 3.11, Linux): `stream.codec_context.colorspace = 1` labels the film BT.709 and leaves its
# numbers BT.601; `frame.colorspace = 1` on an RGB frame, where a matrix means nothing, makes BT.709
# numbers and leaves the film without a label, which is read as BT.601. Both times the colours that
# come back are wrong, without a warning; only both together are right. Neither is right too, until
# somebody plays it in HD, where no label is taken for BT.709. av 19.0.2 does the same.
#
# Output seen:
#     told to nobody: labelled 2, red 200 30 30 comes back as 199 28 29
#     told to the encoder: labelled 1, red 200 30 30 comes back as 214 45 27
#     told to the frames: labelled 2, red 200 30 30 comes back as 185 11 31
#     told to both: labelled 1, red 200 30 30 comes back as 200 29 30
#
# PYTHON=python3.11 bash av_colours_told_twice.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - "$folder/red.mp4" <<'PY' | tee "$folder/seen"
import sys

import av
import numpy as np

BT709 = 1
RED = np.full((64, 64, 3), (200, 30, 30), np.uint8)


def film(encoder, frames):
    """The label and the colour of a film that is read again, coded without loss."""
    with av.open(sys.argv[1], "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        if encoder:
            stream.codec_context.colorspace = BT709
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(RED, format="rgb24")
            if frames:
                frame.colorspace = BT709
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with av.open(sys.argv[1]) as clip:
        frame = next(clip.decode(video=0))
        return int(frame.colorspace), frame.to_ndarray(format="rgb24")[32, 32]


for name, told in (
    ("nobody", (False, False)),
    ("the encoder", (True, False)),
    ("the frames", (False, True)),
    ("both", (True, True)),
):
    label, colour = film(*told)
    print(f"told to {name}: labelled {label}, red 200 30 30 comes back as", *colour)
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
