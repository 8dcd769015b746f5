"""Reads address 0 while it is imported: a segmentation fault, or an access violation on Windows."""

import ctypes

ctypes.string_at(0)
