#!/usr/bin/env bash
# python-stretch 0.3.1: Stretch.process takes a whole sound; it is no stream, though there is reset().
#
# Expected: the object wraps a stretcher for streams (Signalsmith Stretch) and has reset(),
# inputLatency() and outputLatency(), so blocks given one after the other join into one sound, a
# call goes on where the last one ended, and what comes out is late by the latency.
# Seen (Python 3.11, Linux): every call starts anew and is in time. The same sound twice without
# reset() gives the same samples twice; two halves do not join into what the whole gives; a pulse
# lies where it should, to the sample, though a latency of over 100 ms is told.
#
# Output seen:
#     the same sound twice differs by 0.00
#     two halves differ from the whole by over 0.3: True
#     a pulse at 22050, played twice as fast: at 11025
#     latency told, in samples: over 4410: True
#
# PYTHON=python3.11 bash python_stretch_forgets.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-stretch==0.3.1 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import numpy as np
from python_stretch import Signalsmith

RATE = 44_100


def stretcher(time_factor=1.0):
    made = Signalsmith.Stretch()
    made.preset(1, RATE)
    made.setTimeFactor(time_factor)
    return made


tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)[None]
one = stretcher()
first, second = one.process(tone), one.process(tone)
print(f"the same sound twice differs by {np.abs(first - second).max():.2f}")

one = stretcher()
half = RATE // 2
joined = np.concatenate([one.process(tone[:, :half]), one.process(tone[:, half:])], axis=1)
print("two halves differ from the whole by over 0.3:", bool(np.abs(joined - first).max() > 0.3))

pulse = np.zeros_like(tone)
pulse[0, half] = 1.0
one = stretcher(2.0)
print(f"a pulse at {half}, played twice as fast: at {np.abs(one.process(pulse)).argmax()}")
latency = one.inputLatency() + one.outputLatency()
print("latency told, in samples: over 4410:", latency > 4410)
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
