"""Doc strings of a file, of its inputs and outputs and of its nodes, which viewers such as Netron show.

They depend on the spec and the metadata alone, so that a file that is built again has the same bytes; each is bounded.
"""
