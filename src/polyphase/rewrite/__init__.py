"""Rewrite a model into another one that computes the same at a lower cost."""

from polyphase.rewrite.cost import Cost, multiply_adds
from polyphase.rewrite.fold import fold
from polyphase.rewrite.fold_onnx import fold_onnx
from polyphase.rewrite.onnx_report import OnnxReport
from polyphase.rewrite.report import Finding, Report
from polyphase.rewrite.to_upsampling import to_upsampling

__all__ = [
    "Cost",
    "Finding",
    "OnnxReport",
    "Report",
    "fold",
    "fold_onnx",
    "multiply_adds",
    "to_upsampling",
]
