"""From a flat list of layers to a graph with named axes.

`elaborate` goes through the layers in order, `node` asks a layer what it makes of its inputs, `outputs` adds the
outputs with their tasks; `unused` finds what leads nowhere, `places` where an axis in a fault was declared.
"""
