"""`nnspec page`: one HTML file that runs a deployed model in the browser, without a network.

`web_runtime` has ONNX Runtime's build for browsers, `fields` the form by the file's metadata, `scripts` joins the
modules of the page, and `writing` puts all into one file.
"""
