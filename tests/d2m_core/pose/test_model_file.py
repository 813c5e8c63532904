"""The pose model's way onto the disk: fetched, checked, recorded, never by halves."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import resource
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from d2m_core.errors import Cancelled, ModelError, SettingError
from d2m_core.pose import model_file
from d2m_core.pose.model_file import DETECTOR, LANDMARKER
from scripts import pose_model as packages
from scripts.pose_model import stored_zip, with_normalization


def bundle_of(size: int = 1000) -> bytes:
    return stored_zip({DETECTOR: b"d" * size, LANDMARKER: b"l" * size})


@contextmanager
def served(content: bytes, length: int | None = None) -> Iterator[str]:
    """A server on this machine that gives `content`; `length` is what it claims to send."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{{variant}}.task"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_fetched_model_is_recorded_and_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, seen = bundle_of(400_000), []
    with served(content) as address:
        monkeypatch.setattr(model_file, "POSE_ADDRESS", address)
        path = model_file.pose_model("lite", tmp_path, lambda done, total: seen.append((done, total)))
    assert path == tmp_path / "pose_landmarker_lite.task"
    assert path.read_bytes() == content
    assert seen[-1] == (len(content), len(content))
    assert len(seen) > 1
    record = json.loads((tmp_path / "pose_landmarker_lite.task.json").read_text())
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["source"] == address.format(variant="lite")
    assert "Apache" in (tmp_path / "pose_landmarker_LICENSE.txt").read_text()
    assert len(list(tmp_path.iterdir())) == 3
    assert model_file.pose_model("lite", tmp_path) == path  # the server is gone


@pytest.mark.parametrize("cut", [0, 1, 500, 1999])
def test_a_broken_off_download_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    with served(bundle_of()[:cut], length=len(bundle_of())) as address:
        monkeypatch.setattr(model_file, "POSE_ADDRESS", address)
        with pytest.raises(ModelError, match=r"pose_landmarker_full\.task .*bytes"):
            model_file.pose_model("full", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"<html>sign in</html>", stored_zip({DETECTOR: b"only one"})])
def test_something_else_than_a_bundle_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    with served(content) as address:
        monkeypatch.setattr(model_file, "POSE_ADDRESS", address)
        with pytest.raises(ModelError, match="not a pose landmarker bundle"):
            model_file.pose_model("full", tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "pose_landmarker_full.task").write_bytes(content)
    with pytest.raises(ModelError, match="not a pose landmarker bundle"):
        model_file.pose_model("full", tmp_path)


def test_an_unreachable_model_says_file_folder_and_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_file, "POSE_ADDRESS", "http://127.0.0.1:9/{variant}.task")
    with pytest.raises(ModelError) as caught:
        model_file.pose_model("heavy", tmp_path / "models")
    for part in ("pose_landmarker_heavy.task", str(tmp_path), "http://127.0.0.1:9/heavy.task"):
        assert part in str(caught.value)


def test_out_of_reach_it_is_made_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the script, with packages that lie in a folder of this machine."""
    monkeypatch.setattr(model_file, "POSE_ADDRESS", "http://127.0.0.1:9/{variant}.task")
    wheel = tmp_path / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as package:
        for name in ("pose_detection/pose_detection", "pose_landmark/pose_landmark_full"):
            package.writestr(f"mediapipe/modules/{name}.tflite", tiny_tflite(name.encode()))
    monkeypatch.setattr(packages, "_fetch_wheel", lambda _folder: wheel)
    path = packages.obtain("full", tmp_path / "models")
    assert model_file.pose_model("full", tmp_path / "models") == path
    assert "mediapipe==" in json.loads(path.with_name(path.name + ".json").read_text())["source"]
    with zipfile.ZipFile(path) as bundle:
        assert b"pose_landmark_full" in bundle.read(LANDMARKER)


def test_cancel_while_fetching_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(_done: int, _total: int) -> None:
        raise Cancelled("stop")

    with served(bundle_of()) as address:
        monkeypatch.setattr(model_file, "POSE_ADDRESS", address)
        with pytest.raises(Cancelled):
            model_file.pose_model("full", tmp_path, cancel)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with served(bundle_of(400_000)) as address:
        monkeypatch.setattr(model_file, "POSE_ADDRESS", address)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(ModelError, match="could not be written"):
                model_file.pose_model("full", tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_changed_model_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "pose_landmarker_full.task"
    path.write_bytes(bundle_of(10))
    assert model_file.pose_model("full", tmp_path) == path  # put there by hand: recorded now
    path.write_bytes(bundle_of(11))
    with pytest.raises(ModelError, match="has changed"):
        model_file.pose_model("full", tmp_path)
    path.write_bytes(bundle_of(10))
    (tmp_path / "pose_landmarker_full.task.json").write_text("{}")
    with pytest.raises(ModelError, match="has changed"):
        model_file.pose_model("full", tmp_path)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="lite, full, heavy"):
        model_file.pose_model("huge", tmp_path)


def test_the_model_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2M_MODELS", str(tmp_path / "elsewhere"))
    assert model_file.model_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("D2M_MODELS")
    assert model_file.model_folder().name == "dance2music"


def test_bundles_are_stored_aligned_and_the_same_every_time() -> None:
    data = bundle_of(1001)
    assert data == bundle_of(1001)
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        for info in bundle.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            start = info.header_offset
            name, extra = (int.from_bytes(data[start + at : start + at + 2], "little") for at in (26, 28))
            assert (start + 30 + name + extra) % 16 == 0


def tiny_tflite(weights: bytes) -> bytes:
    """A TFLite model with one buffer of weights and no metadata."""
    import flatbuffers
    from mediapipe.tasks.metadata import schema_py_generated as schema

    buffer, tensor, graph, model = (schema.BufferT(), schema.TensorT(), schema.SubGraphT(), schema.ModelT())
    buffer.data = weights
    tensor.name, tensor.shape, tensor.buffer = "input", [1, 4], 0
    graph.tensors, graph.inputs, graph.outputs = [tensor], [0], [0]
    model.version, model.subgraphs, model.buffers = 3, [graph], [buffer]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_normalisation_is_written_beside_untouched_aligned_weights() -> None:
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as schema

    weights = bytes(range(1, 200))
    data = with_normalization(tiny_tflite(weights), mean=127.5, std=255.0)
    assert schema.Model.ModelBufferHasIdentifier(data, 0)
    assert data.index(weights) % 16 == 0
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    assert [entry.name for entry in model.metadata] == [b"TFLITE_METADATA"]
    written = bytes(model.buffers[model.metadata[0].buffer].data)
    assert metadata.ModelMetadata.ModelMetadataBufferHasIdentifier(written, 0)
    root = metadata.ModelMetadataT.InitFromObj(metadata.ModelMetadata.GetRootAs(written, 0))
    unit = root.subgraphMetadata[0].inputTensorMetadata[0].processUnits[0]
    assert (list(unit.options.mean), list(unit.options.std)) == ([127.5], [255.0])
    assert with_normalization(data, mean=0.0, std=1.0) == data
