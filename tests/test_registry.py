"""What the registry of ComfyUI is told of the project."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from PIL import Image

from scripts.registry import BANNER, ICON, ROOT, completed, main

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
HOME = "https://example.org/someone/dance"


def test_all_fields_of_the_registry_are_there_once_it_is_published() -> None:
    before, after = tomllib.loads(TEXT), tomllib.loads(completed(TEXT, HOME, "v9.9.9"))
    urls = after["project"].pop("urls")
    assert urls.keys() == {"Homepage", "Repository", "Documentation", "Bug Tracker", "Changelog"}
    assert all(address.startswith(HOME) for address in urls.values())
    for address in (urls["Documentation"], urls["Changelog"]):
        assert (ROOT / address.split("/v9.9.9/")[1]).is_file()
    comfy = after["tool"].pop("comfy")
    assert comfy == before["tool"].pop("comfy") | {
        "Icon": f"{HOME}/raw/v9.9.9/{ICON}",
        "Banner": f"{HOME}/raw/v9.9.9/{BANNER}",
    }
    assert after == before, "something else changed"
    project = after["project"]
    assert "Operating System :: OS Independent" in project["classifiers"]
    assert all(project[name] for name in ("name", "version", "description", "license", "keywords"))
    assert all(comfy[name] for name in ("PublisherId", "DisplayName", "requires-comfyui"))


def test_its_pictures_have_the_shape_it_asks_for() -> None:
    assert (ROOT / ICON).read_text(encoding="utf-8").startswith("<svg")
    with Image.open(ROOT / BANNER) as banner:
        assert banner.width / banner.height == pytest.approx(21 / 9, rel=0.01)
        assert banner.width >= 1000
    assert (ROOT / BANNER).stat().st_size < 300_000


@pytest.mark.parametrize("address", ["someone/dance", "http://example.org/a/b", 'https://x.org/a/b"'])
def test_what_is_no_address_is_refused(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(TEXT)
    assert main(["--repository", address, "--ref", "v1", "--file", str(file)]) == 1
    assert "web address" in capsys.readouterr().err
    assert file.read_text() == TEXT
    assert main(["--repository", HOME, "--ref", "v1", "--file", str(file)]) == 0
    assert main(["--repository", HOME, "--ref", "v1", "--file", str(file)]) == 1
    assert "already" in capsys.readouterr().err
