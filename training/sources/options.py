"""What a user can say about a source, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from d2m_core.errors import require

AIST_SPLITS = ("crossmodal", "pose_estimation", "none")


@dataclass(frozen=True)
class SourceOptions:
    """Where a source lies and how it is read. Plain and picklable: workers get it.

    Raises `SettingError` for values that cannot be.
    """

    root: Path
    """The source's folder; for `list` the file of links."""
    videos: Path | None = None
    """Folder of the videos of a set that keeps them apart; None looks in `root`."""
    music: Path | None = None
    """Folder of the user's own music files; None takes the sound that the source has."""
    style: str = ""
    """Style of recordings for which the source states none."""
    official: str = "crossmodal"
    """AIST++ only: which of its official lists split it; "none" takes every dance."""
    given: bool = True
    """Use the poses that a set brings; otherwise they are found in its videos."""
    cookies: Path | None = None
    """Cookies file in Netscape format, for links that want a login."""
    archive: Path | None = None
    """List of what was ever downloaded; what it names is not downloaded again."""
    rate_limit: int | None = None
    """Most bytes per second that one download takes; None does not limit it."""
    retries: int = 3
    """How often a download that broke off is tried again, waiting longer each time."""
    wait_s: float = 1.0
    """Wait before the second try; each further one is twice as long, up to a minute."""
    timeout_s: float = 20.0
    """How long a server may stay silent."""
    sections: bool = True
    """Download only the stretch that a row names, where the `ffmpeg` program is installed."""

    def __post_init__(self) -> None:
        require(
            self.official in AIST_SPLITS,
            f"The official split is {self.official!r}; choose {', '.join(AIST_SPLITS)}.",
        )
        require(self.retries >= 0, f"Retries are {self.retries}; give 0 or more.")
        require(self.wait_s >= 0, f"The wait is {self.wait_s} s; give 0 or more.")
        require(self.timeout_s > 0, f"The time-out is {self.timeout_s} s; give more than 0.")
        require(
            self.rate_limit is None or self.rate_limit > 0,
            f"The rate limit is {self.rate_limit} bytes/s; give more than 0, or leave it out.",
        )
