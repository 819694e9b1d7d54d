"""The intermediate representation: named axes, the graph, and analyses of the graph alone.

`axes` and `graph` are the language itself; `reshape` says what a reshape does to axes, `receptive_field` and
`causality` what a position depends on, `symbols` solves for unknown sizes. Nothing here knows YAML, a layer or a
framework.
"""
