"""Small random networks in the files that real ones come in: fast, and no weights needed."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import EncodecConfig, EncodecModel

from d2m_core.codec import load_codec
from d2m_core.motion import MOTION_NAMES
from d2m_core.music import DanceToMusic, ModelConfig, save_model
from d2m_core.rhythm import RhythmConfig, RhythmNet, save_rhythm
from d2m_core.styles import STYLES
from d2m_core.types import CodecSpec
from d2m_core.weights import EMBEDDED, EMBEDDED_FOLDERS

SEED = 5

CODEC_FOLDER = EMBEDDED_FOLDERS[EMBEDDED]
"""Where in `weights` the codec lies that the default model writes for."""


def write_all(folder: Path) -> None:
    """A `weights` folder: codecs, rhythm network and transformer."""
    for name, place in EMBEDDED_FOLDERS.items():
        write_codec(folder / place, name=name)
    write_rhythm(folder / "rhythm.safetensors")
    write_model(folder / "model.safetensors", load_codec(folder / CODEC_FOLDER).spec)


def write_codec(folder: Path, kbits: float = 0.6, name: str = EMBEDDED) -> None:
    """An EnCodec at 24 kHz and 50 Hz, another for each name; 0.6 kbit/s are two codebooks of 64."""
    torch.manual_seed(SEED + (name != EMBEDDED))
    config = EncodecConfig(
        sampling_rate=24_000,
        upsampling_ratios=[8, 5, 4, 3],
        codebook_size=64,
        codebook_dim=16,
        hidden_size=16,
        num_filters=4,
        num_lstm_layers=1,
        target_bandwidths=[kbits],
    )
    config.codec_name = name
    model = EncodecModel(config)
    for layer in model.quantizer.layers:  # made as zeros, which would turn all tokens into one sound
        layer.codebook.embed.normal_()
    model.save_pretrained(folder)


def write_rhythm(path: Path) -> None:
    torch.manual_seed(SEED)
    net = RhythmNet(RhythmConfig(features=len(MOTION_NAMES), channels=8, layers=2))
    save_rhythm(path, net, MOTION_NAMES, {"note": "random"})


def write_model(path: Path, spec: CodecSpec, styles: tuple[str, ...] = STYLES) -> None:
    torch.manual_seed(SEED)
    config = ModelConfig(
        features=len(MOTION_NAMES),
        codebooks=spec.codebooks,
        cardinality=spec.cardinality,
        styles=styles,
        dim=32,
        heads=2,
        encoder_layers=1,
        decoder_layers=2,
        ffn=64,
    )
    zeros, ones = torch.zeros(config.features), torch.ones(config.features)
    model = DanceToMusic(config)
    save_model(path, model, spec, MOTION_NAMES, (zeros, ones), {"note": "random"})
