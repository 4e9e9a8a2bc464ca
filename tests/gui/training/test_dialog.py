"""The training dialog: its words, its options, what it measures and shows, what a start does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from core.inference.catalogue import ModelEntry
from core.labels import PET, scheme_of
from core.modelfile import read_description
from core.project.project import STORE_NAME, open_project
from core.project.reviews import Review, Status
from core.project.settings import ProjectSettings, write_settings
from core.training.config import TrainConfig, read_run_config
from core.training.presets import PRESETS, make_config
from petseg_gui.tasks import Lane, Tasks
from petseg_gui.training.dialog import TrainingDialog
from petseg_gui.wiring.training_dialog import load_and_open_dialog, open_dialog

_NO_KEYS = Qt.KeyboardModifier.NoModifier
BIRDS = scheme_of("custom", ["background", "cat", "dog", "bird"])
TINY = {"size": 32, "batch": 2, "width": 4, "depth": 1, "threads": 1}


@pytest.fixture
def dialog_of(open_window, qtbot):
    def make(folder: Path) -> tuple[object, TrainingDialog]:
        parts = open_window(folder)
        dialog = open_dialog(parts)
        _counted(dialog, qtbot)
        return parts, dialog

    return make


@pytest.fixture
def pets(make_project) -> Path:
    """A folder whose classes are the drawn animals'."""
    folder = make_project(images=4)
    write_settings(folder / STORE_NAME / "project.json", ProjectSettings(scheme=PET))
    return folder


def _counted(dialog, qtbot):
    qtbot.waitUntil(lambda: "Counting" not in dialog.sentence.text())


def _choose(dialog, preset):
    dialog.preset_box.setCurrentIndex(dialog.preset_box.findData(preset))


def _type(dialog, qtbot, option, text):
    line = dialog.options.fields[option].control
    assert isinstance(line, QLineEdit)
    line.clear()
    qtbot.keyClicks(line, text)


def _make_tiny(dialog, qtbot):
    """Settings that are measured in a moment."""
    _choose(dialog, "custom")
    for option, value in TINY.items():
        dialog.options.fields[option].control.setValue(value)
    _counted(dialog, qtbot)


def _pixels(dialog):
    return [frame.pixmap().toImage() for frame in dialog.pictures.frames]


def test_the_dialog_says_what_will_happen(dialog_of, make_project):
    folder = make_project(images=12)
    _, dialog = dialog_of(folder)
    project = open_project(folder)
    split = list(project.split(project.names).values())
    train, val = split.count("train"), split.count("val")
    words = f"Starts from PetSeg default, 12 approved masks: {train} train, {val} val, "
    assert dialog.sentence.text().startswith(words)
    assert f"{dialog.size_box.value()}\u00a0px" in dialog.sentence.text()
    assert dialog.start_button.isEnabled()


def test_the_train_command_opens_the_dialog(open_window, make_project, qtbot):
    parts = open_window(make_project(images=2))
    parts.actions["train"].trigger()
    found = parts.window.findChildren
    qtbot.waitUntil(lambda: any(d.isVisible() for d in found(TrainingDialog)))
    load_and_open_dialog(parts)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert len(found(TrainingDialog)) == 1


def test_its_buttons_stay_on_the_screen_when_it_grows(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=4))
    screen = dialog.screen().availableGeometry()
    dialog.move(dialog.x(), screen.bottom() - 300)
    dialog.advanced.heading.click()
    assert screen.contains(dialog.geometry())


def test_a_field_stays_in_sight_while_it_is_told_to_be_wrong(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4))
    dialog.several.heading.click()
    line = dialog.grid.lines["epochs"]
    line.setFocus()
    qtbot.keyClicks(line, "x")
    assert "must be a whole number" in dialog.problem.text()
    assert line.visibleRegion().boundingRect() == line.rect()


def test_no_mask_is_said_in_the_dialog_and_start_is_disabled(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=2, masked=0))
    assert "No approved mask" in dialog.problem.text()
    assert not dialog.problem.isHidden()
    assert not dialog.start_button.isEnabled()


def test_edited_masks_train_only_when_ticked_and_never_the_open_image(
    dialog_of, make_project, qtbot
):
    folder = make_project(images=8)
    project = open_project(folder)
    for name in ("animal-0.png", "animal-1.png", "animal-2.png"):
        project.add_review(Review(name, Status.EDITED))
    _, dialog = dialog_of(folder)
    assert "5 approved masks" in dialog.sentence.text()
    assert dialog.edited_box.text() == "Also use 2 edited masks"
    assert not dialog.edited_box.isChecked()
    dialog.edited_box.setChecked(True)
    qtbot.waitUntil(lambda: "7 masks" in dialog.sentence.text())


def test_approving_changes_the_open_dialog(dialog_of, make_project, go_to, qtbot):
    parts, dialog = dialog_of(make_project(images=4, masked=3))
    assert "3 approved masks" in dialog.sentence.text()
    go_to(parts, "animal-3.png")
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: "4 approved masks" in dialog.sentence.text())


def test_only_what_was_asked_last_is_counted_and_nothing_once_it_is_closed(qtbot):
    tasks, asked = Tasks(), []

    def ask(question, take):
        asked.append(tasks.run(Lane.TRAIN, lambda job: None, take))
        return asked[-1]

    dialog = TrainingDialog(ask)
    qtbot.addWidget(dialog)
    dialog.show()
    _choose(dialog, "baseline")
    *former, last = asked
    assert former
    assert all(task.cancelled.is_set() for task in former)
    assert not last.cancelled.is_set()
    dialog.close()
    assert last.cancelled.is_set()
    tasks.close()


def test_tab_goes_through_the_options_from_top_to_bottom(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4))
    dialog.advanced.heading.click()
    dialog.advanced.heading.setFocus()
    seen = [dialog.advanced.heading]
    while seen[-1] is not dialog.several.heading and len(seen) < 100:
        QApplication.sendEvent(dialog, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Tab, _NO_KEYS))
        seen.append(dialog.focusWidget())
    heights = [widget.mapTo(dialog, QPoint()).y() for widget in seen]
    assert heights == sorted(heights)
    enabled = [f for f in dialog.options.fields.values() if f.control.isEnabled()]
    assert len(seen) > len(enabled) - 3


def test_a_preset_sets_its_options_and_start(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=4))
    _choose(dialog, "baseline")
    assert dialog.preset_text.text() == PRESETS["baseline"].text
    assert dialog.size_box.value() == 128
    assert dialog.start_box.currentData() == "scratch"
    starts = [dialog.start_box.itemData(i) for i in range(dialog.start_box.count())]
    assert starts == ["bundled", "scratch"]
    _choose(dialog, "transfer")
    assert dialog.start_box.currentData() == "imagenet"
    assert dialog.options.read()[0] == make_config("transfer")


def test_a_read_only_folder_is_told_what_to_do(dialog_of, make_project):
    folder = make_project(images=4)
    os.chmod(folder, 0o555)
    try:
        _, dialog = dialog_of(folder)
        assert "Keep masks elsewhere" in dialog.problem.text()
        assert dialog.sentence.text() == "No training can start here."
        assert not dialog.start_button.isEnabled()
    finally:
        os.chmod(folder, 0o755)


# Options


def test_every_option_has_a_field_that_explains_it(dialog_of, pets):
    _, dialog = dialog_of(pets)
    fields = dialog.options.fields
    assert set(fields) == set(TrainConfig.model_fields) - {"preset", "start"}
    for name, field in fields.items():
        described = TrainConfig.model_fields[name].description
        assert described in field.control.toolTip()
        assert field.control.whatsThis() == described
        assert field.control.accessibleName() == field.title
        assert field.label.buddy() is field.control
        assert field.isAncestorOf(field.control)
    dialog.advanced.heading.click()
    assert all(field.isVisible() for field in fields.values())


@pytest.mark.parametrize(
    ("option", "text", "reason"),
    [
        ("learning_rate", "1e-x", "Must be a number, such as 0.001 or 1e-3."),
        ("learning_rate", "0", "Must be more than 0."),
        ("learning_rate", "nan", "Must be at most 10."),
        ("weight_decay", "2", "Must be at most 1."),
        ("weight_decay", "-1", "Must be at least 0."),
        ("dropout", "1", "Must be less than 1."),
    ],
)
def test_a_wrong_value_is_marked_at_its_field(dialog_of, make_project, qtbot, option, text, reason):
    _, dialog = dialog_of(make_project(images=4))
    _choose(dialog, "custom")
    _counted(dialog, qtbot)
    field = dialog.options.fields[option]
    _type(dialog, qtbot, option, text)
    assert (field.reason.text(), field.reason.isHidden()) == (reason, False)
    assert dialog.problem.text() == f"{field.title}: {reason}"
    assert not dialog.start_button.isEnabled()
    _type(dialog, qtbot, option, "0.5")
    assert field.reason.isHidden()
    assert dialog.problem.isHidden()
    assert dialog.start_button.isEnabled()


def test_what_was_changed_is_marked_and_reset_brings_the_preset_back(
    dialog_of, make_project, qtbot
):
    _, dialog = dialog_of(make_project(images=4))
    before = dialog.options.read()[0]
    dialog.epochs_box.setValue(33)
    _type(dialog, qtbot, "learning_rate", "5e-2")
    changed = [n for n, f in dialog.options.fields.items() if f.label.font().bold()]
    assert changed == ["epochs", "learning_rate"]
    told = dialog.epochs_box.accessibleDescription()
    assert told.startswith("Changed from the preset")
    dialog.options.reset_button.click()
    assert dialog.options.read()[0] == before
    assert not any(f.label.font().bold() for f in dialog.options.fields.values())


def test_another_starting_point_keeps_what_a_person_changed(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=4))
    dialog.epochs_box.setValue(33)
    dialog.start_box.setCurrentIndex(dialog.start_box.findData("scratch"))
    dialog.start_box.activated.emit(dialog.start_box.currentIndex())
    wanted = make_config("quick", start="scratch", epochs=33)
    assert dialog.options.read()[0] == wanted.model_copy(
        update={"preset": "quick", "start": "scratch"}
    )


@pytest.mark.parametrize(
    ("preset", "off", "on"),
    [
        ("quick", {"encoder", "width", "attention", "weights"}, {"encoder_rate", "start_share"}),
        ("baseline", {"encoder_rate", "weights", "start_share"}, {"encoder", "width", "attention"}),
        ("transfer", {"width", "depth", "norm", "dropout"}, {"encoder", "encoder_rate", "weights"}),
    ],
)
def test_options_that_do_not_apply_are_greyed(dialog_of, make_project, preset, off, on):
    _, dialog = dialog_of(make_project(images=4))
    _choose(dialog, preset)
    enabled = {n for n, f in dialog.options.fields.items() if f.control.isEnabled()}
    assert enabled & (off | on) == on
    assert all(
        "Only for" in tip or "own network" in tip
        for tip in (dialog.options.fields[n].control.toolTip() for n in off)
    )


def test_a_loss_that_does_not_suit_the_classes_is_marked(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4, scheme=BIRDS, change=lambda m: m * 3))
    assert dialog.problem.isHidden()
    _choose(dialog, "custom")
    _counted(dialog, qtbot)
    field = dialog.options.fields["loss"]
    assert "choose Cross-entropy and Dice" in field.reason.text()
    assert not dialog.start_button.isEnabled()
    field.control.setCurrentIndex(field.control.findData("ce_dice"))
    assert field.reason.isHidden()
    assert dialog.start_button.isEnabled()


def test_a_wheel_that_scrolls_the_form_changes_nothing(dialog_of, make_project):
    _, dialog = dialog_of(make_project(images=4))
    before = dialog.epochs_box.value()
    dialog.preset_box.setFocus()
    centre = QPointF(dialog.epochs_box.rect().center())
    event = QWheelEvent(
        centre,
        dialog.epochs_box.mapToGlobal(centre),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(dialog.epochs_box, event)
    assert event.type() is QEvent.Type.Wheel
    assert dialog.epochs_box.value() == before


def test_a_starting_model_that_is_gone_is_told(dialog_of, make_project, make_model, tmp_path):
    _, dialog = dialog_of(make_project(images=4))
    gone = tmp_path / "gone.safetensors"
    described = read_description(make_model())
    dialog.set_models([ModelEntry(gone, "Gone", described)])
    dialog.start_box.setCurrentIndex(dialog.start_box.findData(str(gone)))
    dialog.start_box.activated.emit(dialog.start_box.currentIndex())
    assert "gone.safetensors" in dialog.problem.text()
    assert not dialog.start_button.isEnabled()


# Time and pictures


def test_time_and_pictures_come_from_a_process_that_ends_with_the_dialog(
    dialog_of, make_project, qtbot
):
    _, dialog = dialog_of(make_project(images=6))
    _make_tiny(dialog, qtbot)
    assert "measuring the time" in dialog.sentence.text()
    qtbot.waitUntil(lambda: "on this CPU" in dialog.sentence.text(), timeout=120_000)
    first = _pixels(dialog)
    assert not any(image.isNull() for image in first)
    # More epochs take longer, and need no new measurement.
    before = dialog.sentence.text()
    dialog.epochs_box.setValue(5000)
    assert not dialog.rehearsal.measuring
    assert "on this CPU" in dialog.sentence.text()
    assert dialog.sentence.text() != before
    dialog.pictures.again_button.click()
    qtbot.waitUntil(lambda: _pixels(dialog)[0] != first[0], timeout=60_000)
    # Other options are measured anew.
    dialog.size_box.setValue(64)
    assert "measuring the time" in dialog.sentence.text()
    dialog.reject()
    assert not dialog.rehearsal.measuring  # the fixtures see that no process is left


def test_without_a_measurement_the_words_stay_and_a_start_is_possible(
    dialog_of, make_project, qtbot
):
    _, dialog = dialog_of(make_project(images=6))
    _make_tiny(dialog, qtbot)
    qtbot.waitUntil(lambda: dialog.rehearsal.process_id > 0, timeout=60_000)
    os.kill(dialog.rehearsal.process_id, signal.SIGKILL)
    qtbot.waitUntil(lambda: not dialog.rehearsal.measuring, timeout=60_000)
    assert dialog.sentence.text().endswith("32\u00a0px.")
    assert dialog.start_button.isEnabled()


def test_masks_that_are_approved_meanwhile_end_no_measurement(
    dialog_of, make_project, go_to, qtbot
):
    parts, dialog = dialog_of(make_project(images=8, masked=7))
    _make_tiny(dialog, qtbot)
    qtbot.waitUntil(lambda: dialog.rehearsal.process_id > 0, timeout=60_000)
    process = dialog.rehearsal.process_id
    go_to(parts, "animal-7.png")
    parts.actions["approve"].trigger()
    qtbot.waitUntil(lambda: "8 approved masks" in dialog.sentence.text())
    assert dialog.rehearsal.process_id == process


def test_while_a_training_is_under_way_nothing_is_measured_and_a_new_one_queues(
    dialog_of, make_project, qtbot
):
    _, dialog = dialog_of(make_project(images=6))
    assert dialog.start_button.text() == "Start training"
    dialog.set_busy(True)
    assert dialog.start_button.text() == "Add to queue"
    assert dialog.start_button.isEnabled()
    assert not dialog.rehearsal.measuring
    assert "measuring" not in dialog.sentence.text()
    dialog.set_busy(False)
    assert dialog.rehearsal.measuring


# Starting


def _wish(dialog, qtbot, act):
    dialog.start_wanted.disconnect()
    with qtbot.waitSignal(dialog.start_wanted) as caught:
        act()
    return caught.args[0]


def test_start_hands_over_what_was_set(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4))
    dialog.epochs_box.setValue(3)
    dialog.size_box.setValue(64)
    wish = _wish(dialog, qtbot, dialog.start_button.click)
    (cell,) = wish.cells
    assert cell.config == make_config("quick", epochs=3, size=64)
    assert len(wish.plan.train) + len(wish.plan.val) == 4
    assert wish.also is None
    assert not dialog.isVisible()


@pytest.mark.parametrize("option", ["epochs", "learning_rate", "loss"])
def test_enter_starts_from_any_field_and_escape_closes(dialog_of, make_project, qtbot, option):
    parts, dialog = dialog_of(make_project(images=4))
    dialog.advanced.heading.click()
    field = dialog.options.fields[option].control
    field.setFocus()
    wish = _wish(dialog, qtbot, lambda: qtbot.keyClick(field, Qt.Key.Key_Return))
    assert len(wish.cells) == 1
    open_dialog(parts)
    assert dialog.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_lists_of_values_become_several_trainings(dialog_of, make_project, qtbot):
    _, dialog = dialog_of(make_project(images=4))
    dialog.several.heading.click()
    qtbot.keyClicks(dialog.grid.lines["learning_rate"], "1e-3, 3e-4")
    qtbot.keyClicks(dialog.grid.lines["epochs"], "2,4,8")
    assert dialog.grid.summary.text().startswith("6 trainings")
    assert dialog.start_button.text() == "Start 6 trainings"
    dialog.set_busy(True)
    assert dialog.start_button.text() == "Add 6 to queue"
    wish = _wish(dialog, qtbot, dialog.start_button.click)
    made = {(cell.config.learning_rate, cell.config.epochs) for cell in wish.cells}
    assert made == {(rate, epochs) for rate in (1e-3, 3e-4) for epochs in (2, 4, 8)}


@pytest.mark.parametrize(
    ("option", "text"), [("batch", "8, many"), ("size", "7"), ("epochs", ",".join("123456789" * 9))]
)
def test_a_wrong_list_is_told_and_nothing_starts(dialog_of, make_project, qtbot, option, text):
    _, dialog = dialog_of(make_project(images=4))
    dialog.several.heading.click()
    qtbot.keyClicks(dialog.grid.lines["learning_rate"], "1e-3, 2e-3, 3e-4")
    qtbot.keyClicks(dialog.grid.lines[option], text)
    assert dialog.grid.summary.text()
    assert not dialog.start_button.isEnabled()
    dialog.grid.lines[option].clear()
    dialog.grid.lines[option].textEdited.emit("")
    assert dialog.start_button.isEnabled()


def test_a_further_folder_is_counted_and_learnt_from(dialog_of, make_project, qtbot):
    folder = make_project(images=4)
    other = make_project(images=5, folder="others", first_seed=20)
    parts, dialog = dialog_of(folder)
    dialog.also_line.set_folder(other)
    qtbot.waitUntil(lambda: "5 more from others" in dialog.sentence.text())
    _make_tiny(dialog, qtbot)
    made = []
    parts.training.launch = lambda project, make: made.extend(make())
    dialog.start_button.click()
    (run,) = made
    config = read_run_config(run)
    assert [Path(s.folder) for s in config.sources] == [folder, other]
    assert sum(s.source == 1 for s in config.train_samples) == 5
    assert config.train.size == 32


@pytest.mark.parametrize(
    ("choose", "reason"),
    [
        (lambda own, make: own, "trained on already"),
        (lambda own, make: make(images=2, masked=0, folder="bare"), "no approved mask"),
        (lambda own, make: own / "nowhere", "nowhere"),
        (lambda own, make: make(folder="birds", scheme=BIRDS, change=lambda m: m * 3), "class 3"),
    ],
    ids=["the same", "no masks", "not there", "other classes"],
)
def test_a_further_folder_of_no_use_says_why(dialog_of, make_project, qtbot, choose, reason):
    folder = make_project(images=4)
    _, dialog = dialog_of(folder)
    dialog.also_line.set_folder(choose(folder, make_project))
    qtbot.waitUntil(lambda: reason in dialog.also_line.note.text())
    wish = _wish(dialog, qtbot, dialog.start_button.click)
    assert wish.also is None


def test_drawn_animals_are_offered_where_the_classes_fit(dialog_of, pets, qtbot):
    _, dialog = dialog_of(pets)
    field = dialog.options.fields["replay"]
    assert field.isVisible()
    field.control.setValue(20)
    assert "20 drawn animals" in dialog.sentence.text()
    assert _wish(dialog, qtbot, dialog.start_button.click).cells[0].config.replay == 20


def test_drawn_animals_are_not_offered_for_other_classes(dialog_of, make_project):
    scheme = scheme_of("custom", ["background", "cell"])
    _, dialog = dialog_of(make_project(images=4, scheme=scheme))
    assert not dialog.options.fields["replay"].isVisible()
