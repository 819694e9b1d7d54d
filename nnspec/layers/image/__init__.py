"""What images go through before a network: `resizing`, `contrast`, `clahe`, and the augmentations (`augment_color`,
`augment_geometry`, `augment_mixed`), which act in training alone.

`base` has their axes; `linear_maps` is a helper of the lowerings.
"""
