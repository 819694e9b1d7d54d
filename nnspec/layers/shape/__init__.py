"""What moves values and computes nothing: Keras' own (`keras_layers`: Flatten, Reshape, Permute, RepeatVector) and the
axis operations of nnspec (`axis_operations`).

`rules` says where each axis goes, `diagnose` finds scrambles, `fixes` repairs them, `index_example` shows one.
"""
