"""What makes an axis longer or shorter without weights: `padding` (and cropping) and `upsampling`."""
