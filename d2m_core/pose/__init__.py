"""From pictures to joints: who dances, and where every landmark is.

`find` finds everybody: in stills (`look`, `views`, `sightings`), from still to still (`tracks`, `cuts`),
in every frame (`read`, `usurped`). `dancer` chooses whom to follow, `event` tells what happens to them.
`estimate` follows one person as MediaPipe does; `landmarker` is the door to it, `model_file` finds its
network. `openpose` and `formats` read and write poses of others, `track` keeps these apart,
`keypoint_rate` tells how fast they follow each other; `landmarks` names the joints, `repair` mends what is
wrong. `kept` remembers what
was found, and `stretches` lets all cores look at once.
"""

from ..settings import DANCERS, MAX_PEOPLE, POSE_MODELS, POSE_REPAIRS, At, Dancer, Region
from .dancer import dancer_index, followed, select_dancer
from .estimate import estimate_poses
from .event import EVENTS, Event, events
from .find import find_dancers
from .formats import from_coco17, load_poses, save_poses
from .kept import forget_poses, kept_poses
from .keypoint_rate import rate_of_keypoints
from .model_file import pose_model
from .openpose import from_openpose, to_openpose
from .repair import PARTS, Point, parse_points, repair_poses

__all__ = [
    "DANCERS",
    "EVENTS",
    "MAX_PEOPLE",
    "PARTS",
    "POSE_MODELS",
    "POSE_REPAIRS",
    "At",
    "Dancer",
    "Event",
    "Point",
    "Region",
    "dancer_index",
    "estimate_poses",
    "events",
    "find_dancers",
    "followed",
    "forget_poses",
    "from_coco17",
    "from_openpose",
    "kept_poses",
    "load_poses",
    "parse_points",
    "pose_model",
    "rate_of_keypoints",
    "repair_poses",
    "save_poses",
    "select_dancer",
    "to_openpose",
]
