"""The ways to compute an operation, all exactly equivalent; one file per way.

Each file has a function per operation that it can compute; a missing function says that the
way does not exist for that operation.
"""

from types import ModuleType

from polyphase.ops.lowerings import (
    difference,
    direct,
    native,
    patches,
    phases,
    reference,
    transpose,
)

LOWERINGS: dict[str, ModuleType] = {
    "reference": reference,
    "direct": direct,
    "phases": phases,
    "transpose": transpose,
    "difference": difference,
    "patches": patches,
    "native": native,
}
