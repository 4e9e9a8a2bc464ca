"""The parts of the program, made and handed to each other; what they say to whom: wiring.py."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QDockWidget, QWidget

from petseg_gui.actions import make_actions
from petseg_gui.browser.facts import FactsKeeper
from petseg_gui.browser.panel import BrowserPanel
from petseg_gui.browser.thumbnails import Thumbnails
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.classes.panel import ClassPanel
from petseg_gui.closing import CloseGuard
from petseg_gui.comparing.desk import CompareDesk
from petseg_gui.comparing.stage import Stage
from petseg_gui.following import Follower
from petseg_gui.history_panel import HistoryPanel
from petseg_gui.judge import Judge
from petseg_gui.main_window import MainWindow
from petseg_gui.navigator import Navigator
from petseg_gui.opening import Opener
from petseg_gui.prediction.anew import Anew
from petseg_gui.prediction.batch import Batch
from petseg_gui.prediction.chooser import ModelChooser
from petseg_gui.prediction.desk import PredictionDesk
from petseg_gui.prediction.inference import Inference
from petseg_gui.prediction.live import LivePrediction
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.neighbours import Neighbours
from petseg_gui.prediction.options import FolderOptions
from petseg_gui.prediction.probabilities import Probabilities
from petseg_gui.prediction.segmenter import Segmenter
from petseg_gui.prediction.shelf import PredictorShelf
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
_PREDICTION_WIDTH = 270


@dataclass(frozen=True)
class Parts:
    """Everything there is one of."""

    window: MainWindow
    actions: dict[str, QAction]
    tasks: Tasks
    session: Session
    opener: Opener
    thumbnails: Thumbnails
    facts: FactsKeeper
    follower: Follower
    browser: BrowserPanel
    canvas: Canvas
    stage: Stage
    strip: ToolStrip
    toolbox: Toolbox
    navigator: Navigator
    class_panel: ClassPanel
    class_dock: QDockWidget
    history_panel: HistoryPanel
    start_page: StartPage
    models: ModelChoice
    chooser: ModelChooser
    desk: PredictionDesk
    batch: Batch
    neighbours: Neighbours
    predict_options: FolderOptions
    live: LivePrediction
    prediction_dock: QDockWidget
    inference: Inference
    watcher: RunWatcher
    training: TrainingDesk
    training_panel: TrainingPanel
    runs: RunList
    learning: Learning
    anew: Anew
    judge: Judge
    guard: CloseGuard
    settings: SettingsKeeper
    state: StateKeeper
    whereabouts: Whereabouts
    shelf: PredictorShelf
    compare: CompareDesk


def make_parts() -> Parts:
    """Make the window and what works behind it. Nothing is started or shown yet."""
    owner = QObject()  # the actions' and workers' parent until the window takes them
    actions = make_actions(owner, QGuiApplication.palette())
    window = MainWindow(actions)
    owner.setParent(window)
    tasks = Tasks(window)
    session = Session(tasks, window)
    judge = Judge(tasks, session, window)
    thumbnails = Thumbnails(tasks, window)
    facts = FactsKeeper(tasks, session, window)
    browser = BrowserPanel(tasks, facts, thumbnails, window)
    canvas = Canvas(window)
    stage = Stage(canvas, window)
    strip = ToolStrip(actions, window)
    start_page = StartPage(actions["open"], actions["open_demo"], window)
    models = ModelChoice(tasks, window)
    shelf = PredictorShelf()
    inference = Inference(shelf)
    predict_options = FolderOptions(tasks, window)
    state = StateKeeper(tasks, window)
    probabilities = Probabilities(session, models, inference)
    bench = make_workbench(tasks, canvas, probabilities, window.tell)
    batch = Batch(Segmenter(tasks, inference, window), window)
    desk = PredictionDesk(session, models, Segmenter(tasks, inference, window), batch, window)
    watcher = RunWatcher(tasks, window)
    training = TrainingDesk(tasks, watcher, window)
    training_panel = TrainingPanel(tasks, watcher, training, actions, window)
    runs = RunList(tasks, window)
    chooser = ModelChooser(models, window)
    window.compose(start_page, stage, strip, browser, training_panel, chooser)
    class_panel = ClassPanel(actions["classes"], window)
    history_panel = HistoryPanel(window)
    class_dock = window.add_side_dock("Classes", class_panel, _SIDE_WIDTH)
    window.add_side_dock("History", history_panel, _SIDE_WIDTH)
    # Its panel is made when it is first shown.
    prediction_dock = window.add_side_dock("Prediction", QWidget(window), _PREDICTION_WIDTH)
    return Parts(
        window=window,
        actions=actions,
        tasks=tasks,
        session=session,
        opener=Opener(tasks, window),
        thumbnails=thumbnails,
        facts=facts,
        follower=Follower(tasks, session, window),
        browser=browser,
        canvas=canvas,
        stage=stage,
        strip=strip,
        toolbox=Toolbox(session, canvas, strip, actions, bench, window),
        navigator=Navigator(canvas),
        class_panel=class_panel,
        class_dock=class_dock,
        history_panel=history_panel,
        start_page=start_page,
        models=models,
        chooser=chooser,
        desk=desk,
        batch=batch,
        neighbours=Neighbours(session, models, Segmenter(tasks, inference, window), desk, window),
        predict_options=predict_options,
        live=LivePrediction(tasks, session, models, inference, predict_options, window),
        prediction_dock=prediction_dock,
        inference=inference,
        watcher=watcher,
        training=training,
        training_panel=training_panel,
        runs=runs,
        learning=Learning(tasks, session, models, training, watcher, runs, window),
        anew=Anew(
            session, models, Batch(Segmenter(tasks, inference, window), window), batch, window
        ),
        judge=judge,
        guard=CloseGuard(session, judge, window),
        settings=SettingsKeeper(tasks, window),
        state=state,
        whereabouts=Whereabouts(state, session, canvas, window),
        shelf=shelf,
        compare=CompareDesk(tasks, session, models, inference, window),
    )
