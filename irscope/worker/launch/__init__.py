"""Launches: run a kernel as its file does, or on made inputs. Only a launch's own worker imports these.

torch is imported within functions: interpreters that have Triton alone compile with the same worker.
"""
