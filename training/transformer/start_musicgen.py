"""MusicGen's weights for our decoder, to start a fine-tuning from.

What is read is a folder in transformers' format, `config.json` and safetensors: the whole of a
`MusicgenForConditionalGeneration`, of which the decoder is taken, or a `MusicgenForCausalLM` alone.
Its text encoder stays out: where MusicGen attends to a text, ours attends to the dance, through
gates that start shut. Before the first step the network therefore is MusicGen without a text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from d2m_core.errors import ModelError, SettingError
from d2m_core.music import DanceToMusic
from d2m_core.types import CodecSpec

_FILES = ["config.json", "*.safetensors"]
_PREFIX = "decoder."
"""In front of the decoder's weights in a whole MusicGen."""


def find_folder(name: str) -> Path:
    """The folder of `name`: itself, or a copy from the hub. Raises `ModelError`."""
    if Path(name).is_dir():
        return Path(name)
    if Path(name).is_absolute() or name.count("/") != 1:
        raise ModelError(f"{name} is no folder and no name on the hub; give one of them.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except Exception as error:  # whatever its client raises, the user's next step is the same
        raise ModelError(
            f"{name} cannot be fetched from the hub ({type(error).__name__}); download it and give "
            "its folder."
        ) from error


def decoder_shape(name: str, codec: CodecSpec) -> dict[str, Any]:
    """`ModelConfig` fields that MusicGen's decoder decides. Raises `ModelError`, and `SettingError`
    where it does not write tokens of `codec`."""
    path = find_folder(name) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        config = config.get("decoder", config)
        books, entries = config["num_codebooks"], config["vocab_size"]
        shape = {
            "dim": config["hidden_size"],
            "heads": config["num_attention_heads"],
            "decoder_layers": config["num_hidden_layers"],
            "ffn": config["ffn_dim"],
            "gated": True,
        }
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is not MusicGen's config ({error!r}); give its folder.") from error
    if config.get("activation_function", "gelu") != "gelu" or config.get("scale_embedding"):
        raise ModelError(f"{path} describes another activation or embedding than MusicGen's own.")
    if (books, entries) != (codec.codebooks, codec.cardinality):
        raise SettingError(
            f"{name} writes {books} codebooks of {entries}, and the items have {codec.codebooks} "
            f"of {codec.cardinality} ({codec.name}); encode the music with its codec, for MusicGen "
            "facebook/encodec_32khz."
        )
    return shape


def read_weights(name: str) -> dict[str, torch.Tensor]:
    """The decoder's weights as `MusicgenForCausalLM` names them. Raises `ModelError`."""
    paths = sorted(find_folder(name).glob("*.safetensors"))
    state: dict[str, torch.Tensor] = {}
    for path in paths:
        try:
            with safe_open(path, framework="pt") as file:
                state |= {key: file.get_tensor(key).float() for key in _of_decoder(file.keys())}
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path} cannot be read ({error}); get it again.") from error
    if not state:
        raise ModelError(f"{name} holds no MusicGen weights as safetensors; get them again.")
    whole = any(key.startswith(_PREFIX) for key in state)
    return {key.removeprefix(_PREFIX) if whole else key: value for key, value in state.items()}


def _of_decoder(keys: list[str]) -> list[str]:
    whole = any(key.startswith(_PREFIX + "model.") for key in keys)
    return [key for key in keys if key.startswith(_PREFIX if whole else ("model.", "lm_heads."))]


def take_over(net: DanceToMusic, name: str) -> None:
    """Gives `net`, whose shape is `decoder_shape`'s, MusicGen's decoder; gates stay shut.

    Raises `ModelError` where the weights do not fit.
    """
    try:
        ours = musicgen_weights(read_weights(name))
        missing, unknown = net.load_state_dict(ours, strict=False)
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{name} does not fit the network ({error}); give its folder.") from error
    decoder = ("decoder.", "decoder_norm.", "heads.", "tokens_in")
    left = [key for key in missing if key.startswith(decoder) and not key.endswith(".gate")]
    if left or unknown:
        raise ModelError(f"{name} lacks weights, or has others: {', '.join([*left, *unknown][:5])}.")


def musicgen_weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our decoder's weights from those of transformers' `MusicgenForCausalLM`.

    Load the result with `strict=False`: encoder and conditioning keep their own weights. MusicGen
    has one id for start and pad; both of ours get its row.
    """
    rows = [state[f"model.decoder.embed_tokens.{k}.weight"] for k in range(_count(state, "embed_tokens"))]
    heads = [state[f"lm_heads.{k}.weight"] for k in range(len(rows))]
    ours = {
        "tokens_in": torch.stack([torch.cat([row, row[-1:]]) for row in rows]),
        "heads.weight": torch.cat(heads),
        "decoder_norm.weight": state["model.decoder.layer_norm.weight"],
        "decoder_norm.bias": state["model.decoder.layer_norm.bias"],
    }
    for i in range(_count(state, "layers")):
        theirs = f"model.decoder.layers.{i}."
        for name, sources in _MUSICGEN_LAYER.items():
            ours[f"decoder.{i}.{name}"] = torch.cat([state[theirs + source] for source in sources])
    return ours


def _count(state: dict[str, torch.Tensor], name: str) -> int:
    prefix = f"model.decoder.{name}."
    return len({key[len(prefix) :].split(".")[0] for key in state if key.startswith(prefix)})


_MUSICGEN_LAYER = {
    "attention_norm.weight": ("self_attn_layer_norm.weight",),
    "attention_norm.bias": ("self_attn_layer_norm.bias",),
    "attention.qkv.weight": tuple(f"self_attn.{x}_proj.weight" for x in "qkv"),
    "attention.out.weight": ("self_attn.out_proj.weight",),
    "cross_norm.weight": ("encoder_attn_layer_norm.weight",),
    "cross_norm.bias": ("encoder_attn_layer_norm.bias",),
    "cross.query.weight": ("encoder_attn.q_proj.weight",),
    "cross.key_value.weight": tuple(f"encoder_attn.{x}_proj.weight" for x in "kv"),
    "cross.out.weight": ("encoder_attn.out_proj.weight",),
    "ffn_norm.weight": ("final_layer_norm.weight",),
    "ffn_norm.bias": ("final_layer_norm.bias",),
    "ffn_in.weight": ("fc1.weight",),
    "ffn_out.weight": ("fc2.weight",),
}
"""Parameters of one of our decoder blocks, and what they are made of in MusicGen's layer."""
