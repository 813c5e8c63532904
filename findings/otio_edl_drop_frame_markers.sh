#!/usr/bin/env bash
# otio-cmx3600-adapter 1.0.0 with OpenTimelineIO 0.18.1: markers of a drop-frame EDL are lost or moved.
#
# Expected: in an EDL that says "FCM: DROP FRAME", "* LOC: 01:00:00;05" marks the sixth frame after an
# hour, number 107897 at 30000/1001, as the times of its events are read; written 01:00:00:05, as many
# programs write it there, it is the same frame.
# Seen (Python 3.11, Linux): with the semicolon the marker is left out without a word; with the colon it is
# counted without dropped frames, 108 numbers late, while the event around it is read as drop frame.
# At 25 frames a second it comes back right. So markers of such lists need a look at their text.
#
# Output seen:
#     25 frames, colon: event from 90000, markers [90005]
#     29.97 drop frame, colon: event from 107892, markers [108005]
#     29.97 drop frame, semicolon: event from 107892, markers []
#
# PYTHON=python3.11 bash otio_edl_drop_frame_markers.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import opentimelineio as otio

TEXT = """TITLE: dance
FCM: {mode} FRAME

001  AX  V  C  01:00:00{sep}00 01:00:10{sep}00 01:00:00{sep}00 01:00:10{sep}00
* LOC: 01:00:00{mark}05 RED mark
"""
for name, rate, mode, sep, mark in (
    ("25 frames, colon", 25, "NON-DROP", ":", ":"),
    ("29.97 drop frame, colon", 30000 / 1001, "DROP", ";", ":"),
    ("29.97 drop frame, semicolon", 30000 / 1001, "DROP", ";", ";"),
):
    text = TEXT.format(mode=mode, sep=sep, mark=mark)
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=rate)
    (clip,) = read.find_clips()
    frames = [round(marker.marked_range.start_time.value) for marker in clip.markers]
    print(f"{name}: event from {round(clip.source_range.start_time.value)}, markers {frames}")
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
