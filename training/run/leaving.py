"""How a process ends that trained together with others."""

from __future__ import annotations

import logging
import os
import sys


def leave(code: int = 0) -> None:
    """Ends this process at once if it belongs to a group that trains together; alone, it goes on.

    Everything that it has to write must have been written. The group's own threads live as long as the
    process does (torch keeps a group that gradients were spread over), and one that lets go of a tensor
    while Python takes itself down aborts the process: a training that is done and saved would have failed.
    So nothing is taken down here.
    """
    if "torch.distributed" not in sys.modules:
        return
    import torch.distributed as together

    if not (together.is_available() and together.is_initialized()):
        return
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
