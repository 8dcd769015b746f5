"""irscope runs on Windows, where nobody here can run it: its code is read for what only Unix has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import ROOT

PACKAGE = ROOT / "irscope"

UNIX_MODULES = {"fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "syslog", "posix", "crypt", "readline"}

UNIX_CALLS = {
    "os": {"fork", "forkpty", "killpg", "setsid", "setpgid", "getuid", "geteuid", "getgid", "getpgid", "mkfifo", "wait",
           "waitpid", "wait4", "nice", "uname", "chown", "sched_getaffinity", "pipe2", "openpty", "set_blocking"},
    "signal": {"alarm", "setitimer", "pause", "sigwait", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD",
               "SIGHUP", "SIGQUIT", "SIGPIPE"},
    "socket": {"AF_UNIX", "socketpair", "send_fds", "recv_fds"},
    "multiprocessing": {"get_context"},
    "asyncio": {"add_signal_handler"},
}  # fmt: skip

#: Keyword arguments of subprocess that Windows refuses.
UNIX_KEYWORDS = {"preexec_fn", "pass_fds", "start_new_session", "process_group", "umask"}

UNIX_PATHS = ("/tmp", "/dev/", "/proc/", "/usr/", "/etc/", "~/.")

#: File functions whose default text encoding differs between platforms.
TEXT_FUNCTIONS = {"open", "read_text", "write_text"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def names(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def findings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            for alias in node.names:
                if alias.name in UNIX_CALLS.get(node.module or "", ()):
                    yield node.lineno, f"{node.module}.{alias.name}"
        else:
            modules = []
        for module in modules:
            if module.partition(".")[0] in UNIX_MODULES:
                yield node.lineno, module
        if isinstance(node, ast.Attribute):
            module = getattr(node.value, "id", "")
            if node.attr in UNIX_CALLS.get(module, ()):
                yield node.lineno, f"{module}.{node.attr}"
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in UNIX_KEYWORDS:
                    yield node.lineno, f"{keyword.arg}="
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text.startswith(UNIX_PATHS):
            yield node.lineno, repr(text)


def unencoded_text(tree: ast.Module) -> Iterator[int]:
    """Text opened in the platform's own encoding: UTF-8 here, a code page on Windows."""
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", None) in own:
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in TEXT_FUNCTIONS or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name != "open" or (isinstance(function, ast.Name) and not any("b" in mode for mode in modes)):
            yield node.lineno


@pytest.mark.parametrize("file", MODULES, ids=names)
def test_no_unix_only_module_call_or_path(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert [f"{names(file)}:{line}: {what}" for line, what in findings(tree)] == []
    assert [f"{names(file)}:{line}: no encoding" for line in unencoded_text(tree)] == []


def test_the_test_sees_what_it_is_for() -> None:
    bad = "import fcntl\nimport os\nos.fork()\nfrom os import setsid\nimport subprocess\nrun([], preexec_fn=1)"
    assert [line for line, _ in findings(ast.parse(bad))] == [1, 4, 6, 3]
    assert list(unencoded_text(ast.parse("open('x')\nPath('x').read_text()\nopen('x', 'rb')"))) == [1, 2]


@pytest.mark.parametrize("file", [f for f in MODULES if "worker" not in f.parts], ids=names)
def test_only_the_worker_imports_triton_or_torch(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {module.partition(".")[0] for module in modules} & {"triton", "torch"}, names(file)


@pytest.mark.parametrize("file", [f for f in MODULES if "worker" in f.parts], ids=names)
def test_the_worker_imports_nothing_of_irscope(file: Path) -> None:
    """It runs in interpreters where irscope is not installed."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert "irscope" not in {module.partition(".")[0] for module in modules}, names(file)
