"""What the band makes of each of `d2m_core.styles.STYLES`: how fast, in what metre, how swung, in what form.

Names and numbers only; what is played lies in the books of this room, what is danced in the studio.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..styles import STYLES, metre_of_style

FORMS: dict[str, tuple[tuple[str, int], ...]] = {
    "club": (
        ("intro", 8), ("build", 8), ("drop", 16), ("break", 8), ("build", 4), ("drop", 16),
        ("break", 8), ("build", 8), ("drop", 16), ("outro", 8),
    ),
    "song": (
        ("intro", 4), ("verse", 8), ("build", 4), ("drop", 8), ("verse", 8), ("build", 4),
        ("drop", 8), ("break", 8), ("drop", 16), ("outro", 4),
    ),
    "jam": (
        ("intro", 4), ("verse", 8), ("drop", 8), ("verse", 8), ("drop", 8), ("break", 4),
        ("verse", 8), ("drop", 12), ("outro", 4),
    ),
}  # fmt: skip
"""(kind of section, usual bars) of a whole piece; kinds as in `plan.ENERGY`."""


@dataclass(frozen=True)
class Style:
    """What holds for every piece of a style."""

    name: str
    tempo_bpm: tuple[float, float]
    """Slowest and fastest beat; the beat is the one that dancers step to."""
    swing: tuple[float, float] = (0.0, 0.0)
    """Least and most delay of the off steps, as a share of a step; 1/3 is a triplet shuffle."""
    swing_step: float = 0.25
    """Length in beats of the steps that swing: 0.25 sixteenths, 0.5 eighths."""
    form: str = "song"
    """Name in `FORMS`."""
    drift: float = 0.006
    """Greatest slow change of tempo, as a share: 0 where machines keep the time."""

    @property
    def metre(self) -> int:
        """Beats in a bar."""
        metre = metre_of_style(self.name)
        assert metre is not None, f"{self.name} is not in STYLES"
        return metre


_PLAYED = {
    style.name: style
    for style in (
        Style("house", (118, 128), swing=(0.0, 0.18), form="club", drift=0.0),
        Style("techno", (126, 142), form="club", drift=0.0),
        Style("disco", (108, 126), swing=(0.0, 0.06)),
        Style("funk", (94, 116), swing=(0.0, 0.16), form="jam"),
        Style("hiphop", (82, 104), swing=(0.05, 0.3)),
        Style("latin", (92, 126), form="jam"),
        Style("trap", (128, 156), drift=0.0),
        Style("breakbeat", (118, 138), swing=(0.0, 0.1), form="club", drift=0.002),
        Style("dnb", (164, 178), form="club", drift=0.0),
        Style("pop", (96, 130)),
        Style("rock", (100, 150), drift=0.012),
        Style("reggaeton", (86, 104), drift=0.0),
        Style("swing", (118, 176), swing=(0.26, 0.36), swing_step=0.5, form="jam", drift=0.012),
        Style("waltz", (84, 174), drift=0.015),
    )
}

STYLE_TABLE = {name: _PLAYED[name] for name in STYLES}
"""How each of `STYLES` is played, in their order."""
