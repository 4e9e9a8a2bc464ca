"""Brings what is compared onto the stage: which views there are, and what each shows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QAction

from core.labels import scheme_under
from core.project.reviews import Status
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.canvas.difference import Verdict
from petseg_gui.canvas.image_view import ImageView
from petseg_gui.comparing import desk as modes
from petseg_gui.comparing.bar import WORDS, CompareBar
from petseg_gui.comparing.desk import CompareDesk
from petseg_gui.comparing.legend import DifferenceLegend
from petseg_gui.comparing.linked import Linked, LookView
from petseg_gui.comparing.pictures import Picture
from petseg_gui.comparing.slider import SliderView
from petseg_gui.comparing.stage import Stage
from petseg_gui.session import Session

_BESIDE = (Picture.PHOTO, Picture.MASK, Picture.PREDICTION, Picture.DIFFERENCE)
_PAIR = (Picture.MASK, Picture.PREDICTION)


class CompareViews(QObject):
    """Shows what a CompareDesk has. The canvas is the view of the mask, so it can be painted in."""

    made = Signal(object)
    """A further view, for looking: give it the keys that images have."""

    def __init__(
        self,
        desk: CompareDesk,
        session: Session,
        stage: Stage,
        canvas: Canvas,
        segment: QAction,
    ) -> None:
        super().__init__(stage)
        self._desk = desk
        self._session = session
        self._stage = stage
        self._canvas = canvas
        self._views: dict[Picture, LookView] = {}
        self._slider: SliderView | None = None
        self._link = Linked()
        self._link.add(canvas)
        self.beside: tuple[Picture, ...] = _BESIDE
        self.pair: tuple[Picture, Picture] = _PAIR
        self.bar = CompareBar(segment, stage)
        self.bar.hide()
        stage.set_bar(self.bar)
        self.bar.pictures_chosen.connect(self._set_beside)
        self.bar.pair_chosen.connect(self._set_pair)
        self.bar.value_chosen.connect(desk.set_value)
        self.bar.closed.connect(lambda: desk.set_mode(modes.OFF))
        stage.left.connect(lambda: desk.set_mode(modes.OFF))
        canvas.appearance_changed.connect(self._show_appearance)
        desk.mode_changed.connect(self._show_mode)
        desk.material_changed.connect(self._show_material)
        desk.heat_changed.connect(self._show_heat)
        desk.counted.connect(self._show_figures)
        session.status_changed.connect(lambda _: self._show_figures())

    def view(self, picture: Picture) -> ImageView:
        """The view of a picture when they stand side by side."""
        if picture is Picture.MASK:
            return self._canvas
        if picture not in self._views:
            view = LookView(self._stage)
            view.setAccessibleName(WORDS[picture])
            self._take_in(view)
            self._views[picture] = view
            if picture is Picture.DIFFERENCE:
                self._legend = DifferenceLegend(view)
                self._stage.cell(view).add(self._legend)
        return self._views[picture]

    @property
    def slider(self) -> SliderView:
        """The view with the line."""
        if self._slider is None:
            self._slider = SliderView(self._stage)
            self._slider.setAccessibleName("Two pictures under a line")
            self._take_in(self._slider)
        return self._slider

    def _take_in(self, view: LookView) -> None:
        view.set_appearance(self._canvas.appearance)
        self._link.add(view)
        self.made.emit(view)

    # What a person chooses

    def _set_beside(self, pictures: Sequence[Picture]) -> None:
        self.beside = tuple(pictures)
        by_keyboard = any(b.hasFocus() for b in self.bar.pictures.buttons.values())
        self._show_stage()
        self._show_material()
        if not by_keyboard:
            self._take_focus()

    def _set_pair(self, pair: tuple[Picture, Picture]) -> None:
        self.pair = pair
        self._show_material()

    def _show_appearance(self) -> None:
        for view in self._looking:
            view.set_appearance(self._canvas.appearance)

    # What is shown

    @property
    def _looking(self) -> list[LookView]:
        """Every view but the canvas."""
        return [*self._views.values(), *([self._slider] if self._slider is not None else [])]

    @property
    def _now(self) -> list[ImageView]:
        """The views that the mode wants, in order."""
        if self._desk.mode == modes.SIDE:
            return [self.view(picture) for picture in Picture if picture in self.beside]
        return [self.slider] if self._desk.mode == modes.SLIDER else [self._canvas]

    def _show_mode(self) -> None:
        """Another way to compare, or other views of the same."""
        mode, bar = self._desk.mode, self.bar
        bar.setVisible(mode != modes.OFF)
        bar.title.setVisible(mode not in (modes.SIDE, modes.SLIDER))
        bar.pictures.setVisible(mode == modes.SIDE)
        bar.pair.setVisible(mode == modes.SLIDER)
        self._show_stage()
        self._show_material()
        self._show_heat()
        self._take_focus()

    def _take_focus(self) -> None:
        """Keys go to the canvas, or to the first view where it is covered."""
        views = self._now
        (self._canvas if self._canvas in views else views[0]).setFocus()

    def _show_stage(self) -> None:
        document = self._session.document
        size = QSize(4, 3) if document is None else QSize(document.width, document.height)
        views = self._now
        with self._link.held():
            for view in self._looking:
                # What nobody sees takes no memory.
                view.set_document(document if view in views else None)
                if view in views:
                    view.share_photo(self._canvas)
            self._stage.show_views(views, size)
        self._link.match(self._canvas)

    def _show_material(self) -> None:
        """The masks that are compared are other ones now."""
        desk, material = self._desk, self._desk.material
        document = self._session.document
        if any(view.document is not document for view in self._now):
            self._show_stage()
        differs = desk.mode == modes.DIFFERENCE
        appearance = self._canvas.appearance
        shows = differs and material is not None and material.has(Picture.DIFFERENCE)
        self._canvas.show_layer(
            material.layer(Picture.DIFFERENCE, appearance) if shows and material else None
        )
        if material is not None and desk.mode == modes.SIDE:
            for picture, view in self._views.items():
                if view in self._now:
                    view.show_layer(material.layer(picture, appearance))
        if material is not None and desk.mode == modes.SLIDER:
            left, right = (material.layer(picture, appearance) for picture in self.pair)
            self.slider.show_pair(left, right)
        self._show_choices()
        self._show_figures()

    def _show_choices(self) -> None:
        desk, material, bar = self._desk, self._desk.material, self.bar
        there = [p for p in Picture if material is None or material.has(p)]
        bar.pictures.show_choice(self.beside, there)
        bar.pair.show_pair(self.pair)
        names: dict[int, str] = {}
        if material is not None:
            scheme = scheme_under(material.document.scheme, material.rule)
            names = {c.id: c.name for c in scheme.classes[1:]}
        several, shows_difference = len(names) > 1, self._shows_difference
        bar.set_classes(names, desk.value)
        bar.classes.setVisible(several and shows_difference)
        verdicts = [
            v for v in Verdict if v is not Verdict.CONFUSED or (several and desk.value is None)
        ]
        in_header = desk.mode == modes.SIDE
        bar.difference.setVisible(shows_difference and not in_header)
        bar.difference.show_verdicts(verdicts)
        if in_header and shows_difference:
            self._legend.show_verdicts(verdicts)

    @property
    def _shows_difference(self) -> bool:
        desk = self._desk
        return (
            desk.mode == modes.DIFFERENCE
            or (desk.mode == modes.SLIDER and Picture.DIFFERENCE in self.pair)
            or (desk.mode == modes.SIDE and Picture.DIFFERENCE in self.beside)
        )

    def _show_figures(self) -> None:
        """How far mask and prediction agree, and who said what."""
        desk, bar, material = self._desk, self.bar, self._desk.material
        if desk.mode not in (modes.SIDE, modes.SLIDER, modes.DIFFERENCE):
            bar.figures.hide()
            return
        bar.title.setText("Difference")
        found = desk.agreement
        bar.figures.setVisible(found is not None and found.dice is not None)
        if found is not None and found.dice is not None and found.iou is not None and material:
            rule = f" · {material.rule.words}" if material.document.scheme.border_id else ""
            bar.figures.setText(f"Dice {found.dice:.3f} · IoU {found.iou:.3f}{rule}")
            bar.figures.setToolTip(
                "Between the mask and the prediction at the photo's own size; 1 is the same."
            )
        bar.set_note(*self._words())
        for picture in Picture:
            if picture is Picture.MASK or picture in self._views:
                self._stage.cell(self.view(picture)).title.setText(self._title(picture))

    def _words(self) -> tuple[str, bool]:
        """What is to be said, and whether segmenting the image helps."""
        desk, material = self._desk, self._desk.material
        if material is None or desk.busy:
            return "", False
        if desk.problem:
            return desk.problem, True
        if material.prediction is None:
            return "There is no prediction of this image yet.", True
        if desk.other_model:
            return "Not by the model that is chosen.", False
        if desk.is_the_prediction:
            return "The mask is the prediction itself.", False
        if desk.mode == modes.SLIDER:
            return "For looking: Esc goes back to painting.", False
        return "", False

    def _title(self, picture: Picture) -> str:
        desk, session = self._desk, self._session
        if picture is Picture.MASK:
            status = session.status(session.name)
            return {
                Status.APPROVED: "Approved mask",
                Status.EDITED: "Your mask",
                Status.PREDICTED: "Mask (as predicted)",
            }.get(status, "Mask")
        records = {Picture.PREDICTION: desk.record, Picture.PREVIOUS: desk.previous_record}
        record = records.get(picture)
        by = f" by {record.title}" if record is not None and record.title else ""
        missing = "" if desk.material is None or desk.material.has(picture) else " – none yet"
        return f"{WORDS[picture]}{by}{missing}"

    def _show_heat(self) -> None:
        desk, bar = self._desk, self.bar
        heats = desk.mode in (modes.PROBABILITY, modes.UNCERTAINTY, modes.EXPLANATION)
        heat = desk.heat if heats else None
        self._canvas.set_heat(heat.values if heat is not None else None, heat.title if heat else "")
        bar.ramp.setVisible(heat is not None)
        if not heats:
            return
        if heat is not None:
            bar.title.setText(heat.title)
            bar.ramp.show_ends(heat.low, heat.high)
            bar.set_note(heat.note)
            return
        bar.title.setText("Uncertainty" if desk.mode == modes.UNCERTAINTY else "Probability")
        bar.set_note(desk.problem or ("Asking the model…" if desk.busy else ""))
