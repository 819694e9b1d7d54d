"""What a layer is made of, whatever its family; no kinds live here.

`base` is the class, `args` its arguments, `call` one use of it with its faults; the rest are rules that families share.
"""
