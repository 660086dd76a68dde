"""Import a package that only the workbench needs, or say how to install it."""

import importlib
from types import ModuleType


def import_workbench(module: str, package: str, purpose: str) -> ModuleType:
    """Return an imported module of an optional package.

    Args:
        module: what to import, such as "PIL.Image".
        package: the name of the package, such as "Pillow".
        purpose: what needs it, for the message.

    Raises:
        ImportError: if it is not installed.

    Example:
        >>> import_workbench("json", "json", "This example").__name__
        'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs {package}. Run: pip install 'polyphase[workbench]'"
        ) from error
