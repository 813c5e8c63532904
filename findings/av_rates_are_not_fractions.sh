#!/usr/bin/env bash
# av (PyAV) 19.0.2: rates and time bases are AVRational, which equals a fractions.Fraction, hashes
# like one and computes like one, but is none and lacks a part of what a Fraction can do.
#
# Expected: since `rate == Fraction(25)`, hash and arithmetic agree, the rest of what one does with a
# rate works too: round(rate), int(rate), rate.limit_denominator(1001), f"{rate}" as "25".
# Seen (Python 3.13, Linux): round and int raise TypeError, limit_denominator AttributeError, and the
# text is "25/1"; isinstance(rate, Fraction) is False. Fraction(rate), float(rate) and products are
# fine: Fraction(stream.average_rate) where it is read works for PyAV 18 and 19 alike.
#
# Output seen:
#     equal True, hash True, product Fraction(50, 1), Fraction(25, 1)
#     is a Fraction: False
#     round: TypeError
#     int: TypeError
#     limit_denominator: AttributeError
#     text: 25/1
#
# Needs Python 3.12 or newer: PYTHON=python3.13 bash av_rates_are_not_fractions.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==19.0.2 numpy==2.5.5

"$folder/venv/bin/python" - "$folder/clip.mp4" <<'PY' | tee "$folder/seen"
import sys
from fractions import Fraction

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w") as out:
    stream = out.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for _ in range(5):
        black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        out.mux(stream.encode(black))
    out.mux(stream.encode())

with av.open(path) as clip:
    rate = clip.streams.video[0].average_rate

print(f"equal {rate == 25}, hash {hash(rate) == hash(Fraction(25))}, "
      f"product {rate * 2!r}, {Fraction(rate)!r}")
print("is a Fraction:", isinstance(rate, Fraction))
for name, call in (
    ("round", lambda: round(rate)),
    ("int", lambda: int(rate)),
    ("limit_denominator", lambda: rate.limit_denominator(1001)),
):
    try:
        print(f"{name}:", call())
    except (TypeError, AttributeError) as error:
        print(f"{name}:", type(error).__name__)
print("text:", rate)
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
