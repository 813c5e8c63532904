#!/usr/bin/env bash
# transformers 5.24.0 with torch 2.13.0: EnCodec's 48 kHz set-up codes one chunk more than it pads for.
#
# Expected: with chunks of 1 s that overlap by 1 % (48000 samples, one each 47520), the feature extractor
# pads a sound to a whole number of chunks and the model makes as many: 10 s are padded to 523200
# samples, which is 11 chunks, and 1 s, one chunk long, stays as it is: 1 chunk.
# Seen (Python 3.11, Linux): 12 and 3. The model starts a chunk wherever 47520 more samples have passed, so
# the overlap at the end, 480 samples that the chunk before holds already, becomes a chunk of its own;
# and the extractor counts without the overlap, so that just one chunk of sound is padded to two.
# Without padding the numbers are 11 and 2. Short pieces cost up to three times the codes.
#
# Output seen:
#     1 s: 48000 samples padded to 95520 = 2 chunks, codes for 3; without padding for 2
#     10 s: 480000 samples padded to 523200 = 11 chunks, codes for 12; without padding for 11
#
# PYTHON=python3.11 bash transformers_encodec_chunks.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet transformers==5.24.0 torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import numpy as np
import torch
from transformers import EncodecConfig, EncodecFeatureExtractor, EncodecModel

shape = {"sampling_rate": 48_000, "chunk_length_s": 1.0, "overlap": 0.01}
extractor = EncodecFeatureExtractor(feature_size=2, **shape)
config = EncodecConfig(  # as the 48 kHz model, but tiny
    audio_channels=2,
    normalize=True,
    norm_type="time_group_norm",
    use_causal_conv=False,
    target_bandwidths=[3.0],
    num_filters=4,
    hidden_size=16,
    codebook_dim=16,
    num_lstm_layers=1,
    **shape,
)
model = EncodecModel(config).eval()


@torch.no_grad()
def coded(sound, padding):
    inputs = extractor(sound, sampling_rate=48_000, return_tensors="pt", padding=padding)
    codes = model.encode(inputs["input_values"], inputs.get("padding_mask"), bandwidth=3.0)
    return inputs["input_values"].shape[-1], len(codes.audio_codes)


for seconds in (1, 10):
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 48_000 * seconds)).astype(np.float32)
    padded, chunks = coded(sound, True)
    whole = (padded - 48_000) / 47_520 + 1
    print(f"{seconds} s: {sound.shape[1]} samples padded to {padded} = {whole:g} chunks, "
          f"codes for {chunks}; without padding for {coded(sound, False)[1]}")
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
