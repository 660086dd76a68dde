"""The checkerboards that a model's upsampling layers make, what they cost, and their repair."""

from polyphase.inspection.found import readings_of
from polyphase.inspection.inspect import inspect
from polyphase.inspection.repair import repair
from polyphase.inspection.result import Inspection, Stage
from polyphase.inspection.unread import Unread
from polyphase.rewrite.cost import multiply_adds

__all__ = ["Inspection", "Stage", "Unread", "inspect", "multiply_adds", "readings_of", "repair"]
