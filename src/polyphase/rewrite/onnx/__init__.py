"""ONNX files folded: nodes are read as forms, the rules of layers apply, nodes are written."""
