"""`nnspec import`: a Keras model's configuration becomes a spec, its weights a file that the spec exports with.

config (JSON) -> calls of layers in order (`source`) -> items with named axes (`building`, `translate`, `naming`)
-> repeated structure as blocks and repeats (`fold`, `repeats`) -> YAML (`writing`). Only `importer` needs Keras.
"""
