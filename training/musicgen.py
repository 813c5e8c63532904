"""MusicGen's weights for our decoder, to start a fine-tuning from."""

from __future__ import annotations

import torch


def musicgen_weights(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our decoder's weights from those of transformers' `MusicgenForCausalLM`.

    Load the result with `strict=False`: encoder and conditioning keep their own weights. MusicGen
    has one id for start and pad; both of ours get its row.
    """
    rows = [
        state[f"model.decoder.embed_tokens.{k}.weight"]
        for k in range(_count(state, "embed_tokens"))
    ]
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
