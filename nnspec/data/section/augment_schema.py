"""The JSON Schema of `augment`: Keras' augmentations of images, by their names and arguments."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")
FILL_MODES = ("constant", "nearest", "wrap", "reflect")


def _range(description: str, least: float = -1) -> Schema:
    bounds: Schema = {"minimum": least, "maximum": 1}
    items: Schema = {"type": "number", **bounds}
    return {
        "type": ["number", "array"],
        **bounds,
        "items": items,
        "minItems": 2,
        "maxItems": 2,
        "description": f"{description} A number: up to this much in both directions; a list: from the first to the "
        f"second.",
    }


_FILLING: dict[str, Schema] = {
    "fill_mode": {
        "type": "string",
        "enum": list(FILL_MODES),
        "default": "reflect",
        "description": "How to fill beyond the edge: reflect (c b a | a b c), constant (`fill_value`; of a mask its "
        "first class), wrap, or nearest (the last pixel).",
    },
    "fill_value": {"type": "number", "default": 0.0, "description": "The fill value of `fill_mode: constant`."},
    "interpolation": {
        "type": "string",
        "enum": ["bilinear", "nearest"],
        "default": "bilinear",
        "description": "Interpolation method; masks always use the nearest pixel.",
    },
}


def _moves(
    description: str, arguments: dict[str, Schema], required: list[str], *, takes_factor: bool = False
) -> Schema:
    found: Schema = {
        "type": ["number", "array", "object"] if takes_factor else "object",
        "description": description,
        "properties": {**arguments, **_FILLING},
        "required": required,
        "additionalProperties": False,
    }
    if takes_factor:  # the main argument alone
        number = _range("")
        found |= {key: number[key] for key in ("minimum", "maximum", "items", "minItems", "maxItems")}
    return found


_PIXELS: Schema = {"type": "integer", "minimum": 1, "description": "In pixels."}

KINDS: dict[str, Schema] = {
    "RandomFlip": {
        "type": ["string", "object"],
        "description": "Mirrored at random: left to right (`horizontal`), top to bottom (`vertical`), or both.",
        "if": {"type": "string"},
        "then": {"enum": list(FLIPS)},
        "properties": {
            "mode": {
                "type": "string",
                "enum": list(FLIPS),
                "default": FLIPS[-1],
                "description": "The direction; `horizontal_and_vertical`: each at random.",
            }
        },
        "additionalProperties": False,
    },
    "RandomRotation": _moves(
        "Rotated by a random angle; counter-clockwise is positive.",
        {"factor": _range("The angle as a fraction of a full turn.")},
        ["factor"],
        takes_factor=True,
    ),
    "RandomTranslation": _moves(
        "Shifted by a random distance; down and to the right is positive.",
        {
            "height_factor": _range("The shift as a fraction of the height."),
            "width_factor": _range("The shift as a fraction of the width."),
        },
        ["height_factor", "width_factor"],
    ),
    "RandomZoom": _moves(
        "Zoomed by a random amount; out is positive.",
        {
            "height_factor": _range("The amount by height.", -0.99),
            "width_factor": _range("The amount by width; default: as by height.", -0.99),
        },
        ["height_factor"],
        takes_factor=True,
    ),
    "RandomCrop": {
        "type": "object",
        "description": "A random crop of this many pixels, resized to the size of the image.",
        "properties": {"height": _PIXELS, "width": _PIXELS, "interpolation": _FILLING["interpolation"]},
        "required": ["height", "width"],
        "additionalProperties": False,
    },
}

AUGMENT: Schema = {
    "type": "array",
    "description": "Random changes of the training samples, drawn again for each sample and epoch: an image and its "
    "mask (every input and output with height and width) are changed in the same way. Names and "
    "arguments are those of Keras' layers. Other splits and the deployed model are not changed.",
    "items": {
        "type": ["string", "object"],
        "description": "A change of images, with its arguments.",
        "if": {"type": "string"},
        "then": {"enum": ["RandomFlip"]},
        "properties": KINDS,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    },
    "minItems": 1,
}
