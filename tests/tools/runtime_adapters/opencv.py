"""OpenCV's dnn module."""

import cv2
import numpy as np


def run(path, inputs, outputs):
    net = cv2.dnn.readNetFromONNX(str(path))
    for name, value in inputs.items():
        net.setInput(np.ascontiguousarray(value), name)
    return list(net.forward(outputs))
