"""Checks of how a network is trained: losses, metrics, optimizers, callbacks, backends, workers."""
