"""The arms' vocabulary: which patterns there are, and who uses them when."""

from __future__ import annotations

from . import arms_hit as hit
from . import arms_swing as swing
from .vocabulary import Move

ARMS: dict[str, Move] = {
    move.name: move
    for move in (
        Move("rest", "arms_rest", swing.rest, (0.0, 0.6), 0.7, 0.9, "hiphop trap", 0),
        Move("swing", "arms_swing", swing.swing, (0.0, 0.9), 1.4, 1.8, "swing house", 0),
        Move("swing_across", "arms_swing", swing.swing_across, (0.2, 1.0), 0.9, 1.3,
             "disco pop latin"),
        Move("run_along", "arms_swing", swing.run_along, (0.3, 1.0), 0.3, 1.2, "dnb techno"),
        Move("cross_open", "arms_swing", swing.cross_open, (0.3, 1.0), 0.3, 1.0,
             "breakbeat hiphop"),
        Move("snap", "arms_swing", swing.snap, (0.0, 0.7), 0.6, 1.2, "swing latin funk"),
        Move("frame", "arms_flow", swing.frame, (0.0, 0.9), 0.03, 1.1, "waltz latin", 0),
        Move("flow", "arms_flow", swing.flow, (0.0, 0.7), 0.5, 1.0, "waltz house latin", 0),
        Move("snake", "arms_flow", swing.snake, (0.0, 0.8), 0.25, 0.5, "house techno latin", 0),
        Move("wave", "arms_flow", swing.wave, (0.3, 1.0), 0.6, 1.2, "pop rock techno"),
        Move("circle", "arms_flow", swing.circle, (0.2, 0.9), 0.3, 0.7,
             "house disco waltz latin", 0),
        Move("roll", "arms_flow", swing.roll, (0.2, 0.9), 0.25, 0.9, "disco pop"),
        Move("fly", "arms_swing", swing.fly, (0.2, 0.9), 0.5, 0.8, "latin waltz pop"),
        Move("pump", "arms_pump", hit.pump, (0.3, 1.0), 0.8, 1.4, "techno house rock hiphop"),
        Move("raise_roof", "arms_pump", hit.raise_roof, (0.4, 1.0), 0.3, 1.0, "hiphop trap pop"),
        Move("horns", "arms_pump", hit.horns, (0.5, 1.0), 0.25, 1.2, "rock dnb techno trap"),
        Move("punch", "arms_hit", hit.punch, (0.4, 1.0), 0.5, 0.9, "pop techno breakbeat"),
        Move("hits", "arms_hit", hit.hits, (0.3, 1.0), 0.9, 1.6, "pop hiphop funk trap breakbeat"),
        Move("point", "arms_hit", hit.point, (0.3, 1.0), 0.25, 1.4, "disco"),
        Move("robot_arms", "arms_hit", hit.robot, (0.2, 0.9), 0.12, 0.6, "funk techno hiphop"),
        Move("air_guitar", "arms_hit", hit.air_guitar, (0.4, 1.0), 0.04, 0.9, "rock"),
        Move("jazz_hands", "arms_hit", hit.jazz_hands, (0.4, 1.0), 0.2, 0.8, "swing pop"),
        Move("open_low", "arms_rest", hit.open_low, (0.1, 0.7), 0.2, 0.4, "latin swing waltz", 0),
        Move("pose", "arms_hit", hit.pose, (0.2, 1.0), 0.2, 0.4, "pop trap", 0),
        Move("clap", "arms_clap", hit.clap, (0.2, 1.0), 0.6, 1.1, "house disco pop rock swing"),
    )
}  # fmt: skip
"""Every arm pattern, by name."""
