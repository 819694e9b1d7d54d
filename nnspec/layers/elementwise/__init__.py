"""Elementwise layers: `activations`, `masking`, and `regularization`, which is active only in training."""
