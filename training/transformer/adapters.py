"""Low-rank adapters (LoRA: Hu et al., 2021) in a decoder whose own weights rest; by peft."""

from __future__ import annotations

from torch import nn

from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic

ADAPTED = r"decoder\.\d+\.(attention\.(qkv|out)|cross\.(query|key_value|out)|ffn_(in|out))"
"""The layers that get an adapter: all matrices of the decoder's blocks."""

_RESTING = ("decoder.", "decoder_norm.", "heads.", "tokens_in")
_SCALE = 2
"""Adapters count so many times their rank's inverse, the usual alpha of twice the rank."""


def add_adapters(net: DanceToMusic, rank: int) -> None:
    """Puts adapters of `rank` into the decoder; only they, its gates and all else still learn.

    An adapter starts as nothing. Raises `SettingError` where peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise SettingError("Adapters need peft; run pip install peft, or leave out lora.") from None
    config = LoraConfig(r=rank, lora_alpha=_SCALE * rank, target_modules=ADAPTED, lora_dropout=0.0)
    inject_adapter_in_model(config, net)
    for name, parameter in net.named_parameters():
        resting = name.startswith(_RESTING) and not name.endswith(".gate") and "lora_" not in name
        parameter.requires_grad_(not resting)


def merged(net: DanceToMusic) -> DanceToMusic:
    """`net` with its adapters worked into the weights, in place: a plain network again."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if hasattr(child, "get_base_layer"):
                child.merge()  # type: ignore[operator]
                base = child.get_base_layer()  # type: ignore[operator]
                assert isinstance(base, nn.Linear)
                setattr(module, name, base)
    return net
