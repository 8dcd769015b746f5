"""Raises ValueError at line 3 while it is imported."""

raise ValueError("this file was never meant to be imported")
