from __future__ import annotations

import pytest

from irscope import ir
from irscope.ir.lines import CleanText, join_path, split_lines


def test_rows_end_at_line_feeds_alone():
    assert split_lines("a\x0cb\u2028c\n\nd") == ["a\x0cb\u2028c", "", "d"]
    assert split_lines("a\r\nb\r\n") == ["a", "b"]
    assert split_lines("") == []


def test_clean_text_drops_needless_blank_rows():
    clean = CleanText(enumerate(["", "a", "", "", "b", ""]))
    assert clean.lines == ["a", "", "b"]
    assert list(clean.raw_rows) == [1, 2, 4]
    assert [clean.clean_row(raw) for raw in range(6)] == [0, 0, 1, 2, 2, 2]
    assert [clean.keeps(raw) for raw in range(6)] == [False, True, True, False, True, False]


def test_empty_text():
    for stage in ("ttir", "llir", "ptx", "sass", "amdgcn", "new"):
        assert ir.index(stage, "").lines == []
        clean = ir.clean(stage, "")
        assert clean.lines == []
        assert clean.clean_row(0) == 0


@pytest.mark.parametrize(
    ("directory", "name", "path"),
    [
        ("/k", "a.py", "/k/a.py"),
        ("/k/", "a.py", "/k/a.py"),
        ("", "a.py", "a.py"),
        ("/k", "/x/a.py", "/x/a.py"),
        ("C:\\k", "a.py", "C:\\k\\a.py"),
        ("C:/k", "a.py", "C:/k/a.py"),
        ("C:\\k", "D:\\a.py", "D:\\a.py"),
    ],
)
def test_join_path(directory, name, path):
    assert join_path(directory, name) == path


def test_stages_of_unknown_name_are_told_by_their_text(compiled):
    for text in compiled:
        assert ir.language("brand_new", text.text) == ir.language(text.stage), str(text)
        assert ir.index("brand_new", text.text).mapped_count == text.index.mapped_count


def test_a_text_of_no_known_form_is_shown_as_it_is():
    assert ir.language("notes", "hello\nworld") == "text"
    assert ir.index("notes", "hello\nworld").mapped_count == 0
    assert ir.clean("notes", "hello\nworld").lines == ["hello", "world"]
