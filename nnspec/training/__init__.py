"""Training: the fit, what runs during it, and its continuation after an interruption."""
