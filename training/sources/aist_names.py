"""Names in the AIST Dance Video Database: `gBR_sBM_cAll_d04_mBR0_ch01`."""

from __future__ import annotations

import re
from dataclasses import dataclass

STYLES = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "MH": "middle hip-hop",
    "LH": "la hip-hop",
    "HO": "house",
    "WA": "waack",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}
"""The database's ten genres by their codes."""

CAMERAS = 9

_NAME = re.compile(
    r"g(?P<genre>[A-Z]{2})_s(?P<situation>BM|FM)_c(?P<camera>All|0[1-9])_d(?P<dancer>\d{2})_"
    r"m(?P<music>[A-Z]{2}\d)_ch(?P<choreography>\d{2})"
)


@dataclass(frozen=True)
class AistName:
    """One dance of the database, or one camera's view of it."""

    genre: str
    """Code, a key of `STYLES`."""
    situation: str
    """`BM` basic or `FM` advanced; the others (groups, cyphers, battles) are no solo dances."""
    camera: str
    """`All`, or `01` to `09`."""
    dancer: str
    music: str
    choreography: str

    @property
    def style(self) -> str:
        return STYLES[self.genre]

    @property
    def song(self) -> str:
        """Name of the music, as its file is called: `mBR0`."""
        return f"m{self.music}"

    @property
    def performance(self) -> str:
        """The name that all cameras of the dance share."""
        return self.seen_by("All")

    def seen_by(self, camera: str) -> str:
        """The dance's name from one camera, `All` or `01` to `09`."""
        return f"g{self.genre}_s{self.situation}_c{camera}_d{self.dancer}_m{self.music}_ch{self.choreography}"


def parse_name(name: str) -> AistName:
    """The parts of a dance's name (a file's, without its ending). Raises `ValueError`."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not named like gBR_sBM_c01_d04_mBR0_ch01, a solo dance of AIST")
    parsed = AistName(**match.groupdict())
    if parsed.genre not in STYLES or parsed.music[:2] not in STYLES:
        raise ValueError(f"{name!r} names a genre that AIST does not have")
    return parsed
