"""`python -m nnspec` is `nnspec`."""

from nnspec.cli import entry

if __name__ == "__main__":
    entry()
