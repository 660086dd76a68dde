"""The lowerings of the operations, all exactly equivalent; one per file.

Each file has a function per operation that it can compute.
"""

from types import ModuleType

from polyphase.ops.lowerings import (
    bands,
    blur,
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
    "blur": blur,
    "bands": bands,
    "native": native,
}
