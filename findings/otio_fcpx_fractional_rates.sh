#!/usr/bin/env bash
# otio-fcpx-xml-adapter 1.0.0 with OpenTimelineIO 0.18.1: FCPXML at 29.97 is read as 29 frames a second.
#
# Expected: Final Cut writes 29.97 as frameDuration="1001/30000s" and a marker on frame 4504 as
# start="1127126/250s" (4504 * 1001 / 30000); a reader finds frame 4504 at a rate of 30000/1001, as the
# file says to the last digit. At 25 (frameDuration="1/25s") it finds what was written.
# Seen (Python 3.11, Linux): the rate is the whole part of 30000 / 1001, so that the marker comes back
# 146 numbers early, and a length of one frame as none. Whole rates come back right. To check markers
# at such rates, read the fractions in the file, not what this adapter makes of them.
#
# Output seen:
#     25: marker at frame 4504 of rate 25.0, one frame is 1
#     29.97: marker at frame 4358 of rate 29.0, one frame is 0
#
# PYTHON=python3.11 bash otio_fcpx_fractional_rates.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opentimelineio==0.18.1 otio-fcpx-xml-adapter==1.0.0

"$folder/venv/bin/python" - "$folder" <<'PY' | tee "$folder/seen"
import sys
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.8">
  <resources>
    <format id="r1" frameDuration="{frame}s" width="640" height="360"/>
    <asset id="r2" name="dance" src="file:///dance.mov" start="0s" duration="{length}s" hasVideo="1" format="r1"/>
  </resources>
  <library><event name="e"><project name="p">
    <sequence duration="{length}s" format="r1" tcStart="0s">
      <spine>
        <asset-clip name="dance" ref="r2" offset="0s" start="0s" duration="{length}s" format="r1">
          <marker start="{at}s" duration="{frame}s" value="bar"/>
        </asset-clip>
      </spine>
    </sequence>
  </project></event></library>
</fcpxml>
"""
for name, frame in (("25", Fraction(1, 25)), ("29.97", Fraction(1001, 30000))):
    path = Path(sys.argv[1]) / f"{name}.fcpxml"
    path.write_text(TEXT.format(frame=frame, length=9000 * frame, at=4504 * frame))
    read = otio.adapters.read_from_file(str(path))
    markers = [m for clip in read.find_clips() for m in clip.markers] if hasattr(read, "find_clips") else []
    if not markers:
        found = [one for one in read if hasattr(one, "find_clips")]
        markers = [m for one in found for clip in one.find_clips() for m in clip.markers]
    span = markers[0].marked_range
    print(
        f"{name}: marker at frame {span.start_time.value:.0f} of rate {span.start_time.rate:.1f}, "
        f"one frame is {span.duration.value:.0f}"
    )
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
