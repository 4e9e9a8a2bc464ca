"""Taking a model elsewhere: as ONNX, as a model file, or as a folder that runs without PetSeg.

No torch: the ONNX twin is what travels.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from core import files
from core.errors import BadInput
from core.inference import card
from core.inference.bundled import bundled_models
from core.labels import listed
from core.modelfile import (
    METADATA_KEY,
    ModelDescription,
    ModelFileError,
    onnx_path,
    read_description,
    read_onnx,
)

_SCRIPTS = ("segment.py", "app.py")
_REQUIREMENTS = ("numpy>=1.26", "onnxruntime>=1.18", "pillow>=10.3")


def export_model(path: Path, out: Path) -> list[Path]:
    """Write a model to ``out``; returns the files written.

    ``out`` ends in .onnx: the network with its description inside; in .safetensors: the model file
    with its twin; otherwise a new folder with a script and a page for the browser. Raises
    ModelFileError, BadInput (something stands there already, another ending), WriteError.
    """
    description = read_description(path)
    twin = read_onnx(path, description)
    suffix = out.suffix.lower()
    if suffix == ".onnx":
        contents = {out: self_contained(twin, description)}
    elif suffix == ".safetensors":
        contents = {onnx_path(out): twin, out: path.read_bytes()}
    elif any(letter.isalpha() for letter in suffix) and not out.is_dir():
        raise BadInput(
            f"{out.name} is no kind of model: give a name that ends in .onnx or .safetensors, or a "
            "new folder's; nothing was written."
        )
    else:
        contents = _folder(path, out, twin, description)
    _refuse_overwriting(out, list(contents))
    files.write_together(contents)
    return list(contents)


def self_contained(twin: bytes, description: ModelDescription) -> bytes:
    """An ONNX file that tells its classes, size, activation and temperature in its metadata.

    Raises ModelFileError where the twin is no ONNX file.
    """
    try:
        model = onnx.load_model_from_string(twin)
    except (DecodeError, ValueError) as error:
        raise ModelFileError(
            f"The ONNX twin of {description.name} is no ONNX file: copy both files of the model "
            "again."
        ) from error
    del model.metadata_props[:]
    text = json.dumps(description.model_dump(mode="json", exclude={"onnx_sha256"}))
    model.metadata_props.add(key=METADATA_KEY, value=text)
    model.producer_name = "PetSeg"
    data: bytes = model.SerializeToString()
    return data


def _folder(path: Path, out: Path, twin: bytes, description: ModelDescription) -> dict[Path, bytes]:
    if description.view != "whole":
        raise BadInput(
            f"{description.name} looks at photos in tiles, which the folder's short script does "
            "not: export it as ONNX (FILE.onnx)."
        )
    scripts = resources.files("resources") / "sharing"
    contents = {out / name: (scripts / name).read_bytes() for name in _SCRIPTS}
    readme = _readme(description, path in bundled_models()).encode()
    return contents | {
        out / "model.onnx": self_contained(twin, description),
        out / "requirements.txt": ("\n".join(_REQUIREMENTS) + "\n").encode(),
        out / "README.md": readme,
    }


def _refuse_overwriting(out: Path, written: list[Path]) -> None:
    standing = next((p for p in written if p.exists()), None)
    if standing is not None:
        raise BadInput(f"{standing} is there already; nothing was written. Choose another name.")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; nothing was written. Choose a new folder.")


def _readme(about: ModelDescription, bundled: bool) -> str:
    """What a person who is given the folder should know."""
    classes = [f"| {c.id} | {_cell(c.name)} |" for c in about.scheme.classes]
    figures = [f"- {_cell(title)}: {value}" for title, value in card.figures(about)]
    data = about.data
    masks = f", {data['train']} masks" if isinstance(data.get("train"), int) else ""
    folders = data.get("folders")
    trained = listed(folders) if isinstance(folders, list) and folders else "not recorded"
    licence = (
        "Apache-2.0, as PetSeg. It was trained on photos of Oxford-IIIT Pet (CC BY-SA 4.0)."
        if bundled
        else "Not recorded: ask whoever trained it. The scripts here are Apache-2.0, as PetSeg."
    )
    return "\n".join(
        [
            f"# {_cell(about.name)}",
            "",
            "A segmentation network, exported from PetSeg. It needs Python 3.10 or newer:",
            "",
            "    pip install -r requirements.txt",
            "    python segment.py PHOTO.jpg MASK.png",
            "",
            "The mask is a PNG of class ids in colours. For a page in the browser:",
            "",
            "    pip install gradio",
            "    python app.py",
            "",
            "## Classes",
            "",
            "| id | name |",
            "| --- | --- |",
            *classes,
            "",
            "## Figures",
            "",
            *(figures or ["None recorded."]),
            "",
            f"Measured {card.scored_words(about)}." if figures else "",
            "",
            "## The network",
            "",
            f"- sees photos at {about.size} x {about.size} pixels, fitted and padded by repeating "
            "the edge, never stretched",
            f"- {about.parameters:,} parameters; made {_cell(about.created) or 'at no known time'}",
            f"- trained on: {_cell(trained)}{masks}",
            f"- `model.onnx`: `image` float32 1 x 3 x H x W, RGB 0 to 255, to `logits` "
            f"({about.activation}, temperature {about.temperature:g}); the description is in its "
            f"metadata under `{METADATA_KEY}`",
            "",
            "## Licence",
            "",
            licence,
            "",
        ]
    )


def _cell(text: str) -> str:
    """Text that stays text in Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in " ".join(text.split()))
