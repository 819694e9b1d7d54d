"""`nnspec lsp`: what the checker knows, in an editor. Needs the extra `lsp`; one idea a module, `server` wires them up.

Each feature is a function of what is known of a text (`Survey`) and a place in it; `lsprotocol` gives the types.
"""
