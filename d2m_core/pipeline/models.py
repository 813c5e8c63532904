"""Everything with weights, and the device it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ..codec import CODECS, Codec, load_codec
from ..errors import SettingError
from ..music import LoadedModel, load_model
from ..music.weights import check_codec
from ..rhythm import RhythmNet, load_rhythm
from ..weights import GONE, default_weights


@dataclass(frozen=True, eq=False)
class Models:
    """Everything with weights, loaded once and used for many clips.

    Raises `ModelError` where the codec cannot read what the model writes.
    """

    model: LoadedModel
    rhythm: RhythmNet
    codec: Codec

    def __post_init__(self) -> None:
        check_codec(self.model, self.codec.spec)


def best_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto` takes a GPU where there is one.

    Raises `SettingError` for a device that is not here.
    """
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if here else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SettingError(f"Device is {name!r}; choose auto, cpu, cuda or cuda:1.") from None
    if device.type == "cuda" and (device.index or 0) >= here:
        raise SettingError(f"Device is {name!r}, and there are {here} GPUs here; choose auto.")
    return device


def load_models(
    model: Path | str | None = None,
    codec: Path | str | None = None,
    rhythm: Path | str | None = None,
    device: str = "auto",
) -> Models:
    """Loads transformer, codec and rhythm network; None takes the weights of the project.

    Without `codec` it is the one that the transformer writes for. Raises `ModelError`, also where
    the two do not belong together, and `SettingError` where only the user can know the codec.
    """
    where = best_device(device)
    loaded = load_model(model or default_weights("model"), where)
    name = codec or loaded.spec.name
    if codec is None and name not in {*CODECS, *GONE} and not Path(name).is_dir():
        raise SettingError(
            f"The model writes for codec {name!r}, which does not come with this program; give its "
            "folder with --codec."
        )
    return Models(loaded, load_rhythm(rhythm or default_weights("rhythm")), load_codec(name, where))
