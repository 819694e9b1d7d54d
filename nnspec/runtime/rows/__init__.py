"""How rows become samples: columns, their order, windows over them, and what came before."""
