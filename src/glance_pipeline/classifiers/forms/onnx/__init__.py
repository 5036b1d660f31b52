"""ONNX files, read without running anything in them but the network."""
