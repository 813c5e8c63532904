"""Command line: fetches a pose model into the model folder.

With `--forget` it empties the folder of poses that were found before instead.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import D2MError
from ..settings import POSE_MODELS
from .kept import forget_poses, poses_folder
from .model_file import model_folder, pose_model


def main(argv: list[str] | None = None) -> int:
    """Obtains one variant and writes its path to standard output; 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m d2m_core.pose", description=__doc__)
    parser.add_argument("--variant", choices=POSE_MODELS, default="full", help="default: full")
    parser.add_argument("--folder", type=Path, help=f"default: {model_folder()}")
    parser.add_argument("--forget", action="store_true", help=f"empty {poses_folder()}, where poses are kept")
    options = parser.parse_args(argv)
    if options.forget:
        sys.stdout.write(f"{forget_poses()} clips forgotten\n")
        return 0
    try:
        path = pose_model(options.variant, options.folder)
    except D2MError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
