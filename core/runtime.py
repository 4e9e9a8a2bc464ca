"""ONNX Runtime, told to keep to itself: to be imported from here, and from nowhere else.

From 1.31 on its wheels send Microsoft what processes and models they run, also on Linux, and keep
an id of the machine in the user's folders. Only a variable that is set before it is loaded stops
all of that (onnxruntime#27379); child processes inherit it.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as onnxruntime
