"""Fitted networks elsewhere: as scikit-learn's, torch's and ONNX's, and in pickles."""
