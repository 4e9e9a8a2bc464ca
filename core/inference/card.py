"""A model's card: what its file tells of it, as titles and texts for people."""

from __future__ import annotations

from pathlib import Path

from core.labels import BorderRule, listed
from core.modelfile import ModelDescription

_FIGURES = {
    "val_iou": "IoU per image",
    "val_dice": "Dice per image",
    "val_pixel_accuracy": "Pixel accuracy",
    "val_dataset_iou": "IoU over the data set",
}
_MOST_BYTES = 1 << 18  # of a written card
_VIEWS = {"whole": "the whole photo, fitted and padded", "crops": "parts of the photo, as it is"}
_TRAINED = {
    BorderRule.FOREGROUND: "counted as the object",
    BorderRule.IGNORE: "left out",
    BorderRule.BACKGROUND: "counted as background",
    BorderRule.CLASS: "a class of its own",
}


def card_rows(about: ModelDescription, path: Path) -> list[tuple[str, str]]:
    """(title, text) of all that is known; what is not is left out."""
    rows = [
        ("Name", about.name),
        ("Classes", listed(about.scheme.names)),
        ("Sees", f"{_VIEWS[about.view]}, at {about.size} px"),
        ("Parameters", f"{about.parameters:,}" if about.parameters else ""),
        ("Network", network_words(about)),
        ("Made", about.created[:16].replace("T", " ")),
        ("Preset", about.preset),
        ("Started from", about.start),
        *trained_on(about),
        *figures(about),
        ("Figures", scored_words(about)),
        ("Border in training", _TRAINED[about.border_rule] if about.scheme.border_id else ""),
        ("Temperature", _temperature_words(about.temperature)),
        ("Further training", "" if about.trainable else "not possible: an ONNX file alone"),
        ("File", str(path)),
    ]
    return [(title, text) for title, text in rows if text]


def read_card(path: Path) -> str:
    """What people wrote about a model: the Markdown beside its file (``NAME.md``), or ""."""
    written = path.with_suffix(".md")
    try:
        if written.stat().st_size > _MOST_BYTES:
            return ""
        return written.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""  # a card may be missing; the model's file tells what must be known


def parts_of(card: str) -> tuple[str, str]:
    """A card's first paragraph in one line (what the model is for), and all that follows it."""
    paragraphs = card.strip().split("\n\n")
    while paragraphs and (not paragraphs[0].strip() or paragraphs[0].startswith("#")):
        del paragraphs[0]  # its title
    if not paragraphs:
        return "", ""
    return " ".join(paragraphs[0].split()), "\n\n".join(paragraphs[1:])


def figures(about: ModelDescription) -> list[tuple[str, str]]:
    """(title, value) of how good it was on its training's validation images."""
    return [(_FIGURES.get(k, k), f"{v:.3f}") for k, v in about.metrics.items()]


def scored_words(about: ModelDescription) -> str:
    """Of what the figures are, with the border rule; "" where there are none."""
    if not about.metrics:
        return ""
    val = about.data.get("val")
    images = f"{val} validation images" if isinstance(val, int) else "its validation images"
    # Models of before this was written down: the rule that their preset scores by.
    usual = "class" if about.preset == "trimap" else "foreground" if about.scheme.border_id else ""
    rule = str(about.data.get("scored", usual))
    border = f", border {_TRAINED[BorderRule(rule)]}" if rule in list(BorderRule) else ""
    return f"on {images}{border}"


def _temperature_words(temperature: float) -> str:
    sure = "too sure" if temperature > 1 else "not sure enough"
    return "1" if temperature == 1 else f"{temperature:g}: its network alone is {sure}"


def trained_on(about: ModelDescription) -> list[tuple[str, str]]:
    """Which masks it learnt from, as far as it is recorded."""
    data = about.data
    folders = data.get("folders")
    masks = [f"{data[k]} {k}" for k in ("train", "val") if isinstance(data.get(k), int)]
    return [
        ("Imported from", str(data.get("imported", ""))),
        ("Trained on", listed(folders) if isinstance(folders, list) else ""),
        ("Masks", ", ".join(masks)),
        ("Data fingerprint", str(data.get("fingerprint", ""))),
    ]


def network_words(about: ModelDescription) -> str:
    """What kind of network it is."""
    network = about.network
    if not network:
        return "ONNX"
    encoder, decoder = network.get("encoder"), network.get("decoder")
    if encoder:
        return f"U-Net on {encoder}" + (f", {decoder} decoder" if isinstance(decoder, str) else "")
    attention = "Attention U-Net" if network.get("attention") else "U-Net"
    width, depth = network.get("width"), network.get("depth")
    return f"{attention}, {width} channels, {depth} levels" if width and depth else attention
