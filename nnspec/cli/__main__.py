from nnspec.cli import entry

entry()
