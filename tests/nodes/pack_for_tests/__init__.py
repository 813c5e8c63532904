"""Nodes that only the tests have: things that others' packs would bring, and a look into values."""

from __future__ import annotations

import json
from pathlib import Path

import folder_paths
import numpy as np
import torch
from comfy_api.latest import InputImpl, Types


class Any(str):
    """A socket type that fits all."""

    def __ne__(self, other: object) -> bool:
        return False


class Clicks:
    """AUDIO: clicks at a tempo, one sound of the batch after the other a little faster."""

    CATEGORY, FUNCTION, RETURN_TYPES = "test", "make", ("AUDIO",)

    @classmethod
    def INPUT_TYPES(cls):
        numbers = {"seconds": ("FLOAT", {"default": 4.0}), "bpm": ("FLOAT", {"default": 120.0})}
        more = {"channels": ("INT", {"default": 2})}
        return {"required": {**numbers, "sounds": ("INT", {"default": 1})}, "optional": more}

    def make(self, seconds, bpm, sounds, channels=2):
        rate = 22_050
        samples = torch.zeros(sounds, channels, round(seconds * rate))
        for sound in range(sounds):
            period = 60 / (bpm + 10 * sound)
            for beat in range(int((seconds - 0.1) / period)):
                start = round((0.1 + beat * period) * rate)
                stop = min(start + 300, samples.shape[-1])
                samples[sound, :, start:stop] = torch.linspace(0.8, 0.0, 300)[: stop - start]
        return ({"waveform": samples, "sample_rate": rate},)


class ListOf:
    """A ComfyUI list of two values."""

    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_IS_LIST = "test", "make", (Any("*"),), (True,)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"first": (Any("*"),), "second": (Any("*"),)}}

    def make(self, first, second):
        return ([first, second],)


class Keypoints:
    """POSE_KEYPOINT from a JSON file of the input folder."""

    CATEGORY, FUNCTION, RETURN_TYPES = "test", "read", ("POSE_KEYPOINT",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"file": ("STRING", {"default": ""})}}

    def read(self, file):
        return (json.loads((Path(folder_paths.get_input_directory()) / file).read_text()),)


class Dump:
    """Writes what a value holds to NAME.npz in the output folder."""

    CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_NODE = "test", "dump", (), True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (Any("*"),), "name": ("STRING", {"default": "value"})}}

    def dump(self, value, name):
        folder = Path(folder_paths.get_output_directory())
        number = len(list(folder.glob(f"{name}*.npz")))
        np.savez(folder / f"{name}_{number}.npz", **_facts(value))
        return {"ui": {"dumped": [f"{name}_{number}.npz"]}}


def _facts(value) -> dict[str, np.ndarray]:
    if isinstance(value, dict) and "waveform" in value:
        return {"samples": value["waveform"].numpy(), "rate": np.array(value["sample_rate"])}
    if hasattr(value, "tokens"):
        return {"codes": value.tokens.codes.cpu().numpy(), "duration_s": np.array(value.duration_s)}
    if hasattr(value, "rhythm"):
        names = ("beats_s", "downbeats", "curves", "tempo_bpm", "confidence")
        return {name: np.asarray(getattr(value.rhythm, name)) for name in names} | {
            "duration_s": np.array(value.duration_s)
        }
    if hasattr(value, "everyone"):
        names = ("world", "image", "visibility", "present", "fps")
        return {name: np.asarray(getattr(value.poses, name)) for name in names} | {
            "people": np.array(value.everyone.people)
        }
    return {"json": np.array(json.dumps(value))}


class Value:
    """Any value, for a link in the place of a widget."""

    CATEGORY, FUNCTION, RETURN_TYPES = "test", "give", (Any("*"),)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": "null"})}}

    def give(self, text):
        return (json.loads(text),)


class HalfVideo(InputImpl.VideoFromFile):
    """A VIDEO with an edit that waits, as Crop Video makes them: the left half of the picture."""

    def has_pending_frame_edits(self):
        return True

    def get_dimensions(self):
        width, height = super().get_dimensions()
        return width // 2, height

    def save_to(self, path, *words, **more):
        parts = self.get_components()
        images = parts.images[:, :, : parts.images.shape[2] // 2]
        half = Types.VideoComponents(images=images, frame_rate=parts.frame_rate, audio=parts.audio)
        InputImpl.VideoFromComponents(half).save_to(path, *words, **more)


class LeftHalf:
    """The left half of a video of the input folder."""

    CATEGORY, FUNCTION, RETURN_TYPES = "test", "crop", ("VIDEO",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"file": ("STRING", {"default": ""})}}

    def crop(self, file):
        return (HalfVideo(str(Path(folder_paths.get_input_directory()) / file)),)


NODE_CLASS_MAPPINGS = {
    "T_Clicks": Clicks,
    "T_ListOf": ListOf,
    "T_Keypoints": Keypoints,
    "T_Dump": Dump,
    "T_Value": Value,
    "T_LeftHalf": LeftHalf,
}
