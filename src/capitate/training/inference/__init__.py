"""What the inference-speed tool needs torch and onnx for: networks, their costs, 8-bit files, and torch itself."""
