"""Layers that Keras lacks or gets wrong; their registered names stay, since saved models hold them."""
