"""The models window: look, choose, import, rename, delete, export, compare."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from core.inference.catalogue import IMPORTED, RUN_MODEL
from core.modelfile import onnx_path, read_description
from core.project.project import open_project
from petseg_gui.models.prose import Prose
from petseg_gui.models.window import ModelsWindow
from petseg_gui.parts import Parts
from petseg_gui.wiring import models as wiring

OpenModels = Callable[[Parts], ModelsWindow]


@pytest.fixture
def open_models(qtbot: QtBot) -> OpenModels:
    """open_models(parts): the window, by its command, once it lists the models."""

    def open_(parts: Parts) -> ModelsWindow:
        parts.actions["models"].trigger()
        qtbot.waitUntil(lambda: bool(parts.window.findChildren(ModelsWindow)))
        (window,) = parts.window.findChildren(ModelsWindow)
        qtbot.waitUntil(lambda: window.list.topLevelItemCount() > 0)
        return window

    return open_


def put(model: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, target)
    shutil.copy(onnx_path(model), onnx_path(target))
    return target


def titles(window: ModelsWindow) -> list[str]:
    rows = range(window.list.topLevelItemCount())
    return [window.list.topLevelItem(row).text(0) for row in rows]


def drop(parts: Parts, file: Path) -> None:
    """Let go of a file over the main window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    parts.window.dropEvent(event)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The weights of a U-Net without a description."""
    import torch

    from core.models.network import build_network

    torch.manual_seed(0)
    net = build_network({"outputs": 2, "width": 4, "depth": 1})
    torch.save(net.body.state_dict(), tmp_path / "their_net.pt")
    return tmp_path / "their_net.pt"


def test_choosing_and_deleting(
    open_window, open_models: OpenModels, make_project, make_model, qtbot: QtBot
):
    folder = make_project(2)
    store = open_project(folder).store
    mine = put(make_model(name="Mine", seed=1), store / IMPORTED / "mine.safetensors")
    run = put(make_model(name="Quick", seed=2), store / "runs" / "20260101-a" / RUN_MODEL)
    parts = open_window(folder)
    window = open_models(parts)
    qtbot.waitUntil(lambda: titles(window) == ["Tiny (in use)", "Quick", "Mine"])
    window.select(run)
    assert not window.commands["delete"].isEnabled()  # it belongs to its training
    assert "deleted there" in window.card.note.text()
    window.select(mine)
    window.commands["use"].trigger()
    qtbot.waitUntil(lambda: titles(window) == ["Tiny", "Quick", "Mine (in use)"])
    qtbot.waitUntil(lambda: parts.session.project.settings.model == "models/mine.safetensors")
    window.commands["delete"].trigger()
    assert "default model takes its place" in window.question.label.text()
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: titles(window) == ["Tiny (in use)", "Quick"])
    assert not mine.exists()
    assert run.exists()
    parts.models.choose(folder.parent / "closed before" / "models" / "x.safetensors")
    assert titles(window) == ["Tiny (in use)", "Quick"]


CARD = """# Ours

For the best
masks.

- cats
- dogs

## Licence

Apache-2.0; [more](https://example.org/more), <b>bold</b>, [yours](file:///etc/passwd).

![picture](file:///usr/share/pixmaps/x.png)

| photos | IoU |
| --- | --- |
| 321 | 0.889 |
"""


def test_the_card_of_a_model_of_petsegs_own_is_shown(
    open_window, open_models, make_project, make_model, qtbot: QtBot, tmp_path, monkeypatch
):
    own = put(make_model(name="Ours", seed=1), tmp_path / "own" / "ours.safetensors")
    own.with_suffix(".md").write_text(CARD, "utf-8")
    monkeypatch.setattr("core.inference.catalogue.bundled_model", lambda: own)
    opened: list[str] = []
    monkeypatch.setattr(
        "petseg_gui.models.prose.QDesktopServices.openUrl",
        lambda url: opened.append(url.toString()),
    )
    folder = make_project(1)
    put(make_model(name="Mine"), open_project(folder).store / IMPORTED / "mine.safetensors")
    window = open_models(open_window(folder))
    qtbot.waitUntil(lambda: len(titles(window)) == 2)
    window.select(own)
    assert window.card.note.text() == "For the best masks."
    (prose,) = window.card.findChildren(Prose)
    text = prose.toPlainText()
    assert "Licence" in text
    assert "0.889" in text
    assert "<b>bold</b>" in text  # nobody's HTML
    assert "For the best" not in text  # said above
    blocks = [prose.document().findBlockByNumber(n) for n in range(prose.document().blockCount())]
    assert [b.text() for b in blocks if b.textList() is not None] == ["cats", "dogs"]
    qtbot.waitUntil(lambda: prose.height() >= prose.document().size().height())
    for link in ("https://example.org/more", "file:///etc/passwd"):
        prose.anchorClicked.emit(QUrl(link))
    assert opened == ["https://example.org/more"]
    assert text == prose.toPlainText()  # what is pressed is not shown in its place
    window.select(window._models.entries[1].path)
    qtbot.waitUntil(lambda: not window.card.findChildren(Prose))


def test_renaming(open_window, open_models: OpenModels, make_project, make_model, qtbot: QtBot):
    folder = make_project(2)
    store = open_project(folder).store
    mine = put(make_model(name="Mine", seed=1), store / IMPORTED / "mine.safetensors")
    window = open_models(open_window(folder))
    qtbot.waitUntil(lambda: len(titles(window)) == 2)
    window.select(mine)
    window.commands["rename"].trigger()
    window.card.name.setText("Better name")
    qtbot.keyClick(window.card.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Better name" in titles(window))
    assert read_description(mine).name == "Better name"
    window.commands["rename"].trigger()
    window.card.name.setText("Never mind")
    qtbot.keyClick(window.card.name, Qt.Key.Key_Escape)
    assert window.card.name.text() == "Better name"
    assert window.isVisible()
    window.list.topLevelItem(0).setSelected(True)
    window.select(window._models.entries[0].path)
    assert window.card.name.isReadOnly()  # the bundled one keeps its name


def test_a_dropped_file_is_asked_about_and_imported(
    open_window, open_models: OpenModels, make_project, weights: Path, qtbot: QtBot
):
    folder = make_project(2)
    parts = open_window(folder)
    drop(parts, weights)
    qtbot.waitUntil(lambda: bool(parts.window.findChildren(ModelsWindow)))
    window = open_models(parts)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.form, timeout=60_000)
    form = window.form
    names = ", ".join(parts.session.project.settings.scheme.names)
    assert (form.name.text(), form.classes.text()) == ("their net", names)
    form.classes.setText("background")
    form.button.click()
    assert "2 classes apart" in form.problem.text()
    form.classes.setText("background, hen")
    form.size_box.setValue(64)
    form.button.click()
    qtbot.waitUntil(lambda: "their net" in titles(window), timeout=60_000)
    (entry,) = window.selected
    assert entry.path == open_project(folder).store / IMPORTED / "their-net.safetensors"
    assert entry.description.size == 64
    assert window.pages.currentWidget() is window.card
    window.commands["use"].trigger()
    assert parts.models.path == entry.path
    assert parts.chooser.currentText() == "their net"
    assert "their net" in parts.chooser.toolTip()  # a longer name is cut off


def test_what_is_no_model_is_refused_in_the_window(
    open_window, open_models: OpenModels, make_project, tmp_path: Path, qtbot: QtBot
):
    parts = open_window(make_project(2))
    window = open_models(parts)
    (tmp_path / "notes.pt").write_text("no model")
    window.file_dropped.emit(tmp_path / "notes.pt")
    assert not window.progress.isHidden()
    qtbot.waitUntil(lambda: "no model file" in window.question.label.text(), timeout=60_000)
    assert window.progress.isHidden()
    assert window.commands["import"].isEnabled()


def test_an_import_can_be_cancelled(
    open_window, open_models: OpenModels, make_project, weights: Path, qtbot: QtBot
):
    window = open_models(open_window(make_project(2)))
    window.file_dropped.emit(weights)
    assert not window.commands["import"].isEnabled()
    window.progress.button.click()
    assert window.progress.isHidden()
    assert window.commands["import"].isEnabled()
    assert titles(window) == ["Tiny (in use)"]


def test_exporting_tells_how_it_went(
    open_window, open_models: OpenModels, make_project, tmp_path: Path, qtbot: QtBot
):
    parts = open_window(make_project(2))
    window = open_models(parts)
    (entry,) = parts.models.entries
    wiring.export(parts, window, entry, tmp_path / "out")
    qtbot.waitUntil(lambda: "is exported" in parts.window.statusBar().currentMessage())
    assert (tmp_path / "out" / "segment.py").exists()
    wiring.export(parts, window, entry, tmp_path / "out")
    qtbot.waitUntil(lambda: "nothing was written" in window.question.label.text())


def test_two_models_are_compared_on_the_validation_images(
    open_window, open_models: OpenModels, make_project, make_model, qtbot: QtBot
):
    folder = make_project(12)
    store = open_project(folder).store
    mine = put(make_model(name="Mine", seed=1), store / IMPORTED / "mine.safetensors")
    parts = open_window(folder)
    window = open_models(parts)
    qtbot.waitUntil(lambda: len(titles(window)) == 2)
    window.select(mine)
    assert "Mine against Tiny" in window.commands["compare"].toolTip()
    window.commands["compare"].trigger()
    assert not window.progress.isHidden()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.comparison, timeout=120_000)
    view = window.comparison
    assert "A: Tiny. B: Mine." in view.basis.text()
    assert "the border counts as object" not in view.basis.text()
    assert view.verdict.text()
    figure = view.figures.topLevelItem(0)
    a, b, difference = (float(figure.text(i)) for i in (1, 2, 3))
    assert difference == pytest.approx(b - a, abs=2e-3)
    gains = [
        abs(float(view.images.topLevelItem(i).text(3)))
        for i in range(view.images.topLevelItemCount())
    ]
    assert gains == sorted(gains, reverse=True)
    last = view.images.topLevelItem(len(gains) - 1)
    view.images.itemActivated.emit(last, 0)
    qtbot.waitUntil(lambda: parts.session.name == last.text(0))


def test_a_folder_without_validation_masks_says_so(
    open_window, open_models: OpenModels, make_project, make_model, qtbot: QtBot
):
    folder = make_project(2, masked=0)
    store = open_project(folder).store
    mine = put(make_model(name="Mine", seed=1), store / IMPORTED / "mine.safetensors")
    window = open_models(open_window(folder))
    qtbot.waitUntil(lambda: len(titles(window)) == 2)
    window.select(mine)
    window.commands["compare"].trigger()
    qtbot.waitUntil(lambda: not window.question.isHidden(), timeout=60_000)
    assert window.question.label.text()
    assert window.progress.isHidden()


def test_the_tool_bar_leads_to_the_models_and_keeps_its_choice(
    open_window, make_project, qtbot: QtBot
):
    parts = open_window(make_project(2))
    chooser = parts.chooser
    qtbot.waitUntil(lambda: chooser.count() > 1)
    last = chooser.count() - 1
    assert chooser.itemText(last) == "Models…"
    chooser.setCurrentIndex(last)
    chooser.activated.emit(last)
    assert chooser.currentText() == "Tiny"
    qtbot.waitUntil(lambda: bool(parts.window.findChildren(ModelsWindow)))


def test_an_onnx_file_alone_is_no_start_of_a_training(
    open_window, make_project, make_model, tmp_path: Path, qtbot: QtBot
):
    from core.models.importing import import_model
    from core.models.sharing import export_model
    from petseg_gui.wiring.training_dialog import open_dialog

    folder = make_project(8)
    models = open_project(folder).store / IMPORTED
    put(make_model(name="Mine", seed=1), models / "mine.safetensors")
    (onnx,) = export_model(make_model(name="Alone", seed=2), tmp_path / "alone.onnx")
    import_model(onnx, models)
    parts = open_window(folder)
    qtbot.waitUntil(lambda: len(parts.models.entries) == 3)
    dialog = open_dialog(parts)
    starts = [dialog.start_box.itemText(i) for i in range(dialog.start_box.count())]
    assert "Model: Mine" in starts
    assert "Model: Alone" not in starts
