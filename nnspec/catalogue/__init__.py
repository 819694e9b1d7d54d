"""Keras objects besides layers, and the entry points of other installed packages.

`keras_objects` knows optimizers, losses, metrics, initializers and the like from catalogue.json, which `generate`
writes (`python -m nnspec.catalogue.generate`); `losses` says which loss reads which output; `entry_points` lists
packages.
"""
