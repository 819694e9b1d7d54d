"""Checks of the network beside its data: sizes, ids, units, padding, scaling, and which rows are for training."""
