"""Layers without weights that make an axis longer or shorter.

`padding` has ZeroPadding and Cropping, `upsampling` UpSampling; `pad` is the axis operation for any axes.
"""
