"""Tensors of a capture: on the CPU while that is cheap, and else on ``meta``, where they have a shape and no values.

A launch that is not made writes nothing: what would be read of its outputs counts for nothing either. So a capture
need not compute what is large; only sizes, types and addresses decide how kernels are specialized.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

from ..launch import redirect, standins

#: Elements from which a tensor has no values, and multiplications from which a result has none.
LARGE = 1 << 24
COSTLY = 1 << 28

#: Ask a tensor for what it has without values as well.
_ASKING = frozenset({"__get__", "size", "stride", "dim", "numel", "is_contiguous", "element_size", "storage_offset"})
#: Tell a tensor's values to code that is not torch's.
_READING = frozenset({"item", "tolist", "numpy", "__array__", "__bool__", "__float__", "__int__", "__index__"})
#: What backward calls name the gradients that they are given.
_GRADIENTS = ("gradient", "grad_tensors", "grad_outputs")
#: Of what ``torch.empty`` and its kin give, nothing is random.
_UNFILLED = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"})


def sparing() -> Any:
    """The mode. ``mode.has_no_values`` is whether any tensor had none so far.

    ``mode.reads`` is how often the code has read a tensor's values while values were ``mode.missing()``.
    """
    import torch

    Base: Any = type(redirect.cuda_on_cpu())
    tensor: Any = torch.Tensor
    is_meta = tensor.is_meta.__get__
    # They tell graphs by the very tensors that they are given.
    of_graphs = (
        tensor.backward,
        torch.autograd.backward,
        torch.autograd.grad,
        tensor.register_hook,
        tensor.retain_grad,
    )

    class OntoMeta(torch.autograd.Function):
        """The same tensor without values; its gradient has none either, and the leaf before needs some."""

        @staticmethod
        def forward(context: Any, given: Any) -> Any:
            return given.to("meta")

        @staticmethod
        def backward(context: Any, gradient: Any) -> Any:  # type: ignore[override, unused-ignore]
            return torch.zeros(gradient.shape, dtype=gradient.dtype)

    class Sparing(Base):  # type: ignore[misc, unused-ignore]
        has_no_values = False
        reads = 0
        missing: Callable[[], bool] = staticmethod(standins.answering(False))

        def call(self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any], given: list[Any]) -> Any:
            name = getattr(function, "__name__", "")
            if function == is_meta:
                return False
            if not given:
                return self.make(name, function, arguments, named)
            if name in _READING and self.missing():
                self.reads += 1
            if function in of_graphs:
                return with_gradients_alike(function, arguments, named, 2 if name == "grad" else 1)
            if any(one.is_meta for one in given) or is_costly(name, arguments, given):
                return self.without_values(name, function, arguments, named)
            return filled(name, function(*arguments, **named))

        def make(self, name: str, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            """Call what may make a tensor of numbers alone."""
            sizes = [item for value in (*arguments, named.get("size")) for item in redirect.flat_integers(value)]
            if math.prod(size for size in sizes if size > 0) > LARGE:
                with contextlib.suppress(Exception):  # it takes no device
                    made = function(*arguments, **{**redirect.without(named, "generator"), "device": "meta"})
                    if isinstance(made, torch.Tensor) and made.numel() > LARGE:
                        self.has_no_values = True
                        return made
            return filled(name, function(*arguments, **named))

        def without_values(self, name: str, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
            self.has_no_values = True
            if name == "data_ptr":
                one = arguments[0]
                return one.storage_offset() * one.element_size()
            originals: dict[int, Any] = {}

            def onto_meta(one: Any) -> Any:
                if one.is_meta or (one.dim() == 0 and not one.requires_grad):
                    return one
                converted = OntoMeta.apply(one) if one.requires_grad and torch.is_grad_enabled() else one.to("meta")
                originals[id(converted)] = one, converted
                return converted

            try:
                if name in _ASKING:
                    return function(*arguments, **named)
                result = function(
                    *redirect.changed(on_meta(arguments), onto_meta), **redirect.changed(on_meta(named), onto_meta)
                )
            except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
                return self.with_made_values(error, function, arguments, named)
            return redirect.changed(result, lambda one: originals.get(id(one), (one,))[0])

        def with_made_values(
            self, error: Exception, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]
        ) -> Any:
            """For what needs values (``item``, ``nonzero``, ``numpy``): zeros, and true."""

            def valued(one: Any) -> Any:
                if not one.is_meta:
                    return one
                make = torch.ones if one.dtype == torch.bool else torch.zeros
                return make(one.shape, dtype=one.dtype)

            try:
                return function(*redirect.changed(arguments, valued), **redirect.changed(named, valued))
            except Exception:
                raise error from None

    return Sparing()


def with_gradients_alike(function: Any, arguments: tuple[Any, ...], named: dict[str, Any], place: int) -> Any:
    """Call backward with the gradients, at ``place`` or named, without values where the tensors have none."""
    roots = arguments[0] if arguments else next((named[name] for name in ("tensors", "outputs") if name in named), ())
    if len(arguments) > place:
        arguments = (*arguments[:place], alike(roots, arguments[place]), *arguments[place + 1 :])
    found = {name: alike(roots, named[name]) for name in _GRADIENTS if named.get(name) is not None}
    return function(*arguments, **{**named, **found})


def alike(roots: Any, given: Any) -> Any:
    if isinstance(given, tuple | list) and isinstance(roots, tuple | list):
        return [moved(one, is_on_meta(root)) for root, one in zip(roots, given, strict=False)]
    root = roots[0] if isinstance(roots, tuple | list) and roots else roots
    if isinstance(given, tuple | list):
        return [alike(root, one) for one in given]
    return moved(given, is_on_meta(root)) if hasattr(root, "is_meta") else given


def functions_of_the_user() -> list[standins.Replacement]:
    """``torch.autograd.Function`` takes all tensors without values or none, and gives gradients accordingly."""
    import torch
    from torch.autograd.function import BackwardCFunction, Function

    apply: Any = vars(Function)["apply"]
    backward: Any = BackwardCFunction.apply

    def applied(kind: Any, *arguments: Any, **named: Any) -> Any:
        result = apply.__get__(None, kind)(*arguments, **named)
        for made in redirect.tensors_in(result):
            node: Any = made.grad_fn
            if isinstance(node, BackwardCFunction):
                vars(node)["_irscope_on_meta"] = [
                    isinstance(one, torch.Tensor) and is_on_meta(one) for one in arguments
                ]
        return result

    def gradients(node: Any, *arguments: Any) -> Any:
        found = backward(node, *arguments)
        wanted = getattr(node, "_irscope_on_meta", None)
        if wanted is None:
            return found
        several = found if isinstance(found, tuple) else (found,)
        several = (
            tuple(moved(one, on_meta) for one, on_meta in zip(several, wanted, strict=False)) + several[len(wanted) :]
        )
        return several if isinstance(found, tuple) else several[0]

    return [(Function, "apply", classmethod(applied)), (BackwardCFunction, "apply", gradients)]


def is_on_meta(one: Any) -> bool:
    """Whether a tensor has no values, whatever the mode says of it."""
    import torch

    with torch._C.DisableTorchFunction():
        return bool(one.is_meta)


def moved(one: Any, onto_meta: bool) -> Any:
    """A gradient where autograd wants it."""
    import torch

    if not isinstance(one, torch.Tensor) or is_on_meta(one) == onto_meta:
        return one
    with torch._C.DisableTorchFunction():
        return one.to("meta") if onto_meta else torch.zeros(one.shape, dtype=one.dtype)


def filled(name: str, made: Any) -> Any:
    """A tensor that torch left as memory was: no launch will fill it, and its values may be taken for indices."""
    return made.zero_() if name in _UNFILLED and not made.requires_grad else made


def on_meta(value: Any) -> Any:
    """With the CPU as a device in it made ``meta``."""
    import torch

    if isinstance(value, tuple):
        return tuple(on_meta(item) for item in value) if not hasattr(value, "_fields") else value
    if isinstance(value, dict):
        return {name: on_meta(item) for name, item in value.items()}
    if (isinstance(value, str) and value == "cpu") or (isinstance(value, torch.device) and value.type == "cpu"):
        return "meta"
    return value


def is_costly(name: str, arguments: tuple[Any, ...], given: list[Any]) -> bool:
    """Whether a call would take long on a CPU, or make a large tensor."""
    if len(given) < 2 or name in _ASKING:
        return False
    shapes = [tuple(one.shape) for one in given[:4]]
    if name in _PRODUCTS and len(shapes) > 1:
        return _PRODUCTS[name](*shapes[:2]) > COSTLY
    if name == "einsum" and isinstance(arguments[0], str):
        return labelled(arguments[0], shapes) > COSTLY
    if name == "__get__" or name == "__set__":
        return False
    # Shapes that are broadcast against each other.
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return bool(math.prod(map(max, *padded)) > LARGE)


def matrix_product(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return math.prod(a) * (b[-1] if len(b) > 1 else 1)


#: Multiplications of a product, by torch's name of it and the first two shapes.
_PRODUCTS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], int]] = {
    **dict.fromkeys(("matmul", "mm", "bmm", "__matmul__", "__rmatmul__", "mv"), matrix_product),
    "linear": lambda a, b: math.prod(a) * b[0],
    "addmm": lambda a, b: math.prod(b) * a[-1],
    "baddbmm": lambda a, b: math.prod(b) * a[-1],
    "scaled_dot_product_attention": lambda q, k: 2 * math.prod(q) * k[-2],
    **{name: (lambda a, b: math.prod(a) * math.prod(b[1:])) for name in ("conv1d", "conv2d", "conv3d")},
}


def labelled(equation: str, shapes: list[tuple[int, ...]]) -> int:
    """Multiplications of an ``einsum``: the product of the sizes of all its labels."""
    sizes: dict[str, int] = {}
    for labels, shape in zip(equation.partition("->")[0].replace(" ", "").split(","), shapes, strict=False):
        sizes.update(zip(reversed(labels.rpartition(".")[2]), reversed(shape), strict=False))
        if "." in labels:
            sizes[f"...{len(shape)}"] = math.prod(shape[: len(shape) - len(labels.rpartition(".")[2])])
    return math.prod(sizes.values())
