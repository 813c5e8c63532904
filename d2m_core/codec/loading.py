"""Reading the weights of an EnCodec, from a folder or by its name on the hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..errors import ModelError

if TYPE_CHECKING:
    from transformers import EncodecModel


def read_folder(folder: Path) -> EncodecModel:
    """The codec in a folder of config.json and model.safetensors. Raises `ModelError`."""
    missing = [f for f in ("config.json", "model.safetensors") if not (folder / f).is_file()]
    if missing:
        raise ModelError(
            f"Codec folder {folder} lacks {' and '.join(missing)}; "
            "give a folder saved by EncodecModel.save_pretrained."
        )
    try:
        return _from_pretrained(str(folder), local_files_only=True)
    except ModelError:
        raise
    except Exception as error:  # whatever a broken file makes the readers raise
        raise ModelError(
            f"Codec folder {folder} cannot be read ({_first_line(error)}); copy its files again."
        ) from error


def read_hub(name: str) -> EncodecModel:
    """The codec of that name, from this machine or else the hub. Raises `ModelError`."""
    try:
        return _from_pretrained(name, local_files_only=True)
    except OSError:
        pass  # not on this machine yet
    try:
        return _from_pretrained(name, local_files_only=False)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"Codec {name!r} is not on this machine and cannot be fetched ({_first_line(error)}); "
            "connect to the internet once, or give a folder that holds it."
        ) from error


def _from_pretrained(source: str, local_files_only: bool) -> EncodecModel:
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig.get_config_dict(source, local_files_only=local_files_only)[0]
    if config.get("model_type") != "encodec":
        raise ModelError(f"{source} holds a {config.get('model_type')!r} model; give an EnCodec.")
    with _without_bar():
        loaded: Any = EncodecModel.from_pretrained(
            source,
            local_files_only=local_files_only,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    model, info = loaded
    wrong = [*info["missing_keys"], *info["unexpected_keys"], *info["mismatched_keys"]]
    if wrong:
        raise ModelError(
            f"The weights of {source} do not fit its config.json ({len(wrong)} tensors, such as "
            f"{wrong[0]}); copy both files again."
        )
    _drop_idle_lstms(model)
    return model


def is_idle_lstm(layer: nn.Module) -> bool:
    """Whether a layer is an LSTM of zeros, which adds nothing to what it is given."""
    return hasattr(layer, "lstm") and not any(bool(p.any()) for p in layer.parameters())


def _drop_idle_lstms(model: EncodecModel) -> None:
    """Takes out LSTMs of zeros: they add nothing, and stand where a codec was trained without."""
    for part in (model.encoder, model.decoder):
        for number, layer in enumerate(part.layers):
            if is_idle_lstm(layer):
                part.layers[number] = nn.Identity()


@contextmanager
def _without_bar() -> Iterator[None]:
    """Keeps transformers from drawing a bar over ours while a file loads; downloads keep theirs."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
