"""Loads the framework without its greetings, which C++ writes past Python to standard error."""

from __future__ import annotations

import os
import sys
import tempfile


def load_framework() -> None:
    """Imports TensorFlow and Keras; what they print is shown only where the import fails."""
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        kept = None
    with tempfile.TemporaryFile() as heard:
        if kept is not None:
            sys.stderr.flush()
            os.dup2(heard.fileno(), 2)
        failed = True
        try:
            import keras
            import tensorflow

            tensorflow.constant(0)  # the devices are looked for at the first operation, with greetings of their own
            failed = keras is None
        finally:
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)
            if failed:
                heard.seek(0)
                sys.stderr.write(heard.read().decode(errors="replace"))
