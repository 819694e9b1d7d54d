"""What moves values and computes nothing: Keras' own (`keras_layers`: Flatten, Reshape, Permute, RepeatVector) and the
verbs of nnspec (`verbs`).

`rules` says where each axis goes, `diagnose` finds scrambles, `fixes` mends them, `index_example` shows one.
"""
