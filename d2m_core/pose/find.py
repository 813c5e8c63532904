"""Finds the dancers of a clip, each in a place of their own from beginning to end.

Somebody `alone` is followed as a film by MediaPipe, in stretches side by side (`stretches`), while
`stills` are looked at. Where these show `several` people, everybody is looked for in stills (`look`), the
stills say who is who (`tracks`), and then each person is read in every frame in a moving part of the
picture (`read`), again in stretches side by side (`readings`).
"""

from __future__ import annotations

from pathlib import Path

from ..errors import SettingError
from ..settings import MAX_PEOPLE, Dancer
from ..types import MOTION_FPS, PoseSequence, Progress, VideoClip
from .alone import follow_alone
from .estimate import MAX_HEIGHT, SHORT_GAP_S, require_somebody
from .landmarker import landmarkers
from .model_file import pose_model
from .search import Search
from .several import Choice, find_several
from .track import fill_gaps


def find_dancers(
    clip: VideoClip,
    dancer: Dancer | Choice = "largest",
    model: str = "full",
    people: int = 0,
    fps: float = MOTION_FPS,
    model_folder: Path | None = None,
    on_progress: Progress | None = None,
    *,
    max_height: int = MAX_HEIGHT,
    max_gap_s: float = SHORT_GAP_S,
    only_followed: bool = False,
) -> PoseSequence:
    """Poses of everybody who dances in a clip, numbered from left to right at first sight.

    As many people are looked for as there are. `people` 0 gives all of them back, else at most so
    many: those whom `dancer` (as in `select_dancer`, or a function that chooses) follows and then the
    largest. Absent people are masked; gaps of up to `max_gap_s` are interpolated. `cuts_s` says when
    the picture changed. With `only_followed` the others are read in five pictures a second, with smooth
    curves in between (`seldom` names them): with five people half of the work.
    `on_progress(frame, frames)` may raise to cancel. Raises `PoseError` where hardly any frame
    shows a person, `ModelError` where the model is missing, `PoseModelError` where MediaPipe cannot
    run, and `SettingError`.
    """
    if not 0 <= people <= MAX_PEOPLE:
        raise SettingError(f"People to find is {people}; choose 1 to {MAX_PEOPLE}, or 0 for everybody.")
    search = Search(clip, fps, max_height, on_progress)
    bundle = pose_model(model, model_folder, lambda _done, _bytes: search.tell(0))
    with landmarkers(bundle) as opens:
        found = follow_alone(search, opens)
    if found is None:
        found = find_several(search, bundle, dancer, people, only_followed)
    require_somebody(found.present)
    return fill_gaps(found, max_gap_s)
