"""``irscope completion SHELL``: print the script that the shell reads."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["irscope"], shell=arguments.shell))
    return 0
