"""Drawn animals that train beside a person's own masks, so that a model does not forget them."""

from __future__ import annotations

from core.demo import FIRST_TRAINING_SEED
from core.drawing.animal_photo import draw_animal
from core.errors import BadInput
from core.files import write_bytes
from core.images import encode_jpeg
from core.labels import PET, TRIMAP, LabelScheme, listed
from core.masks import write_mask
from core.project.project import STORE_NAME, Project, open_project
from core.project.settings import ProjectSettings, write_settings

FOLDER = "replay"
_SIZE = (320, 240)  # trainings on a laptop see less; a full-size drawing takes four times as long


def fits(scheme: LabelScheme) -> bool:
    """Whether drawn animals mean the same as the masks of a project with these classes."""
    return scheme.names in (PET.names, TRIMAP.names)


def draw_replay(project: Project, count: int) -> tuple[Project, list[str]]:
    """The project's own folder of drawn animals, and the names of ``count`` of them.

    Those that an earlier training drew are used again; others take some tenths of a second each.
    Raises BadInput (other classes, read-only), WriteError.
    """
    if not fits(project.settings.scheme):
        raise BadInput(
            "Drawn animals can only be replayed where the classes are background and pet (and "
            f"border), not {listed(project.settings.scheme.names)}: set replay to 0."
        )
    if not project.writable:
        raise BadInput(f"{project.folder} is read-only: there is no place for drawn animals.")
    folder = project.store / FOLDER
    settings = folder / STORE_NAME / "project.json"
    if not settings.exists():
        write_settings(settings, ProjectSettings(scheme=PET))
    names = [f"animal-{i:05d}.jpg" for i in range(count)]
    for i, name in enumerate(names):
        image = folder / "images" / name
        if image.exists():
            continue
        pixels, mask = draw_animal(FIRST_TRAINING_SEED + i, *_SIZE)
        # The image comes last: where it is there, its mask is too.
        write_mask((folder / "masks" / name).with_suffix(".png"), mask, PET)
        write_bytes(image, encode_jpeg(pixels))
    return open_project(folder), names
