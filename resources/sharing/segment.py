"""Segment a photo with the network beside this file: python segment.py PHOTO MASK.png"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is loaded

import onnxruntime

network = onnxruntime.InferenceSession(str(Path(__file__).with_name("model.onnx")))
about = json.loads(network.get_modelmeta().custom_metadata_map["petseg"])
classes = [c["name"] for c in about["scheme"]["classes"]]
palette = [value for c in about["scheme"]["classes"] for value in c["colour"]]


def cover(old, new):
    """Which share of each of ``new`` pixels each of ``old`` ones fills"""
    edges, at = np.arange(new + 1) * old / new, np.arange(old)
    shared = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return (np.clip(shared, 0, 1) * new / old).astype(np.float32)


def stretch(plane, width, height):
    """A plane of numbers at another size, each between the nearest four"""
    step = (plane.shape[1] / width, 0, 0, 0, plane.shape[0] / height, 0)
    stretched = Image.fromarray(plane).transform(
        (width, height), Image.AFFINE, step, Image.BILINEAR
    )
    return np.asarray(stretched)


def segment(photo):
    """The class of each pixel of a PIL image: uint8, height x width"""
    planes, size = np.asarray(photo.convert("RGB"), np.float32).transpose(2, 0, 1), about["size"]
    scale = size / max(photo.size)
    width, height = (max(1, round(side * scale)) for side in photo.size)
    left, top = (size - width) // 2, (size - height) // 2
    if scale < 1:
        small = cover(photo.height, height) @ planes @ cover(photo.width, width).T
    else:
        small = np.stack([stretch(plane, width, height) for plane in planes])
    edges = ((0, 0), (top, size - height - top), (left, size - width - left))
    square = np.pad(np.rint(small), edges, "edge")[None]
    logits = network.run(None, {"image": square})[0][0, :, top : top + height, left : left + width]
    if about["activation"] == "sigmoid":
        logits = np.concatenate([np.zeros_like(logits), logits])
    p = np.exp((logits - logits.max(0)) / about["temperature"])
    p = [stretch(plane, *photo.size) for plane in p / p.sum(0)]
    if len(p) == 2 or classes[2:] == ["border"]:  # a border counts as part of the animal
        return (p[0] <= 0.5).astype(np.uint8)
    return np.argmax(p, 0).astype(np.uint8)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python segment.py PHOTO MASK.png")
    try:
        photo = ImageOps.exif_transpose(Image.open(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{sys.argv[1]} cannot be read: {error.strerror or error}")
    mask = Image.fromarray(segment(photo))
    mask.putpalette(palette)
    mask.save(sys.argv[2])
