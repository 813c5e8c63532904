"""Pose model bundles as bytes: stored so that they can be mapped, and without what nobody reads."""

from __future__ import annotations

import io
import logging
import struct
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ..files import replacing
from .model_file import LANDMARKER, kept_folder

_TFLITE_ID = b"TFL3"
_ALIGNMENT = 16
"""TFLite maps its weights in place and wants them aligned so."""
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""One date for all members, so that the same networks give the same bytes."""
_ZIP_PADDING_ID = b"\x35\xd9"
"""Extra-field id that Android's zipalign uses for padding."""

_OTHERWISE = (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError, struct.error)
"""What reading a network raises that is not built as we know it."""

_log = logging.getLogger(__name__)


def lean_bundle(bundle: Path) -> bytes | None:
    """A bundle whose landmark network draws no silhouette; None where it is not as we know it.

    The silhouette is drawn for every picture, asked for or not, and takes two fifths of the network's
    time. Nothing else depends on it: all joints stay the same, bit for bit.
    """
    facts = bundle.stat()
    return _lean(bundle, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=1)
def _lean(bundle: Path, *_stamp: int) -> bytes | None:
    from mediapipe.tasks.metadata import schema_py_generated as schema

    with zipfile.ZipFile(bundle) as held:
        members = {name: held.read(name) for name in held.namelist()}
    try:
        tree = unpack(schema, members[LANDMARKER])
        without_silhouette(tree.subgraphs[0])
        return stored_zip(members | {LANDMARKER: pack(schema, tree)})
    except _OTHERWISE as error:
        _log.info("%s is used as it is: %r", bundle.name, error)
        return None


def lean_model(bundle: Path) -> dict[str, Any] | None:
    """`lean_bundle` as MediaPipe's options take a model: as a file where one can be kept.

    MediaPipe maps files; of bytes every landmarker holds copies of its own, which takes 40 MB more.
    """
    path = _kept(bundle)
    if path is not None:
        return {"model_asset_path": str(path)}
    lean = lean_bundle(bundle)
    return None if lean is None else {"model_asset_buffer": lean}


def _kept(bundle: Path) -> Path | None:
    """The lean bundle's file, made where it is not there yet; None where it cannot be."""
    mark = zlib.crc32(bundle.read_bytes() + Path(__file__).read_bytes())
    path = kept_folder() / "models" / f"{bundle.stem}.{mark:08x}{bundle.suffix}"
    try:
        if _is_whole(path):
            return path
        lean = lean_bundle(bundle)
        if lean is None:
            return None
        with replacing(path) as partial:
            partial.write_bytes(lean)
        for other in path.parent.glob(f"{bundle.stem}.*{bundle.suffix}"):
            if other != path:
                other.unlink(missing_ok=True)
    except OSError as error:
        _log.info("%s is not kept: %s", path, error)
        return None
    return path


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as held:
            return held.testzip() is None
    except (FileNotFoundError, zipfile.BadZipFile, EOFError):
        return False


def without_silhouette(graph: Any) -> None:
    """Takes what draws the silhouette out of a landmark network, in place; five answers stay.

    In the silhouette's place stands one number that is there anyway, the presence before its shape is
    changed: whoever reads the answers counts them. Raises `StopIteration` where there is none.
    """
    shapes = [[int(side) for side in graph.tensors[k].shape] for k in graph.outputs]
    side = int(graph.tensors[graph.inputs[0]].shape[1])
    mask = next(place for place, shape in enumerate(shapes) if shape == [1, side, side, 1])
    presence = next(int(k) for k, shape in zip(graph.outputs, shapes, strict=True) if shape == [1, 1])
    maker = next(operator for operator in graph.operators if presence in operator.outputs)
    answers = [int(k) for k in graph.outputs]
    answers[mask] = int(maker.inputs[0])
    needed, kept = set(answers), []
    for operator in reversed(graph.operators):  # they stand in the order in which they run
        if needed.intersection(int(k) for k in operator.outputs):
            needed.update(int(k) for k in operator.inputs)
            kept.append(operator)
    graph.outputs, graph.operators = answers, kept[::-1]


def unpack(schema: ModuleType, model: bytes) -> Any:
    """A TFLite model as a tree of objects."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))


def pack(schema: ModuleType, tree: Any) -> bytes:
    """Serialises a model with its weights aligned, which the generated code forgets."""
    import flatbuffers

    tree.buffers = [_AlignedBuffer(schema, buffer.data) for buffer in tree.buffers]
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), _TFLITE_ID)
    return bytes(builder.Output())


class _AlignedBuffer:
    """Stands in for the generated `BufferT` while a model is packed."""

    def __init__(self, schema: ModuleType, data: Any) -> None:
        self._schema, self._data = schema, data

    def Pack(self, builder: Any) -> int:
        data = None if self._data is None else bytes(self._data)
        if data is not None:
            builder.StartVector(1, len(data), _ALIGNMENT)
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        self._schema.BufferStart(builder)
        if data is not None:
            self._schema.BufferAddData(builder, vector)
        return self._schema.BufferEnd(builder)


def stored_zip(members: dict[str, bytes]) -> bytes:
    """A stored zip whose members start at aligned offsets, so that they can be mapped."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            header = 30 + len(name) + 4  # local header, name, and the extra field's own header
            padding = -(out.tell() + header) % _ALIGNMENT
            info.extra = _ZIP_PADDING_ID + padding.to_bytes(2, "little") + bytes(padding)
            bundle.writestr(info, data)
    return out.getvalue()
