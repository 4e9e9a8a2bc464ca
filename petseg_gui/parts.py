"""The parts of the program, made and handed to each other; what they say to whom: wiring.py."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication

from petseg_gui.actions import make_actions
from petseg_gui.browser.model import ImageListModel
from petseg_gui.browser.panel import BrowserPanel
from petseg_gui.browser.thumbnails import Thumbnails
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.closing import CloseGuard
from petseg_gui.main_window import MainWindow
from petseg_gui.opening import Opener
from petseg_gui.painting import Painting
from petseg_gui.prediction.batch import Batch
from petseg_gui.prediction.chooser import ModelChooser
from petseg_gui.prediction.desk import PredictionDesk
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import PredictorShelf, Segmenter
from petseg_gui.session import Session
from petseg_gui.start_page import StartPage
from petseg_gui.strip import ToolStrip
from petseg_gui.tasks import Tasks
from petseg_gui.training.desk import TrainingDesk
from petseg_gui.training.panel import TrainingPanel
from petseg_gui.training.watcher import RunWatcher


@dataclass(frozen=True)
class Parts:
    """Everything there is one of."""

    window: MainWindow
    actions: dict[str, QAction]
    tasks: Tasks
    session: Session
    opener: Opener
    thumbnails: Thumbnails
    browser: BrowserPanel
    canvas: Canvas
    strip: ToolStrip
    painting: Painting
    start_page: StartPage
    models: ModelChoice
    desk: PredictionDesk
    batch: Batch
    watcher: RunWatcher
    training: TrainingDesk
    training_panel: TrainingPanel
    guard: CloseGuard


def make_parts() -> Parts:
    """Make the window and what works behind it. Nothing is started or shown yet."""
    owner = QObject()  # the actions' and workers' parent until the window takes them
    actions = make_actions(owner, QGuiApplication.palette())
    window = MainWindow(actions)
    owner.setParent(window)
    tasks = Tasks(window)
    session = Session(tasks, window)
    thumbnails = Thumbnails(tasks, window)
    browser = BrowserPanel(ImageListModel(session.status, thumbnails, window), window)
    canvas = Canvas(window)
    strip = ToolStrip(actions, window)
    start_page = StartPage(actions["open"], actions["open_demo"], window)
    models = ModelChoice(tasks, window)
    shelf = PredictorShelf()
    batch = Batch(Segmenter(tasks, shelf, window), window)
    watcher = RunWatcher(tasks, window)
    training_panel = TrainingPanel(tasks, watcher, actions, window)
    window.compose(start_page, canvas, strip, browser, training_panel, ModelChooser(models, window))
    return Parts(
        window=window,
        actions=actions,
        tasks=tasks,
        session=session,
        opener=Opener(tasks, window),
        thumbnails=thumbnails,
        browser=browser,
        canvas=canvas,
        strip=strip,
        painting=Painting(session, canvas, strip, actions, window),
        start_page=start_page,
        models=models,
        desk=PredictionDesk(session, models, Segmenter(tasks, shelf, window), batch, window),
        batch=batch,
        watcher=watcher,
        training=TrainingDesk(tasks, watcher, window),
        training_panel=training_panel,
        guard=CloseGuard(session, window),
    )
