"""Dance to Music for ComfyUI: the entry point, and nothing else."""

from importlib.util import find_spec

# Outside ComfyUI (a test collector, an installer) there is nothing to offer.
if find_spec("comfy_api") is not None:
    from .nodes import comfy_entrypoint

    WEB_DIRECTORY = "./web"

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
