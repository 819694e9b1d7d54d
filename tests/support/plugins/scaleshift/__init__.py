"""A package of somebody's own that adds layers to nnspec by entry points. Importing it imports no framework."""
