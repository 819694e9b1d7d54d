"""Tables as model input: one module a format; `matching` finds a model's columns in them and fills their gaps."""
