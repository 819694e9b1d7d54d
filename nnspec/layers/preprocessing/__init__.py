"""What makes numbers of raw values: words (`lookup`, `hashing`, `text_vectorization`, `encoding`, `discretization`) and
sound (`stft`, `mel_spectrogram`). `vocabulary` is the base of what knows words; `onnx_text` writes string operators.
"""
