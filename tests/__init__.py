"""Tests, and the tools and benchmarks that need more time than a test may take."""

import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as nnspec sets it, for what imports Keras before nnspec
