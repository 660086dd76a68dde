"""ONNX files folded: nodes are read as forms, the rules of layers apply, nodes are written."""

try:
    import onnx  # noqa: F401
    import onnx_ir  # noqa: F401
    import onnxscript  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"ONNX models are folded with onnxscript, which cannot be imported ({error}). "
        "Run: pip install 'polyphase[export]'"
    ) from error

from polyphase.rewrite.onnx.fold import fold_file, fold_model

__all__ = ["fold_file", "fold_model"]
