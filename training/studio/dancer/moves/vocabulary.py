"""The dancer's vocabulary: which moves of feet and trunk there are, and who dances them when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import couple, steps, street, trunk, turns, waltz
from .notation import Bar, Score

Writer = Callable[[Bar, Score], None]


@dataclass(frozen=True)
class Move:
    """One entry of the vocabulary."""

    name: str
    family: str
    write: Writer
    energy: tuple[float, float]
    """Between which levels (0..1) it is usual."""
    common: float
    """How often, next to others, in any style."""
    native: float
    """How often in its own styles."""
    styles: str = ""
    """Names of its own styles, with blanks between."""
    metre: int = 4
    """3: danced in three only; 0: in any metre; 4: in all but three."""
    arms: str = ""
    """Arm patterns that go with it; none: any."""

    def weight(self, style: str, metre: int, purism: float = 0.0) -> float:
        """How often in a style, without regard to energy; a purist does little from elsewhere."""
        if self.metre and (self.metre == 3) != (metre == 3):
            return 0.0
        native = style in self.styles.split() or self.metre == 3
        return self.native if native else self.common * (1.0 - purism)


_CLUB = "house techno disco"
_STREET = "hiphop trap breakbeat funk"
_LATIN = "latin reggaeton"

MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move("groove", "groove", steps.groove, (0.0, 0.8), 1.0, 1.4, "hiphop funk techno"),
        Move("stand", "groove", steps.stand, (0.0, 0.3), 0.7, 0.7, metre=0),
        Move("sway", "groove", steps.sway, (0.0, 0.6), 0.8, 1.0, "pop rock disco"),
        Move("hip_bumps", "groove", steps.hip_bumps, (0.15, 0.9), 0.35, 1.2, f"disco {_LATIN}"),
        Move("step_touch", "steps", steps.step_touch, (0.1, 0.8), 1.2, 1.8, "pop disco funk house"),
        Move("two_step", "steps", steps.two_step, (0.15, 0.9), 0.8, 1.4, f"hiphop {_CLUB}"),
        Move("tap", "steps", steps.tap, (0.0, 0.7), 0.7, 1.0, "pop swing latin"),
        Move("march", "steps", steps.march, (0.2, 1.0), 0.6, 1.0, "techno rock dnb pop"),
        Move("walk", "walks", steps.walk, (0.1, 0.8), 0.5, 0.8, "pop disco funk"),
        Move("grapevine", "walks", steps.grapevine, (0.2, 0.9), 0.4, 1.0, "disco pop latin"),
        Move("kick", "steps", steps.kick, (0.4, 1.0), 0.35, 0.8, "rock pop swing breakbeat"),
        Move("knee_lift", "steps", steps.knee_lift, (0.4, 1.0), 0.35, 0.8, "techno dnb pop"),
        Move("lunge", "levels", steps.lunge, (0.4, 1.0), 0.35, 0.7, "funk pop waltz", 0),
        Move("squat", "levels", steps.squat, (0.3, 1.0), 0.3, 0.7, "hiphop trap reggaeton"),
        Move("get_down", "levels", steps.get_down, (0.3, 1.0), 0.2, 0.7, _STREET),
        Move("jump", "jumps", turns.jump, (0.65, 1.0), 0.5, 0.9, "techno rock pop dnb"),
        Move("hop", "jumps", turns.hop, (0.6, 1.0), 0.25, 0.6, "rock dnb techno swing"),
        Move("quarter_turn", "turns", turns.quarter_turn, (0.2, 0.9), 0.3, 0.5, "pop", 0),
        Move("spin", "turns", turns.spin, (0.3, 1.0), 0.15, 0.5, "latin disco swing waltz", 0),
        Move("pivot_turn", "turns", turns.pivot_turn, (0.3, 0.95), 0.2, 0.5, "disco pop latin"),
        Move("chase_turn", "turns", turns.chase_turn, (0.3, 1.0), 0.15, 0.5, "disco latin pop"),
        Move("mambo", "latin", couple.mambo, (0.15, 0.9), 0.12, 3.2, "latin",
             arms="frame snap swing_across"),
        Move("cumbia", "latin", couple.cumbia, (0.2, 0.9), 0.08, 2.2, _LATIN,
             arms="frame snap swing_across"),
        Move("cha_cha", "latin", couple.cha_cha, (0.2, 1.0), 0.08, 2.6, "latin",
             arms="frame fly swing"),
        Move("rumba", "latin", couple.rumba, (0.0, 0.7), 0.05, 2.0, "latin", arms="frame flow"),
        Move("samba", "latin", couple.samba, (0.4, 1.0), 0.05, 1.5, _LATIN, arms="frame fly"),
        Move("hip_circles", "latin", couple.hip_circles, (0.0, 0.8), 0.2, 1.4, _LATIN, 0),
        Move("perreo", "latin", couple.perreo, (0.3, 1.0), 0.04, 2.2, "reggaeton"),
        Move("waltz_box", "waltz", waltz.waltz_box, (0.0, 1.0), 2.0, 2.0, metre=3,
             arms="frame flow"),
        Move("balance_step", "waltz", waltz.balance_step, (0.0, 0.9), 1.6, 1.6, metre=3,
             arms="frame flow fly"),
        Move("waltz_turn", "waltz", waltz.waltz_turn, (0.3, 1.0), 1.2, 1.2, metre=3,
             arms="frame"),
        Move("waltz_sway", "waltz", waltz.waltz_sway, (0.0, 0.5), 0.6, 0.6, metre=3),
        Move("waltz_walk", "waltz", waltz.waltz_walk, (0.1, 0.9), 1.0, 1.0, metre=3,
             arms="frame flow"),
        Move("triple_step", "swing", couple.triple_step, (0.2, 1.0), 0.12, 2.2, "swing",
             arms="swing snap frame"),
        Move("rock_step", "swing", couple.rock_step, (0.2, 1.0), 0.12, 2.0, "swing",
             arms="swing snap frame"),
        Move("charleston", "swing", couple.charleston, (0.4, 1.0), 0.1, 1.6, "swing house",
             arms="swing jazz_hands"),
        Move("kick_ball_change", "swing", couple.kick_ball_change, (0.4, 1.0), 0.15, 1.0,
             "swing pop funk"),
        Move("twist", "swing", street.twist, (0.25, 1.0), 0.25, 1.0, "swing rock disco",
             arms="swing pump"),
        Move("jack", "club", street.jack, (0.3, 1.0), 0.12, 2.0, "house techno"),
        Move("house_step", "club", street.house_step, (0.4, 1.0), 0.1, 1.6, "house disco",
             arms="swing rest"),
        Move("running_man", "club", street.running_man, (0.5, 1.0), 0.15, 1.1,
             "techno hiphop dnb house", arms="pump swing"),
        Move("t_step", "club", street.t_step, (0.5, 1.0), 0.08, 1.2, "techno dnb house"),
        Move("skank", "club", street.skank, (0.5, 1.0), 0.08, 1.8, "dnb breakbeat rock",
             arms="run_along"),
        Move("toprock", "street", street.toprock, (0.4, 1.0), 0.08, 1.6, "breakbeat hiphop funk",
             arms="cross_open swing"),
        Move("indian_step", "street", street.indian_step, (0.4, 1.0), 0.06, 1.2,
             "breakbeat hiphop", arms="cross_open"),
        Move("bart", "street", street.bart, (0.3, 1.0), 0.12, 1.4, _STREET),
        Move("rock_bounce", "street", street.rock_bounce, (0.15, 1.0), 0.25, 1.8, _STREET),
        Move("pogo", "rock", street.pogo, (0.65, 1.0), 0.15, 1.2, "rock dnb techno"),
        Move("headbang", "rock", street.headbang, (0.45, 1.0), 0.08, 1.6, "rock trap",
             arms="rest air_guitar horns"),
        Move("glide", "glides", street.glide, (0.1, 0.8), 0.15, 0.7, "funk hiphop breakbeat"),
        Move("moonwalk", "glides", street.moonwalk, (0.1, 0.8), 0.06, 0.4, "funk pop hiphop"),
        Move("body_wave", "waves", trunk.body_wave, (0.05, 0.8), 0.35, 0.9,
             f"{_LATIN} house trap", 0, arms="flow rest snake"),
        Move("side_wave", "waves", trunk.side_wave, (0.0, 0.7), 0.25, 0.5, "house pop", 0,
             arms="flow snake wave"),
        Move("chest_circle", "waves", trunk.chest_circle, (0.1, 0.8), 0.15, 0.4, _LATIN, 0),
        Move("shimmy", "isolations", trunk.shimmy, (0.2, 1.0), 0.2, 0.7, "latin swing disco",
             arms="open_low rest"),
        Move("chest_pops", "isolations", trunk.chest_pops, (0.2, 1.0), 0.2, 0.9, _STREET),
        Move("hits_body", "isolations", trunk.hits_body, (0.2, 1.0), 0.15, 1.0, _STREET,
             arms="hits robot_arms"),
        Move("isolations", "isolations", trunk.isolations, (0.0, 0.7), 0.2, 0.7,
             f"{_STREET} latin"),
        Move("robot", "isolations", trunk.robot, (0.1, 0.9), 0.15, 1.2, "funk techno breakbeat",
             arms="robot_arms"),
        Move("pose_freeze", "freezes", trunk.pose_freeze, (0.1, 1.0), 0.12, 0.35,
             "hiphop trap pop disco", 0, arms="pose"),
    )
}  # fmt: skip
"""Every move of feet and trunk, by name."""
