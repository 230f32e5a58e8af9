"""Running released models: views of a film as the networks see it, bundles and their verification, onnxruntime."""
