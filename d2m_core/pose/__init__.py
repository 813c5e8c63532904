"""From pictures to joints: who dances, and where every landmark is.

`estimate` asks MediaPipe, `track` keeps people apart, `dancer` chooses one, `formats` reads and writes
poses of others, `keypoint_rate` tells how fast these follow each other; `landmarks` names the joints,
`model_file` finds the network, `kept` remembers what was found.
"""

from ..settings import DANCERS, MAX_PEOPLE, POSE_MODELS, At, Dancer, Region
from .dancer import dancer_index, followed, select_dancer
from .estimate import estimate_poses
from .find import find_dancers
from .formats import from_coco17, from_openpose, load_poses, save_poses, to_openpose
from .kept import forget_poses, kept_poses
from .keypoint_rate import rate_of_keypoints
from .model_file import pose_model

__all__ = [
    "DANCERS",
    "MAX_PEOPLE",
    "POSE_MODELS",
    "At",
    "Dancer",
    "Region",
    "dancer_index",
    "estimate_poses",
    "find_dancers",
    "followed",
    "forget_poses",
    "from_coco17",
    "from_openpose",
    "kept_poses",
    "load_poses",
    "pose_model",
    "rate_of_keypoints",
    "save_poses",
    "select_dancer",
    "to_openpose",
]
