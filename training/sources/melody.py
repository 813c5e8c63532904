"""`dance_with_melody`: the captured dances of "Dance with Melody" (ACM Multimedia 2018).

    ROOT/
        DANCE_C_2.npz      joints, center, span_s, as `training.dance_with_melody` describes
        DANCE_C_2.opus     the music of exactly that span

The letter is the dance: C cha-cha, R rumba, T tango, W waltz. The set states no licence: measure on
it, train nothing that is handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from d2m_core.errors import PoseError
from d2m_core.types import PoseSequence
from training.dance_with_melody import captured_poses, dances_in

from .names import safe_name
from .options import SourceOptions
from .recording import Recording, Unreadable

STYLES = {"C": "cha-cha", "R": "rumba", "T": "tango", "W": "waltz"}

_NAME = re.compile(r"DANCE_([A-Z])_\d+")


def read_dances(options: SourceOptions) -> Iterator[Recording | Unreadable]:
    """The dances by name. Raises `SettingError` where there are none."""
    for path in dances_in(options.root):
        match = _NAME.fullmatch(path.stem)
        yield Recording(
            name=safe_name(path.stem),
            source="dance_with_melody",
            song=f"dance with melody {path.stem}",
            performance=f"dance with melody {path.stem}",
            style=STYLES.get(match[1], "") if match else options.style,
            music=path.with_suffix(".opus"),
            poses=path,
            licence="none stated; research measurement only",
        )


def dance_poses(recording: Recording) -> PoseSequence:
    """The whole dance. Raises `PoseError`."""
    assert recording.poses is not None
    try:
        return captured_poses(recording.poses, None)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise PoseError(f"{recording.poses.name} is no dance ({error}); copy it again.") from error
