"""Names a kernel that another module defines."""

import a_module_that_is_not_there

from .scaling import scale_kernel as renamed_kernel

__all__ = ["renamed_kernel"]
SETTINGS = a_module_that_is_not_there.settings()
