"""The example graph of WanDancer: another dancer on the music, and so on the same beats.

Wired and set as `video_wan_dancer` of the PyPI package comfyui-workflow-templates-json 0.1.123, in its two
parts: keyframes over the whole music, then five seconds at a time at 30 frames a second.
"""

from __future__ import annotations

from scripts.workflow_parts import (
    BLUE,
    BROWN,
    DECODE,
    PICTURE,
    RHYTHM,
    SAVE_VIDEO,
    SCORE,
    VIOLET,
    Graph,
    Group,
    ModelFile,
    Node,
    hosted,
    plain_dance,
    sampler,
    written_music,
)

PORTRAIT, SHAPED, SEES, SEEN, TEXT, NETWORK_VAE = range(80, 86)
WHOLE, WHOLE_FAST, WHOLE_SHIFT, WHOLE_GUIDED, HEARD, SAID, WORDS, NO_WORDS, PLAN, NOISE, GUIDER = range(
    88, 99
)
METHOD, STEPS, DRAWN, CUT, KEYFRAMES = range(99, 104)
PART, PART_FAST, PADDED, PART_HEARD, FIRST, FIRST_SEEN, PART_WORDS, PART_PLAN, PART_STEPS = range(104, 113)
PART_DRAWN, PICTURES, TOGETHER, FILM, DANCER_AGAIN, PART_NO_WORDS = range(113, 119)

_SIZE = {"width": 480, "height": 832}
_DANCE = "一个人正在跳舞，舞蹈种类是街舞"
"""Somebody dances, and what: street dance. The model knows Chinese; its frame rate is told likewise."""

_GLOBAL, _LOCAL = hosted(
    "Wan-Dancer",
    "diffusion_models/wan2.2_dancer_14b_global_fp8_scaled.safetensors",
    "diffusion_models/wan2.2_dancer_14b_local_fp8_scaled.safetensors",
)
_UMT5, _CLIP_VISION = hosted(
    "Wan_2.1_ComfyUI_repackaged",
    "split_files/text_encoders/umt5_xxl_fp16.safetensors",
    "split_files/clip_vision/clip_vision_h.safetensors",
)
_KIJAI = "https://huggingface.co/Kijai/WanVideo_comfy/resolve/main/"
_FAST = ModelFile(
    "lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors",
    _KIJAI + "Lightx2v/lightx2v_I2V_14B_480p_cfg_step_distill_rank64_bf16.safetensors",
    "loras",
)
_VAE_FILE = ModelFile("Wan2_1_VAE_bf16.safetensors", _KIJAI + "Wan2_1_VAE_bf16.safetensors", "vae")


def _network(id: int, file: ModelFile) -> Node:
    return Node(id, "UNETLoader", values={"unet_name": file.name, "weight_dtype": "default"}, models=(file,))


def _hurried(id: int, network: int, strength: float) -> Node:
    """Six steps instead of dozens."""
    values = {"lora_name": _FAST.name, "strength_model": strength}
    return Node(id, "LoraLoaderModelOnly", {"model": (network, 0)}, values, models=(_FAST,))


def _planned(id: int, words: int, no_words: int, hears: int, first: int, start: dict) -> Node:
    links = {
        "positive": (words, 0),
        "negative": (no_words, 0),
        "vae": (NETWORK_VAE, 0),
        "clip_vision_output": (first, 0),
        "clip_vision_output_ref": (SEEN, 0),
        "audio_encoder_output": (hears, 0),
        **start,
    }
    return Node(id, "WanDancerVideo", links, _SIZE)


_LOADED = (
    _network(WHOLE, _GLOBAL),
    _network(PART, _LOCAL),
    Node(
        TEXT,
        "CLIPLoader",
        values={"clip_name": _UMT5.name, "type": "wan", "device": "default"},
        models=(_UMT5,),
    ),
    Node(SEES, "CLIPVisionLoader", values={"clip_name": _CLIP_VISION.name}, models=(_CLIP_VISION,)),
    Node(NETWORK_VAE, "VAELoader", values={"vae_name": _VAE_FILE.name}, models=(_VAE_FILE,)),
)
_SHOWN = (
    Node(PORTRAIT, "LoadImage", values={"image": ""}, below=200, title="The new dancer"),
    Node(
        SHAPED,
        "ImageScale",
        {"image": (PORTRAIT, 0)},
        {"upscale_method": "lanczos", "crop": "center", **_SIZE},
    ),
    Node(SEEN, "CLIPVisionEncode", {"clip_vision": (SEES, 0), "image": (SHAPED, 0)}, {"crop": "none"}),
)
_WHOLE_TOLD = (
    Node(HEARD, "WanDancerEncodeAudio", {"audio": (DECODE, 0)}),
    Node(
        SAID,
        "StringConcatenate",
        {"string_b": (HEARD, 1)},
        {"string_a": _DANCE, "delimiter": " "},
        below=130,
        title="Which dance",
    ),
    Node(WORDS, "CLIPTextEncode", {"clip": (TEXT, 0), "text": (SAID, 0)}, below=70),
    Node(NO_WORDS, "ConditioningZeroOut", {"conditioning": (WORDS, 0)}),
    _planned(PLAN, WORDS, NO_WORDS, HEARD, SEEN, {"start_image": (SHAPED, 0)}),
)
_WHOLE_DRAWN = (
    _hurried(WHOLE_FAST, WHOLE, 3.0),
    Node(WHOLE_SHIFT, "ModelSamplingSD3", {"model": (WHOLE_FAST, 0)}, {"shift": 5.0}),
    Node(
        WHOLE_GUIDED,
        "SkipLayerGuidanceDiTSimple",
        {"model": (WHOLE_SHIFT, 0)},
        {"double_layers": "9", "single_layers": "", "start_percent": 0.0, "end_percent": 1.0},
    ),
    Node(NOISE, "RandomNoise"),
    Node(
        GUIDER,
        "CFGGuider",
        {"model": (WHOLE_GUIDED, 0), "positive": (PLAN, 0), "negative": (PLAN, 1)},
        {"cfg": 1.0},
    ),
)
_WHOLE_MADE = (
    Node(METHOD, "KSamplerSelect", values={"sampler_name": "euler"}),
    Node(
        STEPS,
        "BasicScheduler",
        {"model": (WHOLE_GUIDED, 0)},
        {"scheduler": "simple", "steps": 6, "denoise": 1.0},
    ),
    Node(
        DRAWN,
        "SamplerCustomAdvanced",
        {
            "noise": (NOISE, 0),
            "guider": (GUIDER, 0),
            "sampler": (METHOD, 0),
            "sigmas": (STEPS, 0),
            "latent_image": (PLAN, 2),
        },
    ),
    Node(CUT, "LatentCutToBatch", {"samples": (DRAWN, 0)}, {"dim": "t", "slice_size": 1}),
    Node(KEYFRAMES, "VAEDecode", {"samples": (CUT, 0), "vae": (NETWORK_VAE, 0)}),
)
_PART_TOLD = (
    Node(
        PADDED,
        "WanDancerPadKeyframesList",
        {"images": (KEYFRAMES, 0), "audio": (DECODE, 0)},
        {"num_segments": 3},
        title="Parts",
    ),
    Node(PART_HEARD, "WanDancerEncodeAudio", {"audio": (PADDED, 2)}),
    Node(FIRST, "ImageFromBatch", {"image": (PADDED, 0)}, {"batch_index": 0, "length": 1}),
    Node(FIRST_SEEN, "CLIPVisionEncode", {"clip_vision": (SEES, 0), "image": (FIRST, 0)}, {"crop": "none"}),
    Node(
        PART_WORDS,
        "CLIPTextEncode",
        {"clip": (TEXT, 0)},
        {"text": _DANCE + ",图像清晰程度高,人物动作幅度高"},
        below=70,
        title="Which dance, in each part",
    ),
    Node(PART_NO_WORDS, "ConditioningZeroOut", {"conditioning": (PART_WORDS, 0)}),
)
_PART_MADE = (
    _hurried(PART_FAST, PART, 1.03),
    _planned(
        PART_PLAN,
        PART_WORDS,
        PART_NO_WORDS,
        PART_HEARD,
        FIRST_SEEN,
        {"start_image": (PADDED, 0), "mask": (PADDED, 1)},
    ),
    Node(
        PART_STEPS,
        "BasicScheduler",
        {"model": (PART_FAST, 0)},
        {"scheduler": "simple", "steps": 6, "denoise": 1.0},
    ),
    Node(
        PART_DRAWN,
        "SamplerCustom",
        {
            "model": (PART_FAST, 0),
            "positive": (PART_PLAN, 0),
            "negative": (PART_PLAN, 1),
            "sampler": (METHOD, 0),
            "sigmas": (PART_STEPS, 0),
            "latent_image": (PART_PLAN, 2),
        },
        {"add_noise": True, "cfg": 1.0},
    ),
    Node(PICTURES, "VAEDecode", {"samples": (PART_DRAWN, 0), "vae": (NETWORK_VAE, 0)}),
    Node(TOGETHER, "RebatchImages", {"images": (PICTURES, 0)}, {"batch_size": 4096}),
    Node(FILM, "CreateVideo", {"images": (TOGETHER, 0), "audio": (DECODE, 0)}, {"fps": 30.0}),
)
_SAVED = Node(SAVE_VIDEO, "D2M_SaveVideo", {"video": (FILM, 0), "audio": (DECODE, 0)}, below=PICTURE)
_SEEN_AGAIN = Node(
    DANCER_AGAIN,
    "D2M_PoseEstimate",
    {"video": (FILM, 0)},
    {"download": True},
    below=PICTURE,
    title="Who dances now",
)
_SCORED = Node(
    SCORE,
    "D2M_ScoreMusic",
    {"audio": (DECODE, 0), "rhythm": (RHYTHM, 0), "poses": (DANCER_AGAIN, 0)},
    below=PICTURE + 200,
)
_RESULT = Group("The new dancer", BROWN, ((360, (_SAVED,)), (360, (_SEEN_AGAIN,)), (460, (_SCORED,))))
NEW_DANCER = Graph(
    "Dance to Music - a new dancer",
    "new_dancer",
    "2e8c4b7a-91d3-4f60-8a2b-5c7d0e1f3a86",
    """# Music from your dance, a new dancer on the music

Your clip gives the beats, this pack writes the music, and ComfyUI's WanDancer makes a film of somebody \
else who dances to it. **Score Dance Music** looks at that film: do they dance on your beats?

1. Upload your clip in **Load Dance Video** and a picture of the new dancer in **The new dancer**: \
upright, the whole body.
2. Set `num_segments` in **Parts** to the clip's length in seconds divided by 5, rounded up. Press **Run**.

**You need** a ComfyUI that knows WanDancer (if frames are red, update ComfyUI), a large GPU and six large \
model files; the page offers to download them.

**What to change**

- **Which dance**: 古典舞 classical, 韩舞 K-pop, 街舞 street, 拉丁舞 Latin, 踢踏舞 tap. The same words \
stand in **Which dance, in each part**.
- `seed` in **Dance2Music Sampler**: other music; `noise_seed`: another film.""",
    (
        (plain_dance(), written_music(sampler())),
        (
            Group("WanDancer", VIOLET, ((400, _LOADED), (340, _SHOWN))),
            Group("Keyframes", VIOLET, ((340, _WHOLE_TOLD), (340, _WHOLE_DRAWN), (300, _WHOLE_MADE))),
        ),
        (Group("The film", BLUE, ((340, _PART_TOLD), (340, _PART_MADE))), _RESULT),
    ),
)
