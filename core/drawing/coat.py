"""An animal's colours and how they are laid out: stripes, patches, pale bellies, white paws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.drawing.anatomy import Limb
from core.drawing.colours import near
from core.drawing.maths import Floats, Indices, Rng, fractal, mix, pick, step, unit

#: Coat colours that go together: (base, marking).
COLOURS = (
    ("ginger", "brown"), ("grey", "black"), ("silver", "black"), ("brown", "black"),
    ("black", "brown"), ("white", "ginger"), ("white", "black"), ("cream", "chocolate"),
    ("golden", "brown"), ("chocolate", "black"), ("white", "grey"), ("golden", "black"),
)  # fmt: skip
DOG_PATTERNS = ("solid", "patches", "saddle", "spots", "tuxedo")
CAT_PATTERNS = ("tabby", "tabby", "patches", "points", "tuxedo", "solid")
#: The bases of the patterns that do not go with every base.
PATTERN_BASES = {
    "tuxedo": ("black", "grey", "ginger", "chocolate"),
    "points": ("cream", "white"),
    "spots": ("cream", "white"),
}
IRISES = ((196, 168, 56), (128, 168, 80), (206, 140, 48), (110, 158, 190))


@dataclass(frozen=True)
class Coat:
    """The coat of a dog or a cat."""

    dog: bool
    base: Floats
    marking: Floats
    pale: Floats
    pattern: str
    paleness: float
    frequency: float  # of stripes
    length: float  # of the fur, in animal units
    iris: tuple[int, int, int]
    nose: tuple[int, int, int]
    noise: Floats = field(repr=False)

    def noise_at(self, points: Floats) -> Floats:
        """The coat's own noise (n,) at points (n, 2), one cell a unit."""
        cell = points.astype(int) % len(self.noise)
        return np.asarray(self.noise[cell[:, 1], cell[:, 0]])


def random_coat(rng: Rng) -> Coat:
    """Any coat."""
    dog = bool(rng.random() < 0.5)
    base, marking = (near(rng, name, 6) for name in pick(rng, COLOURS))
    pattern = pick(rng, DOG_PATTERNS if dog else CAT_PATTERNS)
    if pattern in PATTERN_BASES:
        base = near(rng, pick(rng, PATTERN_BASES[pattern]), 6)
    return Coat(
        dog=dog,
        base=base,
        marking=marking,
        pale=np.clip(base * 0.35 + np.array([165, 158, 148]), 0, 240),
        pattern=pattern,
        paleness=1.0 if pattern == "tuxedo" else pick(rng, (0.0, 0.35, 0.6, 1.0)),
        frequency=rng.uniform(1.7, 2.9),
        length=pick(rng, (0.08, 0.12, 0.16, 0.21) if dog else (0.09, 0.13, 0.18)),
        iris=(70, 42, 24) if dog else pick(rng, IRISES),
        nose=(34, 28, 30) if dog or rng.random() < 0.3 else (196, 124, 118),
        noise=fractal(rng, (128, 128), 22),
    )


def fur_colours(coat: Coat, limb: Limb, roots: Floats, k: Indices, normals: Floats) -> Floats:
    """RGB (n, 3) of the fur rooted at animal coordinates ``roots`` (n, 2).

    ``k`` (n,) are the limb's discs that the roots belong to, ``normals`` (n, 3) its surface there.
    """
    if limb.skin is not None:
        return np.tile(np.array(limb.skin, float), (len(k), 1))
    noise = coat.noise_at(roots * 26 + 40)
    arc = np.cumsum(np.linalg.norm(np.diff(limb.spine, axis=0, prepend=limb.spine[:1]), axis=1))
    along: Floats = arc[k]
    progress: Floats = k / (len(arc) - 1.0)
    if limb.whorl is not None:
        from_nose = roots - limb.whorl
        along = np.arctan2(from_nose[:, 0], -from_nose[:, 1]) * 0.8
        progress = 1 - step(0.3, 0.9, np.linalg.norm(from_nose, axis=1) / limb.radii.max())
    marked = _marked(coat, limb, along, progress, -normals[:, 1], noise)
    pale: Floats = np.zeros(len(k))
    if limb.pale is not None:
        pale = step(0.25, 0.95, normals @ unit(np.array(limb.pale)) + 0.22 * noise)
    if limb.tip and limb.whorl is None:
        pale = np.maximum(pale, limb.tip * step(0.62, 0.8, progress + 0.1 * noise))
        pale *= coat.pattern != "points"
    return mix(mix(coat.base, coat.marking, marked), coat.pale, pale * coat.paleness)


def _marked(
    coat: Coat, limb: Limb, along: Floats, progress: Floats, up: Floats, noise: Floats
) -> Floats:
    """How much of the marking colour (0..1, (n,)) there is at points of a limb."""
    if coat.pattern == "tabby":
        wave = np.sin(2 * np.pi * coat.frequency * along + 2.6 * noise)
        return np.asarray(0.8 * step(0.0, 0.7, wave) * step(-0.75, 0.1, up))
    if coat.pattern == "patches":
        return step(0.12, 0.2, noise)
    if coat.pattern == "spots":
        return step(0.30, 0.36, np.sin(noise * 14) * 0.5 + noise * 0.3)
    if coat.pattern == "saddle":
        return np.asarray(step(0.05, 0.4, up + 0.35 * noise) * (1.0 - 0.6 * limb.tip))
    if coat.pattern == "points":
        return np.asarray(limb.tip * step(-0.3, 0.9, progress))
    return np.zeros(len(along))
