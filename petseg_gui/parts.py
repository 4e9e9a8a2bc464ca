"""The parts of the program, made and handed to each other; what they say to whom: wiring.py."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QDockWidget

from petseg_gui.actions import make_actions
from petseg_gui.browser.model import ImageListModel
from petseg_gui.browser.panel import BrowserPanel
from petseg_gui.browser.thumbnails import Thumbnails
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.classes.panel import ClassPanel
from petseg_gui.closing import CloseGuard
from petseg_gui.history_panel import HistoryPanel
from petseg_gui.main_window import MainWindow
from petseg_gui.navigator import Navigator
from petseg_gui.opening import Opener
from petseg_gui.prediction.anew import Anew
from petseg_gui.prediction.batch import Batch
from petseg_gui.prediction.chooser import ModelChooser
from petseg_gui.prediction.desk import PredictionDesk
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.probabilities import Probabilities
from petseg_gui.prediction.segmenter import PredictorShelf, Segmenter
from petseg_gui.session import Session
from petseg_gui.settings.keeper import SettingsKeeper, StateKeeper
from petseg_gui.settings.whereabouts import Whereabouts
from petseg_gui.start_page import StartPage
from petseg_gui.strip import ToolStrip
from petseg_gui.tasks import Tasks
from petseg_gui.toolbox import Toolbox
from petseg_gui.training.desk import TrainingDesk
from petseg_gui.training.learning import Learning
from petseg_gui.training.panel import TrainingPanel
from petseg_gui.training.run_list import RunList
from petseg_gui.training.watcher import RunWatcher
from petseg_gui.workbench import make_workbench

_SIDE_WIDTH = 220


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
    toolbox: Toolbox
    navigator: Navigator
    class_panel: ClassPanel
    class_dock: QDockWidget
    history_panel: HistoryPanel
    start_page: StartPage
    models: ModelChoice
    desk: PredictionDesk
    batch: Batch
    watcher: RunWatcher
    training: TrainingDesk
    training_panel: TrainingPanel
    runs: RunList
    learning: Learning
    anew: Anew
    guard: CloseGuard
    settings: SettingsKeeper
    state: StateKeeper
    whereabouts: Whereabouts
    shelf: PredictorShelf


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
    state = StateKeeper(tasks, window)
    probabilities = Probabilities(session, models, shelf)
    bench = make_workbench(tasks, canvas, probabilities, window.tell)
    batch = Batch(Segmenter(tasks, shelf, window), window)
    watcher = RunWatcher(tasks, window)
    training = TrainingDesk(tasks, watcher, window)
    training_panel = TrainingPanel(tasks, watcher, training, actions, window)
    runs = RunList(tasks, window)
    window.compose(start_page, canvas, strip, browser, training_panel, ModelChooser(models, window))
    class_panel = ClassPanel(actions["classes"], window)
    history_panel = HistoryPanel(window)
    class_dock = window.add_side_dock("Classes", class_panel, _SIDE_WIDTH)
    window.add_side_dock("History", history_panel, _SIDE_WIDTH)
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
        toolbox=Toolbox(session, canvas, strip, actions, bench, window),
        navigator=Navigator(canvas),
        class_panel=class_panel,
        class_dock=class_dock,
        history_panel=history_panel,
        start_page=start_page,
        models=models,
        desk=PredictionDesk(session, models, Segmenter(tasks, shelf, window), batch, window),
        batch=batch,
        watcher=watcher,
        training=training,
        training_panel=training_panel,
        runs=runs,
        learning=Learning(tasks, session, models, training, watcher, runs, window),
        anew=Anew(session, models, Batch(Segmenter(tasks, shelf, window), window), batch, window),
        guard=CloseGuard(session, window),
        settings=SettingsKeeper(tasks, window),
        state=state,
        whereabouts=Whereabouts(state, session, canvas, window),
        shelf=shelf,
    )
