"""A package whose import fails on a machine like this one; its kernels do not need it."""

raise RuntimeError("shop: no licence found")
