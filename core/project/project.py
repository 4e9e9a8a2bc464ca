"""An opened folder: its images, masks, reviews and split. Opening writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock, RLock
from typing import Any

import numpy as np

from core import files, masks
from core.errors import BadInput, PetSegError
from core.images import DecodedImage, image_size, read_image
from core.labels import MAX_CLASSES, PET, TRIMAP, LabelScheme, scheme_of
from core.masks import MaskEncoding, MaskError
from core.project.duplicates import Fingerprints, groups_of
from core.project.following import Changes, Trees, read_again, with_kept
from core.project.layout import (
    Layout,
    LayoutKind,
    MaskTrees,
    find_layout,
    mask_name,
    official_split,
    owners_of,
    pair_masks,
    read_images,
    read_mask_trees,
    read_masks,
    sharing,
)
from core.project.predictions import (
    RECORDS,
    Predicted,
    PredictionRecord,
    append_prediction,
    read_predictions,
)
from core.project.reviews import Review, Status, append_review, append_reviews, read_reviews
from core.project.settings import ProjectSettings, read_settings, write_settings
from core.project.split import Subset, assign, read_split, writing

STORE_NAME = ".petseg"
JOURNAL_SUFFIX = ".journal"
CONVERTING = "converting"
"""The store's folder that is there while masks are being rewritten in another encoding."""
_WITHOUT_MASK = (Status.UNLABELLED, Status.PREDICTED)
_ENCODING_SAMPLE = 500


class MaskChanged(PetSegError):
    """A mask file is another one than the mask that was to take its place was made from.

    digest: the SHA-256 of the file there is now, "" where it is gone.
    """

    def __init__(self, name: str, digest: str) -> None:
        super().__init__(
            f"The mask of {name} was changed by another program since PetSeg read it; it was not "
            "overwritten."
        )
        self.name = name
        self.digest = digest


class EncodingUnclear(BadInput):
    """The mask files' numbers can be read in more than one way."""


class FolderGone(BadInput):
    """An open folder is not there any more, or nothing is in it: a disk may be unplugged."""


@dataclass
class Project:
    """An opened folder. ``names`` are image paths relative to the images folder, with /."""

    layout: Layout
    store: Path
    settings: ProjectSettings
    names: list[str]
    writable: bool
    _trees: Trees
    _shared: set[str]
    _masks: dict[str, str]
    _reviews: dict[str, Review]
    _fingerprints: Fingerprints
    _strays: set[str] = field(default_factory=set)  # images that are listed although they are gone
    _predicted: set[str] = field(default_factory=set)
    _predictions: dict[str, Predicted] = field(default_factory=dict)
    # Models speak in one thread, people's judgements are written in another.
    _recording: RLock = field(default_factory=RLock, repr=False, compare=False)
    # So it is with settings; the second lock is never held while a file is written.
    _keeping: Lock = field(default_factory=Lock, repr=False, compare=False)
    _setting: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        return self.layout.root

    @property
    def runs(self) -> Path:
        return self.store / "runs"

    @property
    def journals(self) -> Path:
        """Where the edits since each image's last save are kept."""
        return self.store / "journal"

    def journal_path(self, name: str) -> Path:
        return self.journals / (self._mask_name(name) + JOURNAL_SUFFIX)

    @property
    def mask_folder(self) -> Path:
        """Where corrections are written to."""
        return _mask_folder(self.layout, self.store)

    @property
    def half_converted(self) -> bool:
        """Whether a conversion of the masks was interrupted: some are in another encoding."""
        return (self.store / CONVERTING).is_dir()

    # Images and masks

    def image_path(self, name: str) -> Path:
        return self.layout.images / name

    def read_image(self, name: str) -> DecodedImage:
        """Raises ImageError."""
        return read_image(self.image_path(name))

    @property
    def has_masks(self) -> bool:
        """Whether any image has a mask."""
        return bool(self._masks)

    def mask_source(self, name: str) -> Path | None:
        """The file that holds the image's mask now, or None."""
        path = self._masks.get(name)
        return None if path is None else Path(path)

    def mask_target(self, name: str) -> Path:
        """The file that a correction is written to."""
        return self.mask_folder / self._mask_name(name)

    def read_mask(self, name: str, size: tuple[int, int] | None = None) -> np.ndarray | None:
        """The image's mask (uint8, height x width, ids and VOID), or None without one.

        size: (width, height) of the upright image, read from its header where not given.
        Raises MaskError, ImageError.
        """
        path = self.mask_source(name)
        if path is None:
            return None
        size = size or image_size(self.image_path(name))
        return masks.read_mask(path, self._encoding_of(path), self.settings.scheme, size)

    def is_in_encoding(self, path: Path) -> bool:
        """Whether a mask file is in the project's encoding: official trimaps are in their own."""
        return self.layout.trimaps is None or not path.is_relative_to(self.layout.trimaps)

    def take_written(self, names: Iterable[str]) -> None:
        """Take note of masks that were written to where corrections are (``mask_target``)."""
        self._masks |= {name: str(self.mask_target(name)) for name in names}

    def find_masks_again(self) -> None:
        """Look anew for the files that hold the images' masks."""
        trees = read_mask_trees(self.layout, _elsewhere(self.layout, self.store))
        self._masks = pair_masks(owners_of(self.names, self._shared), self._shared, trees)

    # Following

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The folders in which images or masks may be that cannot be read, and why."""
        return self._trees.problems

    def look_around(
        self, kept: Collection[str] = (), alive: Callable[[], None] = lambda: None
    ) -> Changes | None:
        """What other programs changed since the folder was read; None where it is nothing.

        Its images are listed only once it is handed to ``take``. kept: images that stay listed
        although they are gone. alive: is called before each folder; what it raises ends the look.
        One look at each folder where nothing changed; for one thread at a time. Raises FolderGone.
        """
        before, listed, strays = self._trees, self.names, self._strays
        trees = read_again(self.layout, _elsewhere(self.layout, self.store), before, alive)
        if trees == before and strays <= set(kept):
            return None
        if not trees.images.names:
            raise FolderGone(
                f"{self.layout.images} is not there any more, or there is no image in it. If the "
                "folder was renamed or its disk unplugged, bring it back."
            )
        names = listed
        if strays or trees.images.names != before.images.names:
            names = with_kept(trees.images.names, listed, kept)
        was, now, there = set(listed), set(names), set(trees.images.names)
        come = {name: None for name in names if name not in was}
        gone = tuple(name for name in listed if name not in now)
        if come:
            # Names that masks were written under stay, even where they are shared from now on.
            self._shared |= sharing(names) & come.keys()
            self._predicted |= {name for name in come if self.prediction_path(name).is_file()}
        masked = self._find_changed_masks(
            list(come) if trees.masks == before.masks else names, trees.masks
        )
        self._trees = trees
        changes = Changes(
            names,
            tuple(come),
            gone,
            tuple(name for name in masked if name not in come),
            frozenset(now - there),
            trees.problems,
        )
        nothing = Changes(names, strays=frozenset(strays), problems=before.problems)
        return None if changes == nothing else changes

    def take(self, changes: Changes) -> None:
        """List the images that there are now."""
        self.names = changes.names
        self._strays = set(changes.strays)
        self._predicted.difference_update(changes.gone)
        for name in changes.gone:
            self._masks.pop(name, None)

    def _find_changed_masks(self, names: Sequence[str], trees: MaskTrees) -> list[str]:
        """Look for the masks of these images anew; those whose mask has come or gone."""
        if not names:
            return []
        paired = pair_masks(owners_of(names, self._shared), self._shared, trees)
        changed = []
        for name in names:
            before = self._masks.get(name)
            if paired.get(name) == before:
                continue
            # PetSeg itself may have written one, or withdrawn it, since the folders were read.
            places = (str(self.mask_target(name)), paired.get(name), before)
            file = next((place for place in places if place and os.path.isfile(place)), None)
            if file is None:
                self._masks.pop(name, None)
            else:
                self._masks[name] = file
            if (before is None) != (file is None):
                changed.append(name)
        return changed

    def mask_digest(self, name: str) -> str:
        """The SHA-256 of the file that holds the image's mask now, "" without one.

        Notices a file that has appeared, or gone, since the folder was opened. Raises MaskError,
        also where the whole folder is gone: then no mask was deleted.
        """
        if not self.layout.images.is_dir():
            raise MaskError(self.layout.images, "this folder is not there any more")
        for path in (self.mask_target(name), self.mask_source(name)):
            if path is None:
                return ""
            digest = _digest(path)
            if digest is not None:
                self._masks[name] = str(path)
                return digest
        # Its file is gone: official annotations may still stand behind it.
        self._masks.pop(name, None)
        trees = read_mask_trees(self.layout, _elsewhere(self.layout, self.store), self._trees.masks)
        file = pair_masks(owners_of([name], self._shared), self._shared, trees).get(name)
        if file is None:
            return ""
        self._masks[name] = file
        found = Path(file)
        digest = _digest(found)
        if digest is None:
            raise MaskError(found, "a link to a file that is not there")
        return digest

    def save_mask(
        self,
        name: str,
        mask: np.ndarray,
        review: Review,
        *,
        expected: str | None = None,
        about_to_write: Callable[[str], None] | None = None,
    ) -> str:
        """Write a mask and the judgement on it; returns the SHA-256 of the file.

        expected: that of the file that the mask was made from ("": there was none); the mask is
        not written where it is another one now. about_to_write: is told the new file's SHA-256
        just before it takes the old one's place.
        Raises WriteError, BadInput (read-only), MaskChanged.
        """
        self.keep_detected()
        if self.half_converted:
            raise BadInput(
                "The conversion of the masks to class ids was interrupted. Open the folder again: "
                "that finishes it."
            )
        path = self.mask_target(name)
        data = masks.encode_mask(mask, self.settings.mask_encoding, self.settings.scheme)
        digest = files.sha256(data)
        judged = replace(review, image=name, mask=digest)
        if about_to_write is not None:
            about_to_write(digest)
        if expected is not None:
            found = self.mask_digest(name)
            if found not in (expected, digest):
                raise MaskChanged(name, found)
        # A mask without a review counts as approved: one that is not must never stand alone,
        # whatever happens between the two writes.
        if judged.status is not Status.APPROVED:
            self.add_review(judged)
        files.write_bytes(path, data)
        self._masks[name] = str(path)
        if judged.status is Status.APPROVED:
            self.add_review(judged)
        return digest

    def withdraw_mask(self, name: str, review: Review, expected: str) -> None:
        """Remove the mask file that was written for an image; ``review`` counts from now on.

        expected: the SHA-256 of the file: any other one stays.
        Raises WriteError, BadInput (read-only), MaskChanged.
        """
        self.require_writable()
        found = self.mask_digest(name)
        if found != expected:
            raise MaskChanged(name, found)
        # First, and naming the file: one that stays all the same must not count as approved.
        self.add_review(replace(review, image=name, mask=expected))
        path = self.mask_target(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise files.WriteError(f"Cannot remove {path}: {reason}.") from error
        self._masks.pop(name, None)
        self.add_review(replace(review, image=name, mask=""))

    def _mask_name(self, name: str) -> str:
        return mask_name(name, self._shared)

    # Predictions

    def prediction_path(self, name: str) -> Path:
        return self.store / "predictions" / self._mask_name(name)

    def read_prediction(self, name: str, size: tuple[int, int]) -> np.ndarray | None:
        """The stored prediction's mask (uint8, height x width), or None. Raises MaskError."""
        if name not in self._predicted:
            return None
        path = self.prediction_path(name)
        return masks.read_mask(path, MaskEncoding.IDS, self.settings.scheme, size)

    def has_prediction(self, name: str) -> bool:
        """Whether a model has spoken of an image, and that counts."""
        return name in self._predicted

    def forget_unusable_prediction(self, name: str, size: tuple[int, int]) -> None:
        """Let a stored prediction that cannot be read, or is of another size, count no more.

        As if no model had spoken of the image; its file stays until one does again.
        size: (width, height) of the photo.
        """
        with self._recording:  # a new one may be stored meanwhile
            try:
                self.read_prediction(name, size)
            except MaskError:
                self._predicted.discard(name)

    def prediction(self, name: str) -> PredictionRecord | None:
        """Who made the stored prediction; None without one, or where it was not written down."""
        known = self._predictions.get(name)
        return known.current if known is not None and name in self._predicted else None

    def previous_prediction(self, name: str) -> PredictionRecord | None:
        """Who made the prediction that is kept of the model before, or None."""
        known = self._predictions.get(name)
        if known is None or not self._previous_path(name).is_file():
            return None
        return known.previous

    def read_previous_prediction(self, name: str, size: tuple[int, int]) -> np.ndarray | None:
        """The mask that the model before predicted (as ``read_prediction``), or None.

        Raises MaskError.
        """
        path = self._previous_path(name)
        if not path.is_file():
            return None
        return masks.read_mask(path, MaskEncoding.IDS, self.settings.scheme, size)

    def save_prediction(self, name: str, mask: np.ndarray, record: PredictionRecord) -> None:
        """Store what a model says; the image's mask is not touched.

        The prediction of another model before it is kept as the previous one. An image whose
        prediction was rejected waits to be looked at again where another model has spoken.
        Raises WriteError, BadInput (read-only).
        """
        self.require_writable()
        path = self.prediction_path(name)
        with self._recording:
            known = self._predictions.get(name)
            if known is not None and known.current.model != record.model:
                self._keep_previous(name)
            masks.write_mask(path, mask, self.settings.scheme)
            record = append_prediction(self.store / RECORDS, replace(record, image=name))
            self._predictions[name] = known.followed_by(record) if known else Predicted(record)
            self._predicted.add(name)
            review = self._reviews.get(name)
            if review and review.status is Status.REJECTED and review.model != record.model:
                self.add_review(Review(name, Status.PREDICTED, model=record.model))

    def _keep_previous(self, name: str) -> None:
        """Copy the stored prediction: it may be read at any moment. Raises WriteError."""
        path = self.prediction_path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise files.WriteError(f"Cannot read {path}: {error.strerror or error}.") from error
        files.write_bytes(self._previous_path(name), data)

    def _previous_path(self, name: str) -> Path:
        return self.store / "previous" / self._mask_name(name)

    # Reviews

    def status(self, name: str) -> Status:
        """A mask counts as approved that came with the folder, or where the last word was of none.

        Other programs put one there after an undone import, for instance.
        """
        review = self._reviews.get(name)
        if review is not None and review.status is Status.REJECTED:
            return review.status
        if name in self._masks:
            if review is None or (review.status in _WITHOUT_MASK and not review.mask):
                return Status.APPROVED
            return review.status
        return Status.PREDICTED if name in self._predicted else Status.UNLABELLED

    def statuses(self) -> dict[str, Status]:
        """The status of each image, in order."""
        # Not ``status`` of each, which takes twice as long.
        reviews, masked, predicted = self._reviews, self._masks, self._predicted
        return {
            name: self.status(name)
            if name in reviews
            else Status.APPROVED
            if name in masked
            else Status.PREDICTED
            if name in predicted
            else Status.UNLABELLED
            for name in self.names
        }

    def review(self, name: str) -> Review | None:
        """What was last said of an image."""
        return self._reviews.get(name)

    def add_review(self, review: Review) -> None:
        """Raises WriteError, BadInput (read-only)."""
        self.require_writable()
        with self._recording:
            append_review(self.store / "reviews.jsonl", review)
            self._reviews[review.image] = review

    def add_reviews(self, reviews: Sequence[Review]) -> None:
        """Many at once. Raises WriteError, BadInput (read-only)."""
        self.require_writable()
        with self._recording:
            append_reviews(self.store / "reviews.jsonl", reviews)
            self._reviews |= {review.image: review for review in reviews}

    def named(self, statuses: Iterable[Status]) -> list[str]:
        """The images of these statuses, in order."""
        wanted = set(statuses)
        return [name for name, status in self.statuses().items() if status in wanted]

    # Split

    def known_split(self) -> dict[str, Subset]:
        """The split as it is written down now. Raises BadInput: damaged."""
        return read_split(self._split_path)

    def split(
        self, names: Sequence[str], alive: Callable[[], None] = lambda: None
    ) -> dict[str, Subset]:
        """The subset of each of these images, those without one assigned; writes nothing.

        Reads photos that were not compared with the others yet; ``alive`` is called before each
        of them. Raises BadInput (damaged).
        """
        split = self._assign(names, self.known_split(), alive)
        return {n: split[n] for n in names}

    def whole_split(self, alive: Callable[[], None] = lambda: None) -> dict[str, Subset]:
        """The split as it is written down, and where the other approved masks will be.

        As evaluating takes it. Writes nothing; ``alive`` and what it raises are as ``split``'s.
        """
        return self._assign(self.named([Status.APPROVED]), self.known_split(), alive)

    def fix_split(self, names: Sequence[str]) -> dict[str, Subset]:
        """As ``split``, and writes it down for good; other processes may do so at the same time.

        Raises WriteError, BadInput (read-only, damaged).
        """
        self.require_writable()
        with writing(self._split_path):
            known = self.known_split()
            split = self._assign(names, known, lambda: None)
            if split != known:
                self.keep_detected()
                # The fingerprints first: a split without them would not know renamed photos again.
                self._fingerprints.save()
                files.write_json(self._split_path, split)
        return {n: split[n] for n in names}

    def near_duplicates(
        self, names: Iterable[str], alive: Callable[[], None] = lambda: None
    ) -> dict[str, str]:
        """Image -> the group of photos that show the same; those that are alone are left out.

        Reads photos that were not compared yet; ``alive`` is called before each of them.
        """
        return groups_of(self._fingerprints.of({n: self.image_path(n) for n in names}, alive))

    def suggest_train_share(self, share: float) -> None:
        """Split new masks by ``share`` (0 to 1) where no split was written down yet."""
        if not self._split_path.exists():
            self.adjust_settings(train_share=share)

    @property
    def _split_path(self) -> Path:
        return self.store / "split.json"

    def _assign(
        self, names: Sequence[str], known: dict[str, Subset], alive: Callable[[], None]
    ) -> dict[str, Subset]:
        """The known split with these images added."""
        if all(n in known for n in names):
            return known
        official = official_split(self.layout)
        # Known images that are gone count too: one of the others may be their photo, renamed.
        photos = {n: self.image_path(n) for n in {*known, *names}}
        return assign(
            names,
            known,
            self.settings.train_share,
            {n: official[s] for n in names if (s := Path(n).stem) in official},
            groups_of(self._fingerprints.of(photos, alive)),
            [n for n in known if self.status(n) in (Status.APPROVED, Status.EDITED)],
        )

    # Settings

    def adjust_settings(self, **changes: Any) -> None:
        """Change fields of ``settings``; they are written down with the next that are."""
        with self._setting:
            self.settings = replace(self.settings, **changes)

    def change_settings(self, **changes: Any) -> None:
        """Change fields of ``settings`` for good. Raises WriteError, BadInput (read-only)."""
        self.require_writable()
        with self._keeping:
            write_settings(self.store / "project.json", replace(self.settings, **changes))
            self.adjust_settings(**changes)

    def keep_settings(self) -> None:
        """Write the settings down as they are. Raises WriteError, BadInput (read-only)."""
        self.change_settings()

    def _encoding_of(self, path: Path) -> MaskEncoding:
        return self.settings.mask_encoding if self.is_in_encoding(path) else MaskEncoding.TRIMAP

    def keep_detected(self) -> None:
        """Write down what was detected, so that it never changes by what is written later.

        Raises WriteError, BadInput (read-only).
        """
        self.require_writable()
        if not (self.store / "project.json").exists():
            write_settings(self.store / "project.json", self.settings)

    def require_writable(self) -> None:
        """Raises BadInput (read-only), WriteError (the folder is gone)."""
        if not self.writable:
            raise BadInput(
                f"{self.folder} is read-only. Choose another place for masks and settings "
                "(--project DIR, or File > Keep masks elsewhere)."
            )
        # Otherwise writing would make it anew, with nothing in it, where a disk was unplugged.
        if not self.layout.images.is_dir():
            raise files.WriteError(
                f"{self.layout.images} is not there any more. If the folder was renamed or its "
                "disk unplugged, bring it back; nothing is written elsewhere."
            )


def open_project(
    folder: Path,
    store: Path | None = None,
    encoding: MaskEncoding | None = None,
    half_converted: bool = False,
    listed: Callable[[list[str]], None] = lambda names: None,
) -> Project:
    """Open a folder of images. Writes nothing.

    store: where project.json, masks, predictions and runs are kept; FOLDER/.petseg (and
    FOLDER/masks) by default. encoding: what the mask files' numbers mean, where they are unclear.
    half_converted: also where some masks are in another encoding, for ``resume_conversion``.
    listed: is given the images' names as they are found, in order.
    Raises BadInput: no folder, not readable, no image in it, settings damaged, half converted;
    EncodingUnclear.
    """
    folder = folder.resolve()
    layout = find_layout(folder)
    images = read_images(layout, told=listed)
    names = images.names
    if not names:
        unread = f" These folders cannot be read: {'; '.join(images.problems)}."
        raise BadInput(
            f"No images in {layout.images}. PetSeg reads JPEG, PNG, TIFF, BMP, WebP and GIF files."
            f"{unread if images.problems else ''}"
        )
    beside = folder / STORE_NAME
    store = store.resolve() if store is not None else beside
    if (store / CONVERTING).is_dir() and not half_converted:
        raise BadInput(
            f"The masks of {folder} are being converted to class ids, or this was interrupted. "
            "Open the folder in the window: it finishes the conversion."
        )
    places = (store, _mask_folder(layout, store))
    writable = all(files.can_be_made(place) for place in places)
    trees = Trees(images, read_mask_trees(layout, _elsewhere(layout, store)))
    shared = sharing(names)
    owners = owners_of(names, shared)
    paired = pair_masks(owners, shared, trees.masks)
    try:
        reviews = read_reviews(store / "reviews.jsonl")
        predictions = read_predictions(store / RECORDS)
    except OSError as error:
        raise BadInput(f"Cannot read {error.filename}: {error.strerror or error}.") from error
    settings_path = store / "project.json"
    if settings_path.exists():
        settings = read_settings(settings_path)
    else:
        settings = _new_settings(layout, list(paired.values()), encoding)
    read_split(store / "split.json")  # a damaged one is told before work is done on it
    predicted = read_masks(store / "predictions").names
    return Project(
        layout=layout,
        store=store,
        settings=settings,
        names=names,
        writable=writable,
        _trees=trees,
        _shared=shared,
        _masks=paired,
        _reviews=reviews,
        _fingerprints=Fingerprints(store / "fingerprints.json"),
        _predicted={owners[stem] for file in predicted if (stem := file[:-4]) in owners},
        _predictions=predictions,
    )


def _digest(path: Path) -> str | None:
    """The SHA-256 of a mask file, None where there is none. Raises MaskError."""
    try:
        return files.sha256(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MaskError(path, error.strerror or str(error)) from error


def _mask_folder(layout: Layout, store: Path) -> Path:
    return layout.masks if store == layout.root / STORE_NAME else store / "masks"


def _elsewhere(layout: Layout, store: Path) -> Path | None:
    """Where the project has masks of its own, besides those of the folder."""
    return None if store == layout.root / STORE_NAME else store / "masks"


def _new_settings(
    layout: Layout, paths: list[str], encoding: MaskEncoding | None
) -> ProjectSettings:
    if layout.kind is LayoutKind.OXFORD:
        return ProjectSettings(scheme=TRIMAP)
    if not paths:
        return ProjectSettings(scheme=PET)
    # Evenly over the whole folder: reading every one of many thousands would take minutes.
    step = max(1, len(paths) // _ENCODING_SAMPLE)
    samples = [s for path in paths[::step] if (s := _mask_sample(Path(path))) is not None]
    found = encoding or detect_encoding_or_raise(samples, layout)
    return ProjectSettings(scheme=_scheme_for(found, samples), mask_encoding=found)


def detect_encoding_or_raise(samples: list[tuple[set[int], bool]], layout: Layout) -> MaskEncoding:
    """The encoding of these samples. Raises EncodingUnclear, naming the choices."""
    values = sorted(set().union(*(v for v, _ in samples)))
    if not samples or values == [0]:
        return MaskEncoding.IDS
    found = masks.detect_encoding(samples)
    if found is None:
        raise EncodingUnclear(
            f"The masks in {layout.masks} hold {values}: class ids, or a trimap without border? "
            "Say which with --encoding ids or --encoding trimap."
        )
    return found


def _mask_sample(path: Path) -> tuple[set[int], bool] | None:
    try:
        values, palette = masks.read_values(path)
    except MaskError:
        return None  # named when the mask itself is asked for
    return set(masks.present_values(values)), palette


def _scheme_for(encoding: MaskEncoding, samples: list[tuple[set[int], bool]]) -> LabelScheme:
    if encoding is MaskEncoding.TRIMAP:
        return TRIMAP
    highest = 1
    if encoding is MaskEncoding.IDS:
        used = set().union(*(values for values, _ in samples))
        # A stray number far above the others is a mistake in one mask, not a class.
        for value in range(2, MAX_CLASSES):
            if value in used and len(used & set(range(value + 1))) > value / 2:
                highest = value
    if highest == 1:
        return scheme_of("custom", ["background", "object"])
    return scheme_of("custom", ["background"] + [f"class {i}" for i in range(1, highest + 1)])
