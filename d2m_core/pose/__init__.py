"""From pictures to joints: who dances, and where every landmark is.

`estimate` asks MediaPipe, `track` keeps people apart, `dancer` chooses one, `openpose` and `formats`
read and write poses of others, `keypoint_rate` tells how fast these follow each other; `landmarks`
names the joints, `model_file` finds the network.
"""

from .dancer import DANCERS, MAX_PEOPLE, dancer_index, select_dancer
from .estimate import estimate_poses
from .formats import from_coco17, load_poses, save_poses
from .keypoint_rate import rate_of_keypoints
from .model_file import POSE_MODELS, pose_model
from .openpose import from_openpose, to_openpose

__all__ = [
    "DANCERS",
    "MAX_PEOPLE",
    "POSE_MODELS",
    "dancer_index",
    "estimate_poses",
    "from_coco17",
    "from_openpose",
    "load_poses",
    "pose_model",
    "rate_of_keypoints",
    "save_poses",
    "select_dancer",
    "to_openpose",
]
