"""What an artist looks at: skeletons, dancers, rhythm."""

from .dancers import dancer_picture, picture_moment
from .overlay import overlay_video
from .rhythm import rhythm_picture
from .skeleton import draw_poses, draw_skeleton, save_png

__all__ = [
    "dancer_picture",
    "draw_poses",
    "draw_skeleton",
    "overlay_video",
    "picture_moment",
    "rhythm_picture",
    "save_png",
]
