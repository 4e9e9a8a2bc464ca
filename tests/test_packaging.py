"""A wheel, installed elsewhere, finds its resources and starts."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a freshly built wheel was installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/", "docs/"))]
    target = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return target


def test_installed_wheel_has_its_models_and_cards(installed: Path, tmp_path: Path) -> None:
    code = (
        "import core.cli.main, core.inference.bundled as c; print(c.bundled_model()); "
        "core.cli.main.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "models"],
        env=os.environ | {"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    model, table = done.stdout.split("\n", 1)
    assert Path(model).is_relative_to(installed)
    assert "PetSeg default" in table
    assert "PetSeg fast" in table
    models = {p.name for p in Path(model).parent.iterdir()}
    for stem in ("petseg-default", "petseg-fast"):
        assert {f"{stem}.safetensors", f"{stem}.onnx", f"{stem}.md"} <= models


def test_installed_wheel_has_icons_and_scripts(installed: Path) -> None:
    assert list((installed / "resources" / "icons").glob("*.svg"))
    assert (installed / "resources" / "report" / "report.html").is_file()
    assert {p.name for p in (installed / "bin").iterdir()} >= {"petseg", "petseg-gui"}
