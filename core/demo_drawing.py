"""Procedural "photos" of furry animals, for a demo project that ships no photo.

Every picture is drawn from a seed: a scene (room, sofa, lawn or hills), clutter, a cat or a dog
made of thousands of fur strands, and the imperfections of a camera.

Everything furry is a *limb*: a smooth spine with a radius at each of its points, i.e. a union of
discs.  The disc a point belongs to tells at once how the fur lies there (along the spine, outwards
near the rim), which way the surface faces (for light and pale bellies) and how far along the limb
it is (for stripes and white paws).

Conventions: colours are RGB 0..255; the animal's own space has x right, y down, ground at y = 0;
"canvas" is a uint8 (h, w, 4) picture with premultiplied alpha at ``SUPERSAMPLING`` resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Rng = np.random.Generator
Points = Sequence[Sequence[float]] | Floats

SUPERSAMPLING = 2
STRANDS = 34_000
SPINE_SAMPLES = 28
SUBPIXEL_BITS = 4

PALETTE: dict[str, tuple[int, int, int]] = {
    "ginger": (205, 128, 62),
    "black": (46, 42, 42),
    "grey": (124, 124, 130),
    "white": (236, 231, 222),
    "cream": (226, 200, 160),
    "brown": (118, 82, 55),
    "chocolate": (78, 54, 42),
    "golden": (206, 158, 92),
    "silver": (172, 171, 170),
}
#: Light and dark coat colours that go together: (base, marking).
COATS = (
    ("ginger", "brown"), ("grey", "black"), ("silver", "black"), ("brown", "black"),
    ("black", "brown"), ("white", "ginger"), ("white", "black"), ("cream", "chocolate"),
    ("golden", "brown"), ("chocolate", "black"), ("white", "grey"), ("golden", "black"),
)  # fmt: skip
INNER_EAR = (164, 118, 108)
IRISES = ((196, 168, 56), (128, 168, 80), (206, 140, 48), (110, 158, 190))


@dataclass(frozen=True)
class Part:
    """One limb of an animal: discs of ``radii`` (k,) around ``spine`` (k, 2)."""

    spine: Floats
    radii: Floats
    fur: float = 1.0
    shade: float = 1.0
    pale: tuple[float, float, float] | None = None  # the direction of the light-furred side
    tip: float = 0.0  # how much the far end counts as an extremity (paw, ear, tail tip)
    whorl: Floats | None = None  # the fur radiates from here (heads)
    skin: tuple[int, int, int] | None = None  # a colour instead of the coat's (inner ears)


@dataclass(frozen=True)
class Head:
    """Where the face is: centre, size (skull radius ~0.8), roll (radians), turn (-1..1)."""

    centre: tuple[float, float]
    size: float
    roll: float
    turn: float

    def place(self, points: Points) -> Floats:
        """Head coordinates (n, 2) to animal coordinates (n, 2)."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        turned = np.asarray(points, float) @ np.array([[cos, sin], [-sin, cos]])
        return np.asarray(turned * self.size + np.asarray(self.centre))


@dataclass(frozen=True)
class Pose:
    """An animal's parts from back to front, its head, and whether it stands on a ground."""

    parts: list[Part]
    head: Head
    grounded: bool = True
    coverage: tuple[float, float] = (0.14, 0.34)


@dataclass(frozen=True)
class Coat:
    """An animal's colours and the way they are laid out."""

    dog: bool
    base: Floats
    marking: Floats
    pale: Floats
    pattern: str
    paleness: float
    frequency: float
    length: float
    iris: tuple[int, int, int]
    nose: tuple[int, int, int]
    noise: Floats = field(repr=False)


@dataclass(frozen=True)
class Placement:
    """Animal coordinates to canvas pixels: ``points @ matrix + offset``; ``scale`` px a unit."""

    matrix: Floats
    offset: Floats
    scale: float

    def points(self, points: Points) -> Floats:
        """Animal coordinates (n, 2) to canvas pixels (n, 2)."""
        return np.asarray(np.asarray(points, float) @ self.matrix + self.offset)

    def part(self, part: Part) -> Part:
        """The part in canvas pixels."""
        whorl = None if part.whorl is None else self.points(part.whorl[None])[0]
        return replace(
            part, spine=self.points(part.spine), radii=part.radii * self.scale, whorl=whorl
        )


def draw_animal(
    seed: int, width: int = 480, height: int = 360
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Draw the animal photo of ``seed``; the same arguments always give the same picture.

    Returns (picture, mask): picture uint8 (height, width, 3) RGB 0..255; mask uint8
    (height, width), 1 where at least half of the pixel is the animal's, otherwise 0.
    """
    rng = np.random.default_rng(seed)
    coat = _random_coat(rng)
    pose = _random_pose(rng, coat)
    place = _random_placement(rng, pose, width, height)
    light = _unit(np.array([rng.choice([-1, 1]) * rng.uniform(0.3, 0.8), -0.75, 0.6]))
    ground = float(place.offset[1]) / SUPERSAMPLING if pose.grounded else height * 1.05
    horizon = float(np.clip(ground - height * rng.uniform(0.16, 0.42), height * 0.12, height * 0.8))

    scene = _background(rng, height, width, horizon)
    scene = _over(scene, _clutter(rng, coat, height, width, horizon, ground, light))
    scene = _defocus(scene, ground, rng.uniform(0.6, 2.4))

    canvas = _canvas(height, width)
    Furrier(rng, canvas, coat, place, light).draw(pose.parts)
    _draw_face(canvas, coat, pose.head, place)
    animal = _downsample(canvas)
    scene = _cast_shadow(scene, animal[..., 3], ground, light)
    scene = _over(scene, animal)
    scene = _over(scene, _whiskers(rng, coat, pose.head, place, height, width))

    torso = place.points(pose.parts[1].spine)
    front = _occluder(rng, coat, torso, height, width)
    visible = animal[..., 3] * (1 - front[..., 3])
    picture = _camera(rng, _over(scene, front), light)
    return picture, (visible >= 0.5).astype(np.uint8)


# --- Small tools -------------------------------------------------------------------------------


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def _step(low: float, high: float, values: Floats) -> Floats:
    """Smoothstep: 0 below ``low``, 1 above ``high``."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _rgb(name: str) -> Floats:
    return np.array(PALETTE[name], float)


def _pick(rng: Rng, options: Sequence[Any] | Floats) -> Any:
    return options[int(rng.integers(len(options)))]


def _paint_colour(rng: Rng) -> Floats:
    """The colour of a manufactured thing: any hue, seldom garish."""
    vivid = rng.uniform(30, 225, 3)
    return np.asarray(vivid + (vivid.mean() - vivid) * rng.uniform(0.1, 0.85))


def _jitter(rng: Rng, colour: Floats, amount: float = 14) -> Floats:
    """The colour, a little lighter or darker and a little off its hue."""
    moved = colour * rng.uniform(0.85, 1.15) + rng.normal(0, amount, 3)
    return np.asarray(np.clip(moved, 8, 248))


def _canvas(height: int, width: int) -> Bytes:
    return np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING, 4), np.uint8)


def _paint(canvas: Bytes, points: Points, colour: Points | Sequence[float]) -> None:
    """Fill a polygon, anti-aliased; blending (colour, 255) keeps the alpha premultiplied."""
    fixed = np.round(np.asarray(points, float) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    r, g, b = (float(v) for v in np.clip(np.asarray(colour, float), 0, 255))
    cv2.fillPoly(canvas, [fixed], (r, g, b, 255), cv2.LINE_AA, SUBPIXEL_BITS)


def _stroke(
    canvas: Bytes, points: Points, colour: Points | Sequence[float], thickness: float
) -> None:
    fixed = np.round(np.asarray(points, float) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    r, g, b = (float(v) for v in np.clip(np.asarray(colour, float), 0, 255))
    width = max(1, round(thickness))
    cv2.polylines(canvas, [fixed], False, (r, g, b, 255), width, cv2.LINE_AA, SUBPIXEL_BITS)


def _ellipse(cx: float, cy: float, rx: float, ry: float, squareness: float = 2) -> Floats:
    """A closed (super)ellipse as points (40, 2)."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(t), np.sin(t)
    power = 2 / squareness
    x = np.sign(cos) * np.abs(cos) ** power
    y = np.sign(sin) * np.abs(sin) ** power
    return np.stack([cx + rx * x, cy + ry * y], 1)


def _downsample(canvas: Bytes) -> Image:
    """Canvas to (h, w, 4) premultiplied: RGB 0..255, alpha 0..1."""
    h, w = canvas.shape[0] // SUPERSAMPLING, canvas.shape[1] // SUPERSAMPLING
    small = cv2.resize(canvas.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    return cast(Image, small * np.array([1, 1, 1, 1 / 255], np.float32))


def _over(scene: Image, layer: Image) -> Image:
    """A premultiplied layer over an opaque picture."""
    return cast(Image, scene * (1 - layer[..., 3:]) + layer[..., :3])


def _blur(image: Image, sigma: float) -> Image:
    return cast(Image, cv2.GaussianBlur(image, (0, 0), max(sigma, 0.05)))


def _fractal(rng: Rng, h: int, w: int, cell: float, stretch: float = 1.0) -> Image:
    """Smooth noise (h, w), mean 0, roughly -1..1, with details from ``cell`` pixels downwards."""
    total = np.zeros((h, w), np.float32)
    for octave in range(4):
        size = max(cell / 2**octave, 1.0)
        rows, cols = max(2, int(h / size)), max(2, int(w / (size * stretch)))
        coarse = rng.normal(0, 0.6, (rows, cols)).astype(np.float32)
        total += cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC) / 2**octave
    return cast(Image, total * np.float32(0.8))


# --- Coat --------------------------------------------------------------------------------------


def _random_coat(rng: Rng) -> Coat:
    dog = bool(rng.random() < 0.5)
    base, marking = (_jitter(rng, _rgb(name), 6) for name in _pick(rng, COATS))
    patterns = ("solid", "patches", "saddle", "spots", "tuxedo") if dog else (
        "tabby", "tabby", "patches", "points", "tuxedo", "solid"
    )  # fmt: skip
    pattern = str(_pick(rng, patterns))
    if pattern == "tuxedo":
        base = _jitter(rng, _rgb(str(_pick(rng, ("black", "grey", "ginger", "chocolate")))), 6)
    if pattern in ("points", "spots"):
        base = _jitter(rng, _rgb(str(_pick(rng, ("cream", "white")))), 6)
    return Coat(
        dog=dog,
        base=base,
        marking=marking,
        pale=np.clip(base * 0.35 + np.array([165, 158, 148]), 0, 240),
        pattern=pattern,
        paleness=1.0 if pattern == "tuxedo" else float(_pick(rng, (0, 0.35, 0.6, 1.0))),
        frequency=rng.uniform(1.7, 2.9),
        length=float(_pick(rng, (0.08, 0.12, 0.16, 0.21) if dog else (0.09, 0.13, 0.18))),
        iris=(70, 42, 24) if dog else _pick(rng, IRISES),
        nose=(34, 28, 30) if dog or rng.random() < 0.3 else (196, 124, 118),
        noise=_fractal(rng, 128, 128, 22).astype(float),
    )


def _markings(coat: Coat, part: Part, along: Floats, normals: Floats, noise: Floats) -> Floats:
    """How much of the marking colour (0..1, (n,)) there is at points of a part."""
    up = -normals[:, 1]
    if coat.pattern == "tabby":
        wave = np.sin(2 * np.pi * coat.frequency * along + 2.6 * noise)
        return np.asarray(0.8 * _step(0.0, 0.7, wave) * _step(-0.75, 0.1, up))
    if coat.pattern == "patches":
        return _step(0.12, 0.2, noise)
    if coat.pattern == "spots":
        return _step(0.30, 0.36, np.sin(noise * 14) * 0.5 + noise * 0.3)
    if coat.pattern == "saddle":
        return np.asarray(_step(0.05, 0.4, up + 0.35 * noise) * (1.0 - 0.6 * part.tip))
    if coat.pattern == "points":
        return np.asarray(np.full(len(along), part.tip) * _step(-0.3, 0.9, along))
    return np.zeros(len(along))


def _coat_colours(
    coat: Coat, part: Part, model: Floats, k: npt.NDArray[np.intp], normals: Floats
) -> Floats:
    """RGB (n, 3) of the fur rooted at animal coordinates ``model`` (n, 2) of a part."""
    if part.skin is not None:
        return np.tile(np.array(part.skin, float), (len(k), 1))
    cell = (model * 26 + 40).astype(int) % 128
    noise = coat.noise[cell[:, 1], cell[:, 0]]
    steps = np.linalg.norm(np.diff(part.spine, axis=0, prepend=part.spine[:1]), axis=1)
    arc = np.cumsum(steps)
    progress = k / (len(arc) - 1.0)
    along = arc[k]
    if part.whorl is not None:
        from_nose = model - part.whorl
        along = np.arctan2(from_nose[:, 0], -from_nose[:, 1]) * 0.8
        progress = 1 - _step(0.3, 0.9, np.linalg.norm(from_nose, axis=1) / part.radii.max())
    marked = _markings(coat, part, progress if coat.pattern == "points" else along, normals, noise)
    colours = coat.base + (coat.marking - coat.base) * marked[:, None]
    pale = np.zeros(len(k))
    if part.pale is not None:
        pale = _step(0.25, 0.95, normals @ _unit(np.array(part.pale)) + 0.22 * noise)
    if part.tip and part.whorl is None:
        pale = np.maximum(pale, part.tip * _step(0.62, 0.8, progress + 0.1 * noise))
        pale *= coat.pattern != "points"
    return np.asarray(colours + (coat.pale - colours) * (pale * coat.paleness)[:, None])


# --- Anatomy -----------------------------------------------------------------------------------


def _limb(points: Points, **kind: Any) -> Part:
    """A part through (x, y, radius) points, smoothed."""
    knots = np.asarray(points, float)
    t = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(knots[:, :2], axis=0).T))])
    fine = np.linspace(0, t[-1], SPINE_SAMPLES)
    curve = np.stack([np.interp(fine, t, knots[:, axis]) for axis in range(3)], 1)
    padded = np.pad(curve, ((3, 3), (0, 0)), mode="reflect", reflect_type="odd")
    weights = np.array([1, 2, 3, 4, 3, 2, 1]) / 16
    smooth = np.stack([np.convolve(padded[:, axis], weights, "valid") for axis in range(3)], 1)
    return Part(smooth[:, :2], np.maximum(smooth[:, 2], 0.012), **kind)


def _on_head(head: Head, points: Points, **kind: Any) -> Part:
    """A part through (x, y, radius) points given in head coordinates."""
    knots = np.asarray(points, float)
    placed = np.column_stack([head.place(knots[:, :2]), knots[:, 2] * head.size])
    return _limb(placed, **kind)


def _ears(head: Head, dog: bool, floppy: bool) -> list[Part]:
    shift = np.array([-0.1 * head.turn, 0, 0])
    tall = 1.45 if dog else 1.3
    flap = [(0.38, -0.6, 0.16), (0.74, -0.46, 0.27), (0.9, 0.0, 0.29), (0.9, 0.5, 0.17)]
    outer = [(0.42, -0.42, 0.38), (0.56, -0.86, 0.23), (0.68, -tall, 0.02)]
    inner = [(0.47, -0.5, 0.2), (0.57, -0.84, 0.12), (0.66, -tall + 0.16, 0.02)]
    parts = []
    for side in (np.array([1, 1, 1]), np.array([-1, 1, 1])):
        if floppy:
            parts.append(_on_head(head, flap * side + shift, tip=0.7, shade=0.86, fur=1.1))
        else:
            parts.append(_on_head(head, outer * side + shift, tip=0.9, shade=0.92, fur=0.5))
            parts.append(_on_head(head, inner * side + shift, skin=INNER_EAR, shade=0.85, fur=0.45))
    return parts


def _head_parts(head: Head, dog: bool, floppy: bool) -> list[Part]:
    """Skull, muzzle and ears; pointed ears behind the skull, floppy ones in front of it."""
    nose = 0.26 * head.turn
    whorl = head.place([(nose, 0.22)])[0]
    if dog:
        skull = [(-0.16, -0.2, 0.66), (0.0, -0.16, 0.7), (0.16, -0.2, 0.66)]
        jaw = [(nose * 0.5, 0.1, 0.56), (nose * 0.8, 0.42, 0.46)]
        muzzle = [(nose * 0.6, 0.0, 0.2), (nose, 0.3, 0.36), (nose * 1.1, 0.5, 0.36)]
    else:
        skull = [(-0.32, 0.1, 0.62), (0.0, -0.04, 0.74), (0.32, 0.1, 0.62)]
        jaw = [(nose * 0.6 - 0.2, 0.3, 0.5), (nose * 0.6 + 0.2, 0.3, 0.5)]
        muzzle = [(nose - 0.17, 0.4, 0.22), (nose, 0.42, 0.24), (nose + 0.17, 0.4, 0.22)]
    front = (0.0, 0.5, 0.6)
    face = [
        _on_head(head, jaw, whorl=whorl, tip=0.9, fur=0.9, pale=(0.0, 0.9, 0.3), shade=0.92),
        _on_head(head, skull, whorl=whorl, tip=0.9, fur=0.8, pale=None),
        _on_head(head, muzzle, whorl=whorl, tip=1.0, fur=0.4, pale=front, shade=1.04),
    ]
    ears = _ears(head, dog, floppy)
    return face[:2] + ears + face[2:] if floppy else ears + face


def _standing(rng: Rng, dog: bool, floppy: bool) -> Pose:
    leg = 1.2 if dog else 1.02
    stride = rng.uniform(-0.2, 0.2, 4)
    head = Head((1.5, -leg - 0.95), 0.55, rng.normal(0, 0.12), rng.uniform(-0.3, 0.9))
    belly = (0.0, 1.0, 0.15)

    def front(x: float, step: float, shade: float) -> Part:
        knots = [(x, -leg, 0.24), (x + step * 0.4, -leg * 0.55, 0.15), (x + step, -0.16, 0.115)]
        return _limb([*knots, (x + step + 0.1, -0.09, 0.12)], tip=1.0, fur=0.5, shade=shade)

    def hind(x: float, step: float, shade: float) -> Part:
        knots = [(x, -leg * 1.05, 0.36), (x + 0.1 + step * 0.3, -leg * 0.62, 0.21)]
        hock = [(x - 0.14 + step, -leg * 0.36, 0.12), (x - 0.06 + step, -0.12, 0.11)]
        return _limb(
            [*knots, *hock, (x + 0.08 + step, -0.09, 0.12)], tip=1.0, fur=0.55, shade=shade
        )

    lift = rng.uniform(0.1, 1.0)
    tail = [(-1.3, -leg - 0.2, 0.15), (-1.65, -leg - 0.25 * lift, 0.13)]
    tail += [
        (-1.95, -leg - 0.7 * lift + 0.15, 0.14),
        (-2.0 + 0.15 * lift, -leg - 1.2 * lift + 0.3, 0.1),
    ]
    torso = [(-0.9, -leg - 0.06, 0.42), (-0.1, -leg - 0.02, 0.41), (0.72, -leg - 0.05, 0.46)]
    neck = [(1.4, -leg - 0.8, 0.32), (1.15, -leg - 0.5, 0.36), (0.85, -leg - 0.15, 0.42)]
    parts = [
        _limb(tail, tip=0.8, fur=1.5),
        hind(-0.75, stride[0] + 0.1, 0.66),
        front(0.88, stride[1] + 0.1, 0.66),
        _limb(torso[::-1], pale=belly),
        hind(-0.95, stride[2], 1.0),
        front(0.7, stride[3], 1.0),
        _limb(neck, pale=(0.5, 0.8, 0.3), fur=1.2),
        *_head_parts(head, dog, floppy),
    ]
    return Pose(parts, head)


def _sitting(rng: Rng, dog: bool, floppy: bool) -> Pose:
    lean = rng.uniform(-0.12, 0.2)
    head = Head((lean, -2.1), 0.62 if dog else 0.6, rng.normal(0, 0.14), rng.uniform(-0.6, 0.6))
    curl = rng.uniform(-0.3, 0.4)
    tail = [(0.4, -0.16, 0.15), (0.95, -0.12, 0.14), (1.3, -0.2 - curl * 0.3, 0.14)]
    tail.append((1.35 - curl * 0.4, -0.5 - curl, 0.1))
    torso = [(lean, -1.72, 0.36), (lean * 0.6, -1.2, 0.5), (0.0, -0.55, 0.6)]
    legs = []
    for side in (-1, 1):
        thigh = [(0.42 * side, -0.62, 0.34), (0.52 * side, -0.36, 0.34), (0.5 * side, -0.14, 0.16)]
        foot = [(0.5 * side, -0.12, 0.12), (0.62 * side, -0.07, 0.12)]
        legs.append(_limb([*thigh, *foot], tip=0.6, fur=0.8, shade=0.92))
    for side in (-1, 1):
        shoulder = [(0.24 * side + lean, -1.35, 0.2), (0.21 * side, -0.7, 0.16)]
        paw = [(0.2 * side, -0.2, 0.14), (0.22 * side, -0.06, 0.15)]
        legs.append(_limb([*shoulder, *paw], tip=1.0, fur=0.55))
    chest = [(lean, -1.7, 0.34), (lean * 0.7, -1.3, 0.33), (0.0, -0.95, 0.16)]
    parts = [
        _limb(tail, tip=0.8, fur=1.4),
        _limb(torso, shade=0.95),
        *legs,
        _limb(chest, pale=(0.0, 0.1, 1.0), fur=1.3),
        *_head_parts(head, dog, floppy),
    ]
    return Pose(parts, head, coverage=(0.14, 0.36))


def _lying(rng: Rng, dog: bool, floppy: bool) -> Pose:
    rise = rng.uniform(-0.1, 0.25)
    head = Head((1.2, -1.2 - rise), 0.56, rng.normal(0, 0.16), rng.uniform(-0.4, 0.9))
    torso = [(0.85, -0.52, 0.5), (0.0, -0.5, 0.47), (-1.0, -0.45, 0.45)]
    tail = [(-1.3, -0.25, 0.15), (-1.75, -0.13, 0.14), (-2.1, -0.12, 0.13)]
    tail.append((-2.35, -0.2 - rng.uniform(-0.05, 0.3), 0.1))
    reach = rng.uniform(0.0, 0.35)

    def arm(x: float, y: float, shade: float) -> Part:
        knots = [(x, -0.36, 0.25), (x + 0.35, -0.16 + y, 0.16), (x + 0.75 + reach, -0.1 + y, 0.13)]
        return _limb(knots, tip=1.0, fur=0.55, shade=shade)

    haunch = [(-0.75, -0.5, 0.38), (-0.82, -0.4, 0.4), (-0.6, -0.16, 0.16), (-0.25, -0.08, 0.12)]
    neck = [(1.15, -1.0 - rise, 0.36), (1.05, -0.8, 0.42), (0.9, -0.52, 0.44)]
    parts = [
        _limb(tail, tip=0.8, fur=1.4),
        arm(1.05, -0.05, 0.72),
        _limb(torso, pale=(0.0, 1.0, 0.1)),
        _limb(haunch, tip=0.8, fur=0.8),
        arm(0.75, 0.0, 1.0),
        _limb(neck, pale=(0.4, 0.6, 0.7), fur=1.3),
        *_head_parts(head, dog, floppy),
    ]
    return Pose(parts, head, coverage=(0.13, 0.34))


def _portrait(rng: Rng, dog: bool, floppy: bool) -> Pose:
    head = Head((0.0, -2.4), 1.0, rng.normal(0, 0.14), rng.uniform(-0.7, 0.7))
    lean = rng.uniform(-0.4, 0.4)
    body = [(0.0, -2.1, 0.6), (lean * 0.5, -1.4, 0.85), (lean, -0.4, 1.2), (lean, 0.6, 1.35)]
    chest = [(0.0, -1.95, 0.55), (lean * 0.4, -1.3, 0.6), (lean * 0.8, -0.2, 0.5)]
    parts = [
        _limb(body, shade=0.92, fur=1.4),
        _limb(chest, pale=(0.0, 0.2, 1.0), fur=1.8),
        *_head_parts(head, dog, floppy),
    ]
    return Pose(parts, head, grounded=False, coverage=(0.3, 0.54))


def _random_pose(rng: Rng, coat: Coat) -> Pose:
    floppy = coat.dog and rng.random() < 0.65
    build = _pick(rng, (_standing, _standing, _sitting, _sitting, _lying, _portrait))
    return cast(Pose, build(rng, coat.dog, floppy))


# --- Placement ---------------------------------------------------------------------------------


def _silhouette(pose: Pose, place: Placement, width: int, height: int) -> Bytes:
    """A rough (height/4, width/4) silhouette, to judge a placement cheaply."""
    mask = np.zeros((height // 4, width // 4), np.uint8)
    for part in pose.parts:
        moved = place.part(part)
        for (x, y), r in zip(moved.spine, moved.radii, strict=True):
            centre = (round(x / 4 / SUPERSAMPLING), round(y / 4 / SUPERSAMPLING))
            cv2.circle(mask, centre, max(1, round(r / 4 / SUPERSAMPLING)), 1, -1)
    return mask


def _random_placement(rng: Rng, pose: Pose, width: int, height: int) -> Placement:
    """Scale, rotate, mirror and shift so that the pose covers about what it asks for."""
    target = rng.uniform(*pose.coverage)
    angle, mirror = np.deg2rad(rng.normal(0, 4)), rng.choice([-1.0, 1.0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[mirror, 0], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    spine = np.concatenate([part.spine for part in pose.parts]) @ turn
    extent, middle = np.ptp(spine, axis=0), (spine.min(0) + spine.max(0)) / 2
    frame = SUPERSAMPLING * np.array([width, height], float)
    spot = frame * np.array([rng.normal(0.5, 0.08), rng.normal(0.54, 0.05)])
    largest = float((frame / extent).min())
    if not pose.grounded:
        spot[1], middle = frame[1] * rng.uniform(0.44, 0.54), np.array(pose.head.centre) @ turn
        largest = float(frame[1])
    scale = largest * 0.7
    for _ in range(4):
        place = Placement(turn * scale, spot - middle * scale, scale)
        covered = max(float(_silhouette(pose, place, width, height).mean()), 1e-3)
        scale = min(scale * np.sqrt(target / covered), largest)
    # The picture's edge may cut the animal, but not through the face.
    face = place.points([pose.head.centre])[0]
    inset = min(0.95 * pose.head.size * scale, 0.45 * frame.min())
    moved = place.offset + np.clip(face, inset, frame - inset) - face
    return replace(place, offset=moved)


# --- Fur ---------------------------------------------------------------------------------------


def _area(part: Part) -> float:
    steps = np.hypot(*np.diff(part.spine, axis=0).T)
    width = part.radii[1:] + part.radii[:-1]
    return float((steps * width).sum() + np.pi * part.radii.mean() ** 2)


@dataclass(frozen=True)
class Furrier:
    """Draws furry parts of one coat on a canvas, at a place, in a light (unit vector)."""

    rng: Rng
    canvas: Bytes
    coat: Coat
    place: Placement
    light: Floats

    def draw(self, parts: Sequence[Part]) -> None:
        """Draw the parts, back to front, with about ``STRANDS`` strands of fur."""
        area = sum(_area(part) for part in parts) * self.place.scale**2
        spacing = max(float(np.sqrt(area / STRANDS)), 1.8)
        for part in parts:
            _occlude(self.canvas, self.place.part(part))
            # Skin and a dark, coarse undercoat close the gaps between the fine guard hairs.
            self._draw_skin(self.place.part(part))
            _draw_strands(self, part, spacing * 1.9, 0.72)
            _draw_strands(self, part, spacing, 1.0)

    def _draw_skin(self, pixels: Part) -> None:
        r, g, b = (self.coat.base * 0.45 * pixels.shade).tolist()
        for (x, y), radius in zip(pixels.spine, pixels.radii * 0.88, strict=True):
            cv2.circle(self.canvas, (round(x), round(y)), round(radius), (r, g, b, 255), -1)


def _occlude(canvas: Bytes, part: Part) -> None:
    """Darken what is already drawn around a part that will lie in front of it."""
    step, h, w = 8, canvas.shape[0], canvas.shape[1]
    reach = part.radii.max() * 2.4  # as far as the blur below
    left, top = np.maximum((part.spine - reach).min(0), 0).astype(int)
    right, bottom = np.minimum((part.spine + reach).max(0), [w, h]).astype(int)
    if right - left < step or bottom - top < step:
        return
    near = np.zeros(((bottom - top) // step, (right - left) // step), np.float32)
    for (x, y), r in zip((part.spine - [left, top]) / step, part.radii / step, strict=True):
        cv2.circle(near, (round(x), round(y + r / 3)), max(1, round(r * 1.07)), 1.0, -1)
    soft = 1 - 0.42 * _blur(near, float(part.radii.max()) / 28)
    region = canvas[top:bottom, left:right, :3]
    factor = cv2.resize(soft, (right - left, bottom - top))
    region[:] = cv2.multiply(region, cv2.merge([factor] * 3), dtype=cv2.CV_8U)


def _draw_strands(furrier: Furrier, part: Part, spacing: float, tone: float) -> None:
    """Cover a part with tapering strands of fur, about one every ``spacing`` pixels."""
    rng, coat, place = furrier.rng, furrier.coat, furrier.place
    pixels = place.part(part)
    roots, k = _roots(rng, pixels, spacing, furrier.canvas, coat.length * place.scale * 2)
    out = (roots - pixels.spine[k]) / pixels.radii[k, None]
    rim = np.hypot(out[:, 0], out[:, 1])
    normals = np.column_stack([out, np.sqrt(np.maximum(1 - rim**2, 0))])

    flow, reach = _flow(pixels, roots, k)
    cell = (roots / 7).astype(int) % len(coat.noise)
    sway = coat.noise[cell[:, 1], cell[:, 0]]
    bend = 0.5 * sway + rng.normal(0, 0.22, len(k))
    across = np.column_stack([-flow[:, 1], flow[:, 0]])
    direction = _unit(flow + out * (0.1 + 0.6 * rim**4)[:, None] + across * bend[:, None])
    length = coat.length * place.scale * part.fur * reach * rng.uniform(0.45, 1.2, len(k))
    tips = roots + direction * np.maximum(length, spacing * 3)[:, None]
    half = direction[:, ::-1] * np.array([-1, 1]) * (spacing * rng.uniform(0.36, 0.66, (len(k), 1)))

    model = (roots - place.offset) @ np.linalg.inv(place.matrix)
    mirror = np.array([np.sign(np.linalg.det(place.matrix)), 1, 1])
    colours = _coat_colours(coat, part, model, k, normals * mirror)
    lit = 0.56 + 0.62 * np.clip(normals @ furrier.light, 0, 1) - 0.12 * rim**6
    shine = rng.normal(1, 0.13, len(k)) * (1 + 0.16 * sway) * lit * part.shade * tone
    colours = colours * shine[:, None] + rng.normal(0, 3, (len(k), 1))

    # Strands further along the fur go first: the tips of others lie over their roots.
    along = (roots * flow).sum(1) / place.scale + k * 0.05
    order = np.argsort(rng.normal(0, 0.1, len(k)) - along)
    _spikes(furrier.canvas, np.stack([roots - half, roots + half, tips], 1)[order], colours[order])


def _roots(
    rng: Rng, pixels: Part, spacing: float, canvas: Bytes, margin: float
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Random points (n, 2) of a part near the canvas, and the disc (n,) each belongs to."""
    radii = pixels.radii[:, None]
    frame = np.array(canvas.shape[1::-1]) + margin
    low = np.maximum((pixels.spine - radii).min(0), -margin)
    high = np.maximum(np.minimum((pixels.spine + radii).max(0), frame), low)
    points = rng.uniform(low, high, (int(np.prod(high - low) / spacing**2), 2))
    away = points[:, None] - pixels.spine
    depth = np.hypot(away[..., 0], away[..., 1]) / pixels.radii
    nearest = depth.argmin(1)
    inside = depth[np.arange(len(points)), nearest] < 1
    return points[inside], nearest[inside]


def _spikes(canvas: Bytes, triangles: Floats, colours: Floats) -> None:
    """Anti-aliased triangles (n, 3, 2), in this order, in RGB colours (n, 3)."""
    fixed = np.round(triangles * (1 << SUBPIXEL_BITS)).astype(np.int32)
    for triangle, (r, g, b) in zip(fixed, np.clip(colours, 4, 252).tolist(), strict=True):
        cv2.fillConvexPoly(canvas, triangle, (r, g, b, 255), cv2.LINE_AA, SUBPIXEL_BITS)


def _flow(pixels: Part, roots: Floats, k: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """The way the fur lies (n, 2) and its relative length (n,) at the roots."""
    if pixels.whorl is None:
        return _unit(np.gradient(pixels.spine, axis=0))[k], np.ones(len(k))
    from_nose = roots - pixels.whorl
    distance = np.hypot(from_nose[:, 0], from_nose[:, 1]) / pixels.radii.max()
    return _unit(from_nose), np.clip(distance, 0.25, 0.9)


# --- Face --------------------------------------------------------------------------------------


def _draw_face(canvas: Bytes, coat: Coat, head: Head, place: Placement) -> None:
    def at(points: Points) -> Floats:
        return place.points(head.place(points))

    turn = 0.26 * head.turn
    pixel = place.scale * head.size
    for side in (-1, 1):
        if coat.dog:
            _draw_eye(canvas, coat, at, (0.31 * side + turn * 0.6, -0.16), 0.15, False)
        else:
            _draw_eye(canvas, coat, at, (0.36 * side + turn * 0.6, 0.0), 0.19, True)
    nose, dark = np.array(coat.nose, float), np.array([38.0, 28, 28])
    if coat.dog:
        x, y, size = turn, 0.26, 0.2
        mouth = [(x - 0.3, y + 0.42), (x - 0.15, y + 0.5), (x, y + 0.42)]
    else:
        x, y, size = turn, 0.26, 0.12
        mouth = [(x - 0.2, y + 0.22), (x - 0.1, y + 0.26), (x, y + 0.18)]
    other = [(2 * x - px, py) for px, py in mouth[::-1]]
    if coat.dog and coat.frequency > 2.2:
        _paint(canvas, at(_ellipse(x, y + 0.58, 0.13, 0.2, 2.4)), (205, 98, 104))
    _stroke(canvas, at([*mouth, *other[1:]]), dark, 0.03 * pixel)
    _stroke(canvas, at([(x, y), mouth[-1]]), dark, 0.03 * pixel)
    _paint(canvas, at(_nose(x, y, size)), nose * 0.85)
    _paint(canvas, at(_ellipse(x, y - size * 0.22, size * 0.5, size * 0.2)), nose * 0.7 + 70)
    for side in (-1, 1):
        nostril = _ellipse(x + side * size * 0.42, y + size * 0.12, size * 0.17, size * 0.12)
        _paint(canvas, at(nostril), dark * 0.5)


def _nose(x: float, y: float, size: float) -> Floats:
    """A rounded triangle, wide at the top."""
    shape = _ellipse(0, 0, size, size * 0.7, 2.6)
    shape[:, 0] *= 1 - 0.45 * np.clip(shape[:, 1] / size, 0, 1)
    return np.asarray(shape + np.array([x, y]))


def _draw_eye(
    canvas: Bytes,
    coat: Coat,
    at: Callable[[Points], Floats],
    centre: tuple[float, float],
    size: float,
    slit: bool,
) -> None:
    x, y = centre
    iris = np.array(coat.iris, float)
    height = 0.84 if slit else 0.9
    _paint(canvas, at(_ellipse(x, y, size * 1.18, size * height * 1.18)), (26, 20, 20))
    _paint(canvas, at(_ellipse(x, y, size, size * height)), iris * 0.7)
    _paint(canvas, at(_ellipse(x, y + size * 0.1, size * 0.86, size * height * 0.8)), iris)
    _paint(canvas, at(_ellipse(x, y + size * 0.35, size * 0.6, size * 0.4)), iris * 1.18)
    pupil = size * (0.42 if slit else 0.6)
    _paint(canvas, at(_ellipse(x, y, pupil, size * (0.74 if slit else 0.58))), (12, 10, 12))
    _paint(
        canvas, at(_ellipse(x - size * 0.32, y - size * 0.36, size * 0.17, size * 0.17)), (250,) * 3
    )
    _paint(canvas, at(_ellipse(x + size * 0.3, y + size * 0.3, size * 0.1, size * 0.1)), (190,) * 3)


def _whiskers(rng: Rng, coat: Coat, head: Head, place: Placement, height: int, width: int) -> Image:
    """Whiskers as their own layer: too thin to cover half a pixel, they are never in the mask."""
    canvas = _canvas(height, width)
    reach = 0.55 if coat.dog else 1.0
    for side in (-1, 1):
        for row in range(4):
            start = (0.26 * head.turn + 0.2 * side, 0.36 + 0.05 * row)
            rise = rng.normal(0.1 - 0.1 * row, 0.06)
            middle = (start[0] + 0.45 * side * reach, start[1] - rise)
            end = (start[0] + 0.95 * side * reach, start[1] - rise + 0.08)
            t = np.linspace(0, 1, 9)[:, None]
            knots = np.array([start, middle, end])
            curve = (1 - t) ** 2 * knots[0] + 2 * t * (1 - t) * knots[1] + t**2 * knots[2]
            _stroke(canvas, place.points(head.place(curve)), (244, 240, 232), 1)
    return cast(Image, _downsample(canvas) * np.float32(0.75))


# --- Scene -------------------------------------------------------------------------------------


def _plain(h: int, w: int, colour: Floats) -> Image:
    return cast(Image, np.tile(colour.astype(np.float32), (h, w, 1)))


def _textured(rng: Rng, base: Image, amount: float, cell: float, stretch: float = 1) -> Image:
    noise = _fractal(rng, base.shape[0], base.shape[1], cell, stretch)
    return cast(Image, base * (1 + amount * noise[..., None]))


def _planks(rng: Rng, h: int, w: int) -> Image:
    wood = _jitter(rng, _rgb(str(_pick(rng, ("golden", "brown", "cream", "ginger", "grey")))))
    image = _plain(h, w, wood * 0.85)
    rows = int(rng.integers(7, 14))
    for row in range(rows):
        top, bottom = row * h // rows, (row + 1) * h // rows
        cut = int(rng.integers(w))
        image[top:bottom, :cut] *= rng.uniform(0.85, 1.12)
        image[top:bottom, cut:] *= rng.uniform(0.85, 1.12)
        image[top : top + 2] *= 0.55
        image[top:bottom, cut : cut + 2] *= 0.6
    return _textured(rng, image, 0.16, 14, 12)


def _carpet(rng: Rng, h: int, w: int) -> Image:
    first, second = _paint_colour(rng), _paint_colour(rng)
    y, x = np.mgrid[0:h, 0:w] / rng.uniform(14, 40)
    motif = _pick(rng, (np.sin(x) * np.sin(y), np.sin(x + y) * np.sin(x - y), np.sin(y * 2)))
    image = _plain(h, w, first) + (second - first) * _step(0.1, 0.3, motif)[..., None] * 0.8
    return _textured(rng, _textured(rng, image.astype(np.float32), 0.22, 2), 0.08, 60)


def _plaid(rng: Rng, h: int, w: int) -> Image:
    image = _plain(h, w, _paint_colour(rng))
    for _ in range(4):
        colour = rng.uniform(30, 230, 3).astype(np.float32)
        period, thick = int(rng.integers(36, 90)), int(rng.integers(4, 22))
        for axis in (0, 1):
            line = (np.arange((h, w)[axis]) + int(rng.integers(90))) % period < thick
            target = image[line] if axis == 0 else image[:, line]
            mixed = target * 0.6 + colour * 0.4
            if axis == 0:
                image[line] = mixed
            else:
                image[:, line] = mixed
    return _textured(rng, image, 0.14, 2)


def _tiles(rng: Rng, h: int, w: int) -> Image:
    image = _textured(rng, _plain(h, w, _paint_colour(rng) * 0.4 + 110), 0.1, 40)
    size = int(rng.integers(40, 80))
    for y in range(0, h, size):
        for x in range(0, w, size):
            image[y : y + size, x : x + size] *= rng.uniform(0.88, 1.08)
    image[np.arange(h) % size < 3] *= 0.7
    image[:, np.arange(w) % size < 3] *= 0.7
    return image


def _turf(rng: Rng, h: int, w: int) -> Image:
    green = np.array([rng.uniform(70, 120), rng.uniform(110, 150), rng.uniform(40, 70)])
    image = _textured(rng, _textured(rng, _plain(h, w, green), 0.2, 90), 0.25, 6)
    dry = _step(0.1, 0.9, _fractal(rng, h, w, 70).astype(float))[..., None] * 0.6
    return cast(Image, (image * (1 - dry) + np.array([168, 146, 92]) * dry).astype(np.float32))


def _lay(texture: Image, height: int, horizon: float) -> tuple[Image, Image]:
    """The texture laid in perspective below the horizon, and where it is (h, w) 0..1."""
    h, w = texture.shape[:2]
    source = np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
    floor = [(0, horizon), (w, horizon), (w * 1.7, height * 1.02), (-w * 0.7, height * 1.02)]
    warp = cv2.getPerspectiveTransform(source, np.array(floor, np.float32))
    laid = cv2.warpPerspective(
        texture, warp, (w, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    below = np.clip(np.arange(height) - horizon + 0.5, 0, 1).astype(np.float32)
    return cast(Image, laid), cast(Image, np.tile(below[:, None], (1, w)))


def _wall(rng: Rng, h: int, w: int) -> Image:
    colour = _jitter(
        rng,
        rng.uniform(95, 225) * np.array([1.0, rng.uniform(0.9, 1.02), rng.uniform(0.75, 1.0)]),
        8,
    )
    image = _textured(rng, _plain(h, w, colour), 0.05, 80)
    style = int(rng.integers(4))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    if style == 0:
        image *= 1 - 0.14 * (np.sin(x / rng.uniform(4, 14)) > 0.2)[..., None]
    elif style == 1:
        size = rng.uniform(18, 36)
        spots = np.hypot((x + size / 2 * (y // size % 2)) % size - size / 2, y % size - size / 2)
        image *= 1 - 0.22 * (spots < size * 0.22)[..., None]
    elif style == 2:
        row = y // 22
        mortar = (y % 22 < 3) | ((x + 24 * (row % 2)) % 48 < 3)
        image = _textured(rng, image * (0.72 + 0.3 * mortar[..., None]), 0.12, 24)
    return image.astype(np.float32)


def _room(rng: Rng, h: int, w: int, horizon: float) -> Image:
    """Wall, picture or window, skirting board, and a floor with perhaps a rug."""
    scene = _wall(rng, h, w)
    for _ in range(int(rng.integers(0, 3))):
        x, y = int(rng.uniform(0, w * 0.85)), int(rng.uniform(-0.1, 0.25) * h)
        size = int(rng.uniform(0.15, 0.35) * h)
        frame = (slice(max(y, 0), max(min(y + size, int(horizon)), 0)), slice(x, x + size))
        scene[frame] = _paint_colour(rng)
        inside = scene[frame][4:-4, 4:-4]
        if inside.size:
            motif = _plain(inside.shape[0], inside.shape[1], _paint_colour(rng))
            inside[:] = _textured(rng, motif, 0.3, 24)
    board = slice(max(int(horizon - h * 0.05), 0), int(horizon))
    scene[board] = rng.uniform(90, 235) * np.array([1, 0.98, 0.94])
    scene[max(int(horizon) - 2, 0) : int(horizon)] *= 0.5
    texture = _pick(rng, (_planks, _planks, _carpet, _tiles))(rng, h, w)
    floor, below = _lay(texture, h, horizon)
    scene = scene + (floor - scene) * below[..., None]
    if rng.random() < 0.5:
        rug = _canvas(h, w)
        centre = (rng.uniform(0.3, 0.7) * w, (horizon + 1.1 * h) / 2)
        shape = _ellipse(*centre, w * rng.uniform(0.35, 0.6), (h - horizon) * 0.42, 3)
        _paint(rug, shape * SUPERSAMPLING, (255, 255, 255))
        alpha = _downsample(rug)[..., 3:]
        scene = scene + (_carpet(rng, h, w) - scene) * alpha
    return scene


def _sofa(rng: Rng, h: int, w: int, horizon: float) -> Image:
    """A backrest with cushions behind a seat, perhaps covered with a blanket."""
    fabrics = (_paint_colour(rng), _rgb("cream"), _rgb("grey"), _rgb("brown"))
    fabric = _jitter(rng, _pick(rng, fabrics))
    scene = _wall(rng, h, w)
    count = int(rng.integers(2, 4))
    for index in range(count):
        back = _canvas(h, w)
        centre = (w * (index + 0.5) / count, horizon - h * 0.05)
        shape = _ellipse(*centre, w * 0.51 / count, h * rng.uniform(0.36, 0.42), 6) * SUPERSAMPLING
        _paint(back, shape, fabric)
        layer = _downsample(back)
        puff = _blur(layer[..., 3], w * 0.03)[..., None] ** 2
        layer[..., :3] *= 0.45 + 0.5 * puff
        scene = _over(scene, layer)
    texture = _plain(h, w, fabric)
    if rng.random() < 0.6:
        texture = _pick(rng, (_plaid, _carpet))(rng, h, w)
    seat, below = _lay(_textured(rng, texture, 0.1, 30), h, horizon)
    fold = (np.arange(h) - horizon)[:, None, None] / h
    seat = (seat * (1 - 0.5 * np.exp(-((fold * 14) ** 2)))).astype(np.float32)
    return _textured(rng, scene + (seat - scene) * below[..., None], 0.07, 2)


def _outdoors(rng: Rng, h: int, w: int, horizon: float) -> Image:
    """Sky with clouds, hills or a hedge, and grass with blades."""
    zenith = np.array([rng.uniform(90, 170), rng.uniform(140, 190), rng.uniform(190, 235)])
    rise = np.linspace(0, 1, h)[:, None, None]
    sky: Floats = (zenith + (np.array([222, 222, 216]) - zenith) * rise) * np.ones((1, w, 1))
    cloud = _step(0.0, 0.9, _fractal(rng, h, w, 90, 2).astype(float))[..., None]
    scene = (sky + (240 - sky) * cloud * 0.8).astype(np.float32)
    for depth in range(int(rng.integers(2, 5))):
        ridge = horizon - h * (0.3 - 0.08 * depth) * rng.uniform(0.5, 1.5)
        ridge = ridge + _fractal(rng, 2, w, rng.uniform(12, 160))[0] * h * 0.06
        green = _jitter(rng, np.array([96.0, 122, 88]) - 14 * depth, 10)
        leaves = _textured(rng, _plain(h, w, green), 0.3, rng.uniform(6, 30))
        below = np.clip(np.arange(h)[:, None] - ridge[None], 0, 1)[..., None]
        scene = scene + (leaves - scene) * below
    turf, below = _lay(_turf(rng, h, w), h, horizon)
    scene = scene + (turf - scene) * below[..., None]
    blades = _canvas(h, w)
    _draw_blades(rng, blades, horizon, 3500)
    return _over(scene.astype(np.float32), _downsample(blades))


def _draw_blades(rng: Rng, canvas: Bytes, horizon: float, count: int) -> None:
    h, w = canvas.shape[:2]
    top = horizon * SUPERSAMPLING
    near = np.sort(rng.uniform(0, 1, count)) ** 1.3
    roots = np.column_stack([rng.uniform(0, w, count), top + near * (h * 1.1 - top)])
    length = h * (0.012 + 0.06 * near) * rng.uniform(0.5, 1.4, count)
    tips = roots + np.column_stack([rng.normal(0, 0.4, count), -np.ones(count)]) * length[:, None]
    half = np.column_stack([1 + 1.6 * near, np.zeros(count)])
    shades = np.array([92, 124, 52]) * rng.uniform(0.55, 1.45, (count, 1)) + rng.normal(
        0, 12, (count, 3)
    )
    _spikes(canvas, np.stack([roots - half, roots + half, tips], 1), shades)


def _background(rng: Rng, h: int, w: int, horizon: float) -> Image:
    build = _pick(rng, (_room, _room, _sofa, _outdoors, _outdoors))
    return cast(Image, build(rng, h, w, horizon))


# --- Clutter -----------------------------------------------------------------------------------


def _slab(x: float, y: float, top: float, bottom: float, height: float) -> Floats:
    """A trapezoid standing on (x, y): half widths at its top and bottom, and its height."""
    return np.array(
        [(x - top, y - height), (x + top, y - height), (x + bottom, y), (x - bottom, y)]
    )


def _draw_box(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    w, h = size * rng.uniform(0.4, 0.7), size * rng.uniform(0.5, 1.0)
    depth = size * rng.uniform(0.15, 0.35)
    lid = _slab(x, y - h, w - depth, w, depth)
    _paint(canvas, _slab(x, y, w, w, h), colour * 0.85)
    _paint(canvas, lid, colour * 1.12)
    _paint(canvas, _slab(x, y - h * 0.7, w * 0.12, w * 0.1, h * 0.3), colour * 0.6 + 60)
    _stroke(canvas, lid[2:], colour * 0.5, 2)


def _draw_ball(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    r = size * 0.42
    for ring in np.linspace(0, 1, 14):
        shift, inner = r * 0.3 * ring, r * (1 - ring * 0.93)
        disc = _ellipse(x - shift, y - r - shift, inner, inner)
        _paint(canvas, disc, colour * (0.5 + 0.75 * ring))
    seam = _ellipse(x, y - r, r * 0.4, r * 0.97)[10:31]
    _stroke(canvas, seam, 255 - colour, max(2.0, r * rng.uniform(0.04, 0.14)))


def _draw_books(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    for _ in range(int(rng.integers(2, 6))):
        w, h = size * rng.uniform(0.45, 0.65), size * rng.uniform(0.1, 0.2)
        centre = x + size * rng.normal(0, 0.06)
        cover = _jitter(rng, colour) if rng.random() < 0.4 else _paint_colour(rng)
        pages = cover * 0.8 if rng.random() < 0.5 else (222, 214, 196)
        _paint(canvas, _slab(centre, y, w, w, h), cover)
        _paint(canvas, _slab(centre + w * 0.05, y - h * 0.2, w * 0.95, w * 0.95, h * 0.6), pages)
        y -= h


def _draw_bowl(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    w, h = size * 0.5, size * rng.uniform(0.25, 0.4)
    _paint(canvas, _slab(x, y, w, w * 0.7, h), colour * 0.72)
    _paint(canvas, _slab(x - w * 0.25, y, w * 0.6, w * 0.42, h), colour * 0.86)
    _paint(canvas, _ellipse(x, y - h, w, w * 0.24), colour * 1.1)
    _paint(canvas, _ellipse(x, y - h + 2, w * 0.86, w * 0.17), _jitter(rng, _rgb("brown")))


def _draw_plant(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    pot, green = size * 0.32, np.array([70.0, 112, 56])
    t = np.linspace(0, 1, 9)[:, None]
    for angle in rng.uniform(-1.2, 1.2, int(rng.integers(14, 30))):
        reach = size * rng.uniform(0.5, 1.3)
        along = np.array([np.sin(angle), -np.cos(angle)])
        droop = t**2 * np.array([0, 0.25 * abs(angle) * reach])
        curve = np.array([x, y - pot]) + t * along * reach + droop
        side = np.array([-along[1], along[0]]) * np.sin(np.pi * t**0.8) * reach * 0.09
        leaf = np.concatenate([curve - side, (curve + side)[::-1]])
        _paint(canvas, leaf, green * rng.uniform(0.5, 1.5))
    _paint(canvas, _slab(x, y, pot, pot * 0.7, pot * 1.2), colour * 0.85)
    _paint(canvas, _slab(x, y - pot * 1.05, pot * 1.1, pot * 1.1, pot * 0.35), colour)


def _draw_cushion(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    r, tilt = size * 0.55, rng.normal(0, 0.3)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    centre = np.array([x, y - r * 0.9])
    for ring in np.linspace(0, 1, 8):
        square = _ellipse(0, 0, r * (1 - 0.35 * ring), r * (1 - 0.35 * ring), 4 - ring)
        _paint(canvas, square @ turn + centre, colour * (0.68 + 0.4 * ring))
    for offset in np.linspace(-0.6, 0.6, int(rng.integers(3, 7))):
        line = np.array([(-r * 0.85, offset * r), (r * 0.85, offset * r)])
        _stroke(canvas, line @ turn + centre, colour * 0.6 + 50, r * 0.06)


def _draw_plush(rng: Rng, canvas: Bytes, x: float, y: float, size: float, colour: Floats) -> None:
    """A furry pillow in a coat's colour: fur alone does not make a pet."""
    length = rng.uniform(0.1, 0.22)
    coat = replace(_random_coat(rng), base=colour, pattern="solid", length=length)
    place = Placement(np.eye(2) * size, np.array([x, y]), size)
    blob = _limb([(-0.3, -0.36, 0.36), (0.0, -0.38, 0.4), (0.3, -0.36, 0.36)])
    light = _unit(np.array([0.2, -0.7, 0.6]))
    Furrier(rng, canvas, coat, place, light).draw([blob])


OBJECTS = (_draw_box, _draw_ball, _draw_books, _draw_bowl, _draw_plant, _draw_cushion, _draw_plush)


def _object_colour(rng: Rng, coat: Coat) -> Floats:
    """Often the animal's own colours, so that colour alone does not tell it from its scene."""
    if rng.random() < 0.55:
        return _jitter(rng, _pick(rng, (coat.base, coat.base, coat.marking, coat.pale)), 8)
    return _paint_colour(rng)


def _clutter(
    rng: Rng, coat: Coat, h: int, w: int, horizon: float, ground: float, light: Floats
) -> Image:
    """Objects standing on the floor behind the animal, the farther the smaller."""
    canvas = _canvas(h, w)
    shadows = _canvas(h, w)
    nearest = min(ground, h * 0.95)
    for depth in np.sort(rng.uniform(0.05, 0.9, int(rng.integers(2, 6)))):
        x, y = rng.uniform(0.02, 0.98) * w, horizon + depth * max(nearest - horizon, 4)
        size = h * rng.uniform(0.2, 0.34) * (0.7 + 0.6 * depth)
        x, y, size = (value * SUPERSAMPLING for value in (x, y, size))
        dark = _ellipse(x - light[0] * size * 0.3, y, size * 0.62, size * 0.1)
        _paint(shadows, dark, (0, 0, 0))
        _pick(rng, OBJECTS)(rng, canvas, x, y, size, _object_colour(rng, coat))
    layer = _downsample(canvas)
    layer[..., :3] *= 1 + 0.08 * _fractal(rng, h, w, 5)[..., None]
    shadow = _blur(_downsample(shadows), h * 0.012) * np.float32(0.55)
    return cast(Image, shadow * (1 - layer[..., 3:]) + layer)


def _occluder(rng: Rng, coat: Coat, torso: Floats, h: int, w: int) -> Image:
    """In a quarter of the pictures, an object or tall grass before a part of the animal.

    ``torso`` (n, 2) are canvas points that are worth hiding.
    """
    canvas = _canvas(h, w)
    bottom, right = canvas.shape[:2]
    kind = rng.random()
    if kind < 0.2:
        x = float(_pick(rng, torso)[0]) + rng.normal(0, 0.12) * right
        y, size = bottom * rng.uniform(0.98, 1.06), bottom * rng.uniform(0.22, 0.36)
        _pick(rng, OBJECTS)(rng, canvas, x, y, size, _object_colour(rng, coat))
    elif kind < 0.28:
        _draw_blades(rng, canvas, h * 0.9, 500)
    return _blur(_downsample(canvas), rng.uniform(0.4, 1.0))


# --- Light and camera --------------------------------------------------------------------------


def _defocus(scene: Image, ground: float, strength: float) -> Image:
    """Blur by the distance from the animal's ground line; the far end of the scene most."""
    h = scene.shape[0]
    far = np.clip((ground - np.arange(h)) / (0.5 * h), 0, 1).astype(np.float32)[:, None, None]
    slight, strong = _blur(scene, 0.35 * strength), _blur(scene, strength * h / 300)
    return cast(Image, slight + (strong - slight) * far)


def _cast_shadow(scene: Image, alpha: Image, ground: float, light: Floats) -> Image:
    """A flattened, sheared, soft copy of the animal on the ground, and a contact shadow."""
    h, w = alpha.shape
    flat, shear = -0.16, float(light[0]) * 0.55
    lean = np.array([[1, shear, -shear * ground], [0, -flat, ground * (1 + flat) + h * 0.012]])
    cast_on = cv2.warpAffine(alpha, lean.astype(np.float32), (w, h))
    soft = _blur(cast(Image, cast_on), h * 0.02)
    rows = np.exp(-(((np.arange(h) - ground) / (0.06 * h)) ** 2)).astype(np.float32)[:, None]
    contact = _blur(cast(Image, alpha * rows), h * 0.014)
    near = _blur(alpha, h * 0.05) * np.float32(0.25)
    shade = np.clip(0.5 * soft + 0.6 * contact + near, 0, 0.75)
    return cast(Image, scene * (1 - shade[..., None]))


def _camera(rng: Rng, scene: Image, light: Floats) -> Bytes:
    """Light fall-off, exposure, white balance, vignette, a soft lens and sensor noise."""
    h, w = scene.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    u, v = x / w - 0.5, y / h - 0.5
    gradient = 1 + rng.uniform(0.1, 0.45) * (u * np.float32(light[0]) - v * np.float32(0.5))
    vignette = 1 - rng.uniform(0.2, 0.6) * (u**2 + v**2)
    balance = rng.normal(1, 0.035, 3) * rng.uniform(0.85, 1.15)
    exposed = _blur(scene, rng.uniform(0.3, 0.55)) * (gradient * vignette)[..., None] * balance
    exposed = 255 * np.clip(exposed / 255, 0, 1.3) ** rng.uniform(0.85, 1.15)
    grain = rng.normal(0, 1, (h, w, 3)) * rng.uniform(1.5, 4.5) * (0.6 + 0.4 * rng.random())
    return cast(Bytes, np.clip(exposed + grain, 0, 255).astype(np.uint8))
