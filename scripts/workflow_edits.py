"""The example graph in which a piece is edited."""

from __future__ import annotations

from scripts.workflow_parts import (
    DECODE,
    EDITED,
    MODEL,
    PICTURE,
    POSE,
    REPAIRED,
    SAMPLER,
    Graph,
    Node,
    dance,
    load,
    pose,
    result,
    rhythm,
    sampler,
    written_music,
)

_MENDED = Node(
    REPAIRED, "D2M_RepairPoses", {"poses": (POSE, 0)}, {"spans": "0.6-0.9", "part": "left arm"}, below=PICTURE
)
_REPAINTED = Node(
    EDITED,
    "D2M_EditMusic",
    {"model": (MODEL, 0), "tokens": (SAMPLER, 0), "poses": (REPAIRED, 0)},
    {"span": "bar 1", "style": "house", "seed": 7},
    below=80,
)
EDIT_PIECE = Graph(
    "Dance to Music - edit a piece",
    "edit_piece",
    "8d3f6f0a-9b1c-4c55-b8c2-3f0e5a7d6e21",
    """# Edit a piece

The sampler writes music; **Edit Dance Music** writes a span of it anew and keeps the rest, token by token.

**What to change in Edit Dance Music**

- `span`: *bars 3-4*, *bar 5*, or seconds as *4-8*; several with semicolons. A new `seed`, another result.
- `likeness`: above 0 a variation of what was there.
- `edit`: *extend left* or *extend right* adds `bars`.
- `candidates`: so many are written, and the one that leads on best is kept.

Like one edit? Put a second **Edit Dance Music** behind it. Set the sampler's seed to \
*fixed*, so that the rest stays.

**Repair Poses** mends a moment in which the dancer was read wrongly: look at the skeletons in \
**Pose Estimate**, and type when (`spans`) and what (`part`) is wrong. *Bypass* it where \
nothing is.""",
    (
        (dance((340, (load(),)), (360, (pose(),)), (420, (_MENDED,)), (520, (rhythm((REPAIRED, 0)),))),),
        (written_music(sampler(poses=(REPAIRED, 0), style="house"), _REPAINTED), result(DECODE)),
    ),
)
