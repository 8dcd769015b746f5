"""Calls os.abort() while it is imported: the process dies of a signal, with no Python exception."""

import os

os.abort()
