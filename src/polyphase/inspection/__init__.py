"""What a model's layers cost."""

from polyphase.rewrite.cost import multiply_adds

__all__ = ["multiply_adds"]
