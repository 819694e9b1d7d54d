"""`nnspec lsp`: the language server. Needs the extra `lsp`; one feature per module, `server` connects them.

Each feature is a function of what is known of a text (`Survey`) and a place in it; `lsprotocol` gives the types.
"""
