"""Select Dancer: whom the music follows, without finding everybody again."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io, ui

from ..d2m_core.pictures import dancer_picture
from ..d2m_core.pose import MAX_PEOPLE
from . import host
from .checks import answer, not_offered, refuse
from .pose_source import AT_POINT, IN_REGION, RULES, followed_of, place_inputs, told_of
from .sockets import CATEGORY, ClipPoses, Poses, to_image
from .worker import in_worker

CHOICES = ("largest", "most active", "by number", "blend of all", "centre", AT_POINT, IN_REGION)


class SelectDancer(io.ComfyNode):
    """Chooses one of the people found, or all of them as one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_SelectDancer",
            display_name="Select Dancer",
            category=CATEGORY,
            **host.found_by("person", "people", "group", "follow", "choose dancer"),
            **host.keeps_preview(),
            description="Chooses whose dance the music follows, and shows everybody's number.",
            inputs=[
                Poses.Input("poses", tooltip="From Pose Estimate, or from Pose from Keypoints."),
                io.Combo.Input(
                    "dancer",
                    options=list(CHOICES),
                    default="largest",
                    tooltip="One dancer, or a blend of all, in which who moves more weighs more.",
                ),
                io.Int.Input(
                    "number",
                    default=0,
                    min=0,
                    max=MAX_PEOPLE - 1,
                    tooltip="Which one, where dancer is by number; the picture shows the numbers.",
                ),
                *place_inputs(),
            ],
            outputs=[
                Poses.Output("dancer_poses", display_name="poses", tooltip="The chosen dancer."),
                io.Image.Output("picture", display_name="picture", tooltip="Everybody with their numbers."),
            ],
        )

    @classmethod
    def execute(
        cls,
        poses: ClipPoses,
        dancer: str,
        number: int,
        x: float = 0.5,
        y: float = 0.5,
        width: float = 0.3,
        height: float = 1.0,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(dancer))
        everyone = poses.everyone
        rule = number if dancer == "by number" else RULES[dancer]
        people = followed_of(everyone, rule, x, y, width, height)
        picture = to_image(in_worker(lambda _tick: dancer_picture(everyone, people, poses.size, poses.clip)))
        result = replace(poses, poses=everyone.people_at(people))
        shown = ui.PreviewImage(picture, cls=cls).as_dict()
        told = ui.PreviewText(told_of(everyone, people)).as_dict()
        return io.NodeOutput(result, picture, ui=shown | told)

    @classmethod
    def validate_inputs(cls, dancer: str | None = None) -> bool | str:
        return answer(not_offered("Dancer", dancer, CHOICES))
