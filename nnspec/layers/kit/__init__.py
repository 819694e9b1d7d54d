"""The tools that layers are built with; no layers are defined here.

`base` is the class and `facets` what a kind may say beside; `args` are its arguments, `call` is one use of it with its
faults, `inferred` what comes of that. The rest are rules that families share.
"""
