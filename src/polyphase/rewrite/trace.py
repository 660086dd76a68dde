"""What a layer that is a class does: it runs once, and which layers it calls is remembered.

Its code is Python, which has no graph. But every layer that it calls is called through Keras, and
the functions that resize are known: both are watched while the layer runs on noise, in this thread
only. A tensor that one call returns and another takes is the very same object.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import tree

from polyphase.rewrite.code import runs_code

Tensor = Any
# Functions that make images larger: name, module that holds them, and their name there.
_RESIZES = (
    ("keras.ops.image.resize", "keras.ops.image", "resize"),
    ("keras.ops.repeat", "keras.ops", "repeat"),
    ("tf.image.resize", "tensorflow.image", "resize"),
    ("torch.nn.functional.interpolate", "torch.nn.functional", "interpolate"),
    ("jax.image.resize", "jax.image", "resize"),
)


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer.

    Attributes:
        layer: who was called.
        path: the names of those who called it, outermost first, and its own.
        inputs: the tensors that it was given.
        outputs: those that it returned.
        inner: whether it called layers itself.
    """

    layer: keras.Layer
    path: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    inner: bool


@dataclass(frozen=True, eq=False)
class Resize:
    """One call of a function that made an image larger, by the code of a class.

    Attributes:
        layer: whose code it is.
        path: its place, as a call's.
        function: the function's name.
        before: the image's shape; `after`: the result's.
    """

    layer: keras.Layer
    path: str
    function: str
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(eq=False)
class Trace:
    """What happened while a layer ran, the last time that it did.

    Attributes:
        calls: of all layers inside, in the order in which they ended; last, its own.
        resizes: of images, by code.
    """

    calls: list[Call] = field(default_factory=list)
    resizes: list[Resize] = field(default_factory=list)
    _open: list[tuple[keras.Layer, str]] = field(default_factory=list)
    _busy: bool = False

    @property
    def complete(self) -> bool:
        """Whether the layer ran to its end."""
        return bool(self.calls) and "/" not in self.calls[-1].path


_KERAS = keras.Layer.__call__
_LOCK = threading.Lock()
_THREADS: dict[int, tuple[keras.Layer, Trace]] = {}


@contextlib.contextmanager
def traced(owner: keras.Layer) -> Iterator[Trace]:
    """Watch a layer: what it does when it is called within the context, in this thread.

    Example:
        >>> inner = keras.layers.UpSampling2D(name="up")
        >>> outer = keras.Sequential([inner], name="outer")
        >>> with traced(outer) as trace:
        ...     _ = outer(keras.ops.ones((1, 2, 2, 1)))
        >>> [call.path for call in trace.calls]
        ['outer/up', 'outer']
    """
    thread, trace = threading.get_ident(), Trace()
    with contextlib.ExitStack() as stack:
        with _LOCK:
            before = _THREADS.get(thread)
            _THREADS[thread] = (owner, trace)
            if len(_THREADS) == 1 and before is None:
                _patch()
        stack.callback(_leave, thread, before)
        yield trace


def _leave(thread: int, before: tuple[keras.Layer, Trace] | None) -> None:
    with _LOCK:
        if before:
            _THREADS[thread] = before
        else:
            del _THREADS[thread]
        if not _THREADS:
            _unpatch()


_PATCHED: list[tuple[Any, str, Any]] = []


def _patch() -> None:
    keras.Layer.__call__ = _call
    for name, module, attribute in _RESIZES:
        if module.partition(".")[0] in sys.modules:
            holder = _module(module)
            function = getattr(holder, attribute, None)
            if function is not None:
                _PATCHED.append((holder, attribute, function))
                setattr(holder, attribute, _watched(name, function))


def _unpatch() -> None:
    keras.Layer.__call__ = _KERAS
    while _PATCHED:
        setattr(*_PATCHED.pop())


def _module(name: str) -> Any:
    """Return a module, of those that are loaded lazily too."""
    first, *rest = name.split(".")
    found: Any = sys.modules[first]
    for part in rest:
        found = getattr(found, part, None)
    return found


def _call(self: keras.Layer, *args: Any, **kwargs: Any) -> Any:
    """As Keras' `Layer.__call__`, remembered."""
    owner, trace = _THREADS.get(threading.get_ident(), (None, None))
    symbolic = any(isinstance(one, keras.KerasTensor) for one in tree.flatten((args, kwargs)))
    if trace is None or symbolic or not (trace._open or self is owner):
        return _KERAS(self, *args, **kwargs)
    if not trace._open:  # it begins anew: only what it does last counts
        trace.calls.clear()
        trace.resizes.clear()
    path = f"{trace._open[-1][1]}/{self.name}" if trace._open else self.name
    trace._open.append((self, path))
    calls = len(trace.calls)
    try:
        result = _KERAS(self, *args, **kwargs)
    finally:
        trace._open.pop()
    inner = len(trace.calls) > calls
    trace.calls.append(Call(self, path, _tensors((args, kwargs)), _tensors(result), inner))
    return result


def _tensors(values: Any) -> list[Tensor]:
    return [one for one in tree.flatten(values) if keras.ops.is_tensor(one)]


def _watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        _, trace = _THREADS.get(threading.get_ident(), (None, None))
        if trace is None or trace._busy or not trace._open:
            return function(*args, **kwargs)
        trace._busy = True  # one function may call another
        try:
            result = function(*args, **kwargs)
        finally:
            trace._busy = False
        layer, path = trace._open[-1]
        before, after = (_shape(one) for one in ((args, kwargs), result))
        if runs_code(layer) and _larger(before, after, name):
            trace.resizes.append(Resize(layer, path, name, before, after))
        return result

    return watched


def _shape(values: Any) -> tuple[int, ...]:
    """Return the shape of the first tensor, whatever backend's it is."""
    shapes = (tuple(one.shape) for one in tree.flatten(values) if hasattr(one, "shape"))
    return next(shapes, ())


def _larger(before: tuple[int, ...], after: tuple[int, ...], name: str) -> bool:
    """Return whether an axis that may be one of an image's is longer; repeated channels are not."""
    if len(before) != len(after) or len(after) < 3:
        return False
    axes = range(1, len(after) - ("repeat" in name))
    return any(after[axis] > before[axis] for axis in axes)
