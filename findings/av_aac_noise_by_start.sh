#!/usr/bin/env bash
# av (PyAV) 18.1.0 with its FFmpeg: AAC decoded from a later packet on is other sound for good.
#
# Expected: AAC frames overlap with the one before and with nothing else, so a decoder that begins
# at a later packet gives, after its first frame, the samples that it gives from the start.
# Seen (Python 3.11, Linux): where the encoder has replaced noise by "noise of this loudness" (perceptual
# noise substitution, on unless told otherwise), the decoder draws that noise from a generator that
# starts with it. Twice from the start gives the same twice; from packet 50 on no frame ever meets
# again, by as much as the sound is loud. With the encoder's aac_pns=0 all is as expected. So a cut,
# a seek or a loader that decodes only a window cannot be compared with the whole file, sample by
# sample; in files of others nothing tells. av 19.0.2 does the same.
#
# Output seen:
#     default: from the start twice equal True, frames from packet 50 on: equal 0 of 123
#     loudest difference in the last 50 frames over 0.1: True
#     aac_pns=0: from the start twice equal True, frames from packet 50 on: equal 122 of 123
#     loudest difference in the last 50 frames over 0.1: False
#
# PYTHON=python3.11 bash av_aac_noise_by_start.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet av==18.1.0 numpy==2.4.6

"$folder/venv/bin/python" - "$folder/noise.mp4" <<'PY' | tee "$folder/seen"
import sys

import av
import numpy as np

RATE = 44_100
noise = np.random.default_rng(0).normal(0, 0.1, (1, 172 * 1024)).astype(np.float32)


def packets_of(options):
    with av.open(sys.argv[1], "w") as out:
        stream = out.add_stream("aac", rate=RATE, layout="mono", options=options)
        for start in range(0, noise.shape[1], 1024):
            part = np.ascontiguousarray(noise[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with av.open(sys.argv[1]) as clip:
        packets = [bytes(packet) for packet in clip.demux(audio=0) if packet.size]
        return packets, clip.streams.audio[0].codec_context.extradata


def decoded(packets, extradata):
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = extradata
    return [f.to_ndarray() for p in packets for f in decoder.decode(av.Packet(p))]


for name, options in (("default", {}), ("aac_pns=0", {"aac_pns": "0"})):
    packets, extradata = packets_of(options)
    whole, again, late = (decoded(packets[n:], extradata) for n in (0, 0, 50))
    pairs = list(zip(whole[-len(late) :], late, strict=True))
    twice = all(map(np.array_equal, whole, again))
    equal = sum(np.array_equal(a, b) for a, b in pairs)
    print(f"{name}: from the start twice equal {twice}, "
          f"frames from packet 50 on: equal {equal} of {len(pairs)}")
    apart = max(np.abs(a - b).max() for a, b in pairs[-50:])
    print("loudest difference in the last 50 frames over 0.1:", bool(apart > 0.1))
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
