"""Repair Poses: a stretch in which the pose model was wrong, mended before the rhythm is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from comfy_api.latest import io, ui

from ..d2m_core.errors import SettingError
from ..d2m_core.pictures import repair_picture
from ..d2m_core.pose import PARTS, POSE_REPAIRS, Point, parse_points, repair_poses
from ..d2m_core.spans import BarSpan, Span, in_seconds, in_words, parse_spans
from ..d2m_core.types import PoseSequence
from . import host
from .checks import answer, not_offered, refuse, said_by
from .sockets import CATEGORY, ClipPoses, Poses, to_image
from .worker import in_worker


class RepairPoses(io.ComfyNode):
    """Mends poses within spans, and shows them before and after."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_RepairPoses",
            display_name="Repair Poses",
            category=CATEGORY,
            **host.found_by(
                "fix pose", "clean up poses", "interpolate", "wrong pose", "skeleton", "occlusion"
            ),
            **host.keeps_preview(),
            description="Mends a stretch in which the dancer was read wrongly, so that the rhythm is not.",
            inputs=[
                Poses.Input("poses", tooltip="The dancer, of Pose Estimate or Select Dancer."),
                io.String.Input(
                    "spans",
                    default="2.0-2.6",
                    tooltip="When the poses are wrong, in seconds: 2.0-2.6; 1:07-1:07.5. The overlay of Pose "
                    "Estimate shows it.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(POSE_REPAIRS),
                    default=POSE_REPAIRS[0],
                    tooltip="interpolate: smoothly from before to after. hold: as before. mirror: as the "
                    "other arm or leg. forget: as if it was not seen.",
                ),
                io.Combo.Input(
                    "part", options=list(PARTS), default="whole body", tooltip="What is wrong there."
                ),
                io.String.Input(
                    "points",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="By hand, one a line: seconds, joint, x and y in the picture from 0 to 1, as in "
                    "2.3 left wrist 0.41 0.22. The joint goes through them.",
                ),
            ],
            outputs=[
                Poses.Output("repaired", display_name="poses", tooltip="The same dancers, mended."),
                io.Image.Output(
                    "picture", display_name="picture", tooltip="The middle of each span, before and after."
                ),
            ],
        )

    @classmethod
    def execute(cls, poses: ClipPoses, spans: str, method: str, part: str, points: str = "") -> io.NodeOutput:
        refuse(cls.validate_inputs(spans, method, part, points))
        asked = [in_seconds(span, poses.duration_s) for span in parse_spans(spans)]

        def work(_tick: object) -> tuple[ClipPoses, np.ndarray]:
            mended = _mended(poses, asked, method, part, parse_points(points))
            picture = repair_picture(poses.poses, mended.poses, asked, poses.size, poses.clip)
            return mended, picture

        mended, drawn = in_worker(work)
        picture = to_image(drawn)
        words = f"{part}, {method}: {', '.join(in_words(span) for span in asked)}."
        shown = ui.PreviewImage(picture, cls=cls).as_dict() | ui.PreviewText(words).as_dict()
        return io.NodeOutput(mended, picture, ui=shown)

    @classmethod
    def validate_inputs(
        cls,
        spans: str | None = None,
        method: str | None = None,
        part: str | None = None,
        points: str | None = None,
    ) -> bool | str:
        return answer(
            said_by(_only_seconds, spans),
            not_offered("Method", method, POSE_REPAIRS),
            not_offered("Part", part, PARTS),
            said_by(parse_points, points),
        )


def _only_seconds(text: str) -> None:
    if any(isinstance(span, BarSpan) for span in parse_spans(text)):
        raise SettingError("Poses know no bars; give spans in seconds, such as 2.0-2.6.")


def _mended(
    clip: ClipPoses, spans: list[Span], method: str, part: str, points: tuple[Point, ...]
) -> ClipPoses:
    """Who is followed is mended; Select Dancer finds them so behind this node too."""
    mended = repair_poses(clip.poses, spans, method, part, points)
    everyone = clip.everyone
    arrays = {name: getattr(everyone, name).copy() for name in ("world", "image", "visibility", "present")}
    for person in range(clip.poses.people):
        place = _place(clip.poses, person, everyone)
        for name, array in arrays.items():
            if place is not None:
                array[:, place] = getattr(mended, name)[:, person]
    return replace(clip, poses=mended, everyone=replace(everyone, **arrays))


def _place(poses: PoseSequence, person: int, everyone: PoseSequence) -> int | None:
    """Where somebody stands among all who were found."""
    if everyone.frames != poses.frames:
        return None
    own = poses.world[:, person]
    return next((k for k in range(everyone.people) if np.array_equal(everyone.world[:, k], own)), None)
