"""What works on every value by itself: `activations`, `masking`, and `regularization`, which acts in training alone."""
