"""`nnspec import`: converts a Keras model's configuration to a spec, and its weights to a file.

config (JSON) -> calls of layers in order (`source`) -> items with named axes (`build_spec`, `translate`, `naming`)
-> repeated structure as blocks and repeats (`fold_repeats`, `repeats`) -> YAML (`writing`).
Only `importer` needs Keras.
"""
