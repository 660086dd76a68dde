"""Configure, train, measure and compare models, in run folders."""

from polyphase.workbench.comparison import Progress, compare, shown_images
from polyphase.workbench.config import ConfigError, Contender, check, contender, record
from polyphase.workbench.results import Comparison, Epoch, Trial
from polyphase.workbench.runs import default_folder, run_folder
from polyphase.workbench.training import train

__all__ = [
    "Comparison",
    "ConfigError",
    "Contender",
    "Epoch",
    "Progress",
    "Trial",
    "check",
    "compare",
    "contender",
    "default_folder",
    "record",
    "run_folder",
    "shown_images",
    "train",
]
