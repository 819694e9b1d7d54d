LAYERS = ()
