"""Our own checkpoints to start a fine-tuning from: the file that nodes and command line load."""

from __future__ import annotations

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, ModelConfig, load_model

from .windows import DataSet


def is_checkpoint(init: str) -> bool:
    """Whether `init` names a file of ours, not a folder in MusicGen's format."""
    return init.endswith(".safetensors")


def checkpoint_shape(path: str, data: DataSet) -> tuple[ModelConfig, DataSet]:
    """The shape of the checkpoint's network, styles included, and the data in its motion features.

    Raises `ModelError` for another file, and `SettingError` where the items do not fit it.
    """
    loaded = load_model(path)
    if loaded.spec != data.codec:
        raise SettingError(
            f"{path} writes {loaded.spec.codebooks} codebooks of {loaded.spec.name}, and the"
            f" items have {data.codec.codebooks} of {data.codec.name}; encode the music with its"
            " codec and bandwidth."
        )
    if not set(loaded.motion_names) <= set(data.motion_names):
        raise SettingError(f"The items have other motion features than {path}; make them anew.")
    config = loaded.model.config
    unknown = sorted(set(data.styles) - set(config.styles))
    if unknown:
        raise SettingError(
            f"{path} does not know the style {unknown[0]} (it has {', '.join(config.styles)});"
            " give these items one of them, or none."
        )
    return config, data.with_motion(loaded.motion_names)


def start_from(net: DanceToMusic, path: str) -> None:
    """Gives `net`, of `checkpoint_shape`, the checkpoint's weights and motion statistics."""
    net.load_state_dict(load_model(path).model.state_dict())
