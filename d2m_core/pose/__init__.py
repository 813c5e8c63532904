"""From pictures to joints: who dances, and where every landmark is.

`estimate` asks MediaPipe, `track` keeps people apart, `dancer` chooses one, `formats` reads and writes
poses of others, `keypoint_rate` tells how fast these follow each other; `landmarks` names the joints,
`model_file` finds the network, `kept` remembers what was found.
"""

from .dancer import DANCERS, MAX_PEOPLE, dancer_index, select_dancer
from .estimate import estimate_poses
from .formats import from_coco17, from_openpose, load_poses, save_poses, to_openpose
from .kept import forget_poses, kept_poses
from .keypoint_rate import rate_of_keypoints
from .model_file import POSE_MODELS, pose_model

__all__ = [
    "DANCERS",
    "MAX_PEOPLE",
    "POSE_MODELS",
    "dancer_index",
    "estimate_poses",
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
