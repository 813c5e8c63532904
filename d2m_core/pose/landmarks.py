"""The 33 landmarks of MediaPipe Pose by name: places in the `J` axis of poses.

Pairs are (left, right) of the dancer.
"""

from __future__ import annotations

NOSE = 0
INNER_EYES, EYES, OUTER_EYES = (1, 4), (2, 5), (3, 6)
EARS, MOUTH = (7, 8), (9, 10)
SHOULDERS, ELBOWS, WRISTS = (11, 12), (13, 14), (15, 16)
LITTLE_FINGERS, INDEX_FINGERS, THUMBS = (17, 18), (19, 20), (21, 22)
HIPS, KNEES, ANKLES = (23, 24), (25, 26), (27, 28)
HEELS, TOES = (29, 30), (31, 32)

PAIRS = {
    "inner eye": INNER_EYES,
    "eye": EYES,
    "outer eye": OUTER_EYES,
    "ear": EARS,
    "corner of the mouth": MOUTH,
    "shoulder": SHOULDERS,
    "elbow": ELBOWS,
    "wrist": WRISTS,
    "little finger": LITTLE_FINGERS,
    "index finger": INDEX_FINGERS,
    "thumb": THUMBS,
    "hip": HIPS,
    "knee": KNEES,
    "ankle": ANKLES,
    "heel": HEELS,
    "toe": TOES,
}
"""All landmarks but the nose."""

FACE = tuple(range(MOUTH[1] + 1))
"""Nose, eyes, ears and mouth."""
HANDS, FEET = (*LITTLE_FINGERS, *INDEX_FINGERS, *THUMBS), (*HEELS, *TOES)
ARMS, LEGS = (*ELBOWS, *WRISTS, *HANDS), (*KNEES, *ANKLES, *FEET)
TORSO = (*SHOULDERS, *HIPS)

BOTH_HIPS = slice(HIPS[0], HIPS[1] + 1)
"""The hips, for an index that holds numbers too: beside those a tuple would turn the axes."""
