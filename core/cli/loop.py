"""The whole loop without a screen, on the demo: segment, train, segment again."""

from __future__ import annotations

from pathlib import Path

from core.cli.evaluate import Asked, Files, evaluate_command
from core.cli.follow import follow_run
from core.cli.output import open_for_cli, say
from core.cli.predict import predict_command
from core.cli.together import Together
from core.cli.train import new_run
from core.inference.catalogue import RUN_MODEL
from core.inference.options import PredictOptions
from core.labels import BorderRule

_EPOCHS = 2


def run_loop(folder: Path) -> int:
    """Segment with the bundled model, train on the masks, segment with the new model."""
    code = _segment(folder, "", folder / "segmented" / "before")
    if code:
        return code
    say(f"\nTraining {_EPOCHS} epochs on the masks")
    run = new_run(open_for_cli(folder), "quick", {"epochs": _EPOCHS})
    code = follow_run(run) or _segment(folder, str(run / RUN_MODEL), folder / "segmented" / "after")
    say(f"\nOverlay pictures: {folder / 'segmented'}/before and /after")
    return code


def _segment(folder: Path, model: str, out: Path) -> int:
    say(f"\nSegmenting with {model or 'the bundled model'}")
    rule = BorderRule.FOREGROUND
    once = Together(anew=True)  # the loop may have run here before
    code = predict_command([folder], out, model, PredictOptions(), "", True, rule, None, once)
    return code or evaluate_command(folder, Asked(model, border=rule), Files(), None, None)
