"""Capture: run a file's launch code and record every launch without making it. Only a capture's own worker loads this.

torch is imported within functions, and only where it is installed: code that asks for no torch needs none.
"""
