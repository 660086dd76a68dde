"""What a model's layers cost."""

from polyphase.inspection.cost import multiply_adds

__all__ = ["multiply_adds"]
