"""The pane: one widget for every stage, by Textual's line API.

It holds a text of any length and has the lines in view painted. It knows of rows, marks and search hits; which
stage it shows, and why a row is lit, is its parent's business, as are border, title and the dimming of a stale
text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from irscope.tui.canvas import Canvas, Surroundings
from irscope.tui.document import Document
from irscope.tui.excerpt import excerpt, word_at
from irscope.tui.highlight import palette_for
from irscope.tui.marks import Marks
from irscope.tui.overlays import Overlays
from irscope.tui.ruler import Ruler, Sign
from irscope.tui.search import Case, Search
from irscope.tui.strips import Annotate, Frame, Gutter, Heat, Look
from irscope.tui.wrapping import Straight, Wrapped

if TYPE_CHECKING:
    from irscope.tui.lexers import Language

#: Columns that one press of left or right scrolls by.
COLUMN_STEP = 8


class CodeView(ScrollView, can_focus=True, inherit_bindings=False):
    """A read-only text with a cursor row, marks, an overview ruler, search and selection.

    Rows count from 0. A method that takes a row raises ``IndexError`` for none only where it says so; marks
    and the cursor are held within the text.
    """

    # No horizontal scroll bar: a row more of text in every pane, and keys and wheel scroll sideways all the same.
    DEFAULT_CSS = """
    CodeView {
        scrollbar-size: 0 1;
        background: $surface;
    }
    """

    # G, as in less, is apart and has an id of its own: an application may want that letter for itself.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="code.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="code.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="code.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="code.page_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="code.half_page_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="code.half_page_down"),
        Binding("home,g", "to_end(-1)", "First line", show=False, id="code.first"),
        Binding("end", "to_end(1)", "Last line", show=False, id="code.last"),
        Binding("G", "to_end(1)", "Last line", show=False, id="code.last_letter"),
        Binding("left,h", "columns(-1)", "Scroll left", show=False, id="code.left"),
        Binding("right,l", "columns(1)", "Scroll right", show=False, id="code.right"),
    ]

    #: Row to which the user last moved the cursor, set at every move of theirs. To ``watch`` it is to repaint
    #: other panes in the same frame; `CursorMoved` goes from widget to widget, and arrives a frame later.
    visited: var[int] = var(0, always_update=True, init=False)

    class CursorMoved(Message):
        """The user moved the cursor of ``view`` to ``row``. Not posted for what a program does."""

        def __init__(self, view: CodeView, row: int) -> None:
            super().__init__()
            self.view = view
            self.row = row

        @property
        def control(self) -> CodeView:
            return self.view

        def can_replace(self, message: Message) -> bool:
            """Only the last of several moves counts, where the handler cannot keep up with the keys."""
            return isinstance(message, CodeView.CursorMoved) and message.view is self.view

    def __init__(
        self,
        *,
        language: Language = "text",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._document = Document((), language)
        self._gutter = Gutter()
        self._lines: Straight | Wrapped = Straight(self._document)
        self._canvas = Canvas(self._document, self._gutter)
        #: Room for gutter, text and ruler: kept, for to ask takes long.
        self._space = Size(0, 0)
        #: Lines that there was room for when last it changed; painting sets the space as well.
        self._fitted = 0
        self._ruler = Ruler()
        self._cursor = 0
        self._marks = Marks()
        self._overlays = Overlays(self._document)
        self._wrap = False
        self._reveal_when_sized: Callable[[], None] | None = None
        self._pressed: Offset | None = None

    # -- Text

    def load(
        self, lines: Sequence[str], *, numbers: Sequence[int] | None = None, language: Language | None = None
    ) -> None:
        """Shows another text: ``lines`` without their line ends, which are kept by reference.

        ``numbers`` are shown in the gutter, one for each row, in place of 1, 2, 3... Cursor, marks, search
        and scroll position begin anew. Raises ``ValueError`` where there are not as many as lines.
        """
        if numbers is not None and len(numbers) != len(lines):
            raise ValueError(f"{len(numbers)} numbers for {len(lines)} lines")
        self._document = Document(lines, language or self._document.language)
        highest = max(numbers, default=0) if numbers is not None else len(lines)
        self._gutter = Gutter(
            max(2, len(str(highest))), numbers,
            self._gutter.annotate, self._gutter.annotation_width, self._gutter.align, self._gutter.heat,
        )  # fmt: skip
        self._marks = Marks(len(lines))
        self._overlays = Overlays(self._document)
        self._reveal_when_sized = None
        self._cursor = 0
        self._rebuild()
        self.scroll_to(0, 0, animate=False, force=True)

    @property
    def lines(self) -> Sequence[str]:
        return self._document.lines

    @property
    def language(self) -> Language:
        return self._document.language

    def set_language(self, language: Language) -> None:
        """Colours the same text by another language; cursor, marks and scroll position stay."""
        self._document.set_language(language)
        self._rebuild()

    def set_annotations(
        self,
        annotate: Annotate | None,
        width: int = 0,
        *,
        align: Literal["left", "right"] = "right",
        heat: Heat | None = None,
    ) -> None:
        """A column of ``width`` cells left of the numbers, with what ``annotate`` says of a row.

        ``heat`` says how long a bar is drawn before it. Both are asked when a row is painted, so they should only
        look something up. ``None`` removes the column.
        """
        self._gutter = Gutter(self._gutter.digits, self._gutter.numbers, annotate, width, align, heat)
        self._rebuild()

    @property
    def number_width(self) -> int:
        """Cells between the annotations and the text: numbers and glyphs."""
        return self._gutter.digits + 3

    @property
    def wrap(self) -> bool:
        """Soft wrap: long rows continue on the next line instead of being scrolled sideways."""
        return self._wrap

    @wrap.setter
    def wrap(self, wrap: bool) -> None:
        if wrap == self._wrap:
            return
        self._wrap = wrap
        # The cursor's row stays where it is on the screen, or else the first row in view.
        top = self.scroll_offset.y
        anchor = self._cursor if self._visible(self._cursor) else self._row_at(top)[0]
        height = self._lines.first(anchor) - top if anchor < len(self._document) else 0
        self._rebuild()
        self._scroll_to_line(self._lines.first(anchor) - height if anchor < len(self._document) else 0)
        self.scroll_to(x=0, animate=False, force=True)

    # -- Cursor and scrolling

    @property
    def cursor_row(self) -> int:
        """Row of the cursor. To set it moves no view and posts no message."""
        return self._cursor

    @cursor_row.setter
    def cursor_row(self, row: int) -> None:
        row = max(0, min(row, len(self._document) - 1))
        if row != self._cursor:
            before, self._cursor = self._cursor, row
            self._refresh_rows((before, row))

    def go_to(self, row: int, *, notify: bool = False) -> None:
        """Moves the cursor to a row and brings it into view, centred where it was not.

        ``notify``: the user asked for it (a line number, a search hit), so ``CursorMoved`` is posted.
        """
        moved = row != self._cursor
        self.cursor_row = row
        self.scroll_to_row(self._cursor, centre=not self._visible(self._cursor))
        if notify and moved:
            self._tell()

    def scroll_to_row(self, row: int, centre: bool = True) -> None:
        """Brings a row into view, by the shortest way or to the middle; the cursor stays."""
        height = self._space.height
        if not height:
            self._reveal_when_sized = partial(self.scroll_to_row, row, centre)
            return
        # What was to be revealed before is not wanted any more.
        self._reveal_when_sized = None
        if not self._document:
            return
        lines = self._lines.lines_of(max(0, min(row, len(self._document) - 1)))
        top = self.scroll_offset.y
        if centre:
            self._scroll_to_line(lines.start - (height - 1) // 2)
        elif lines.start < top or len(lines) >= height:
            self._scroll_to_line(lines.start)
        elif lines.stop > top + height:
            self._scroll_to_line(lines.stop - height)

    def _scroll_to_line(self, line: int) -> None:
        self.scroll_to(y=line, animate=False, force=True)

    def _row_at(self, line: int) -> tuple[int, int]:
        """Row and first column that a line shows; a row past the last one where it is below the text."""
        if not 0 <= line < self._lines.count:
            return len(self._document), 0
        return self._lines.row_at(line)

    def _visible(self, row: int, height: int | None = None) -> bool:
        """Whether a row is in view, or would be with so many lines."""
        if row >= len(self._document):
            return False
        shown = self._space.height if height is None else height
        return self.scroll_offset.y <= self._lines.first(row) < self.scroll_offset.y + shown

    def _visible_rows(self) -> range:
        top = self.scroll_offset.y
        first, _ = self._row_at(top)
        last, _ = self._row_at(min(top + self._space.height, self._lines.count) - 1)
        return range(first, min(last + 1, len(self._document)))

    def action_move(self, rows: int) -> None:
        self._move_to(self._cursor + rows)

    def action_page(self, pages: float) -> None:
        """The cursor and the view move together, so that the cursor keeps its place on the screen."""
        if not self._document:
            return
        step = max(1, int(abs(pages) * self._space.height))
        line = self._lines.first(self._cursor) + (step if pages > 0 else -step)
        row, _ = self._row_at(max(0, min(line, self._lines.count - 1)))
        if row == self._cursor:
            row += 1 if pages > 0 else -1
        self._scroll_to_line(self.scroll_offset.y + (step if pages > 0 else -step))
        self._move_to(row)

    def action_to_end(self, direction: int) -> None:
        self._move_to(len(self._document) - 1 if direction > 0 else 0)

    def action_columns(self, direction: int) -> None:
        self.scroll_to(x=self.scroll_offset.x + direction * COLUMN_STEP, animate=False)

    def _move_to(self, row: int) -> None:
        """The user's move: the view follows by the shortest way, and the parent is told."""
        before = self._cursor
        self.cursor_row = row
        self.scroll_to_row(self._cursor, centre=False)
        if self._cursor != before:
            self._tell()

    def _tell(self) -> None:
        self.visited = self._cursor
        self.post_message(self.CursorMoved(self, self._cursor))

    # -- Marks

    @property
    def marks(self) -> frozenset[int]:
        """Rows that are lit, exact ones among them."""
        return self._marks.rows

    @property
    def mark_count(self) -> int:
        return len(self._marks.rows)

    @property
    def place_count(self) -> int:
        """Runs of lit rows: of exact ones, where there are any."""
        return len(self._marks.places)

    def set_marks(self, rows: Collection[int], exact: Collection[int] = ()) -> None:
        """Lights up rows, those in ``exact`` more strongly; rows outside of the text are left out."""
        changed = self._marks.light(rows, exact)
        if changed:
            self._refresh_rows(changed)
            self._update_ruler()

    def scroll_to_marks(self) -> None:
        """Brings the stretch with most marks (exact ones, if there are any) into view, the nearest of several.

        Does nothing where half as many are in view: a lone constant at the top is not what a line became, and a
        text that jumps for a few marks more cannot be read.
        """
        height = self._space.height
        if not self._marks.rows:
            return
        if not height:
            self._reveal_when_sized = self.scroll_to_marks
            return
        top, middle, bottom = (
            self._row_at(min(self.scroll_offset.y + step, self._lines.count - 1))[0]
            for step in (0, height // 2, height - 1)
        )
        seen = self._marks.within(top, bottom)
        if 2 * seen >= min(height, len(self._marks.leading)):
            return
        stretch = self._marks.thickest(height, middle)
        if 2 * seen < self._marks.within(stretch[0], stretch[-1]):
            self.scroll_to_row(stretch[len(stretch) // 2])

    def next_mark(self, direction: int = 1) -> int | None:
        """Brings the next place (a run of lit rows) into view, round the end; returns its first row."""
        place = self._marks.next_place(self._cursor, direction)
        if place is not None:
            self.scroll_to_row(place)
        return place

    def set_spans(self, spans: Collection[tuple[int, int, int]] = ()) -> None:
        """Sets off parts of rows, each (row, first character, character after the last), and no others."""
        self._refresh_rows(self._overlays.set_spans(spans))

    # -- Search

    def search(self, pattern: str, *, regex: bool = False, case: Case = "smart") -> int:
        """Shows where a pattern is, and returns how often. An empty pattern clears.

        Raises ``re.error`` where ``regex`` is set and the pattern is no regular expression.
        """
        if not pattern:
            self.clear_search()
            return 0
        self._find(Search(self._document.lines, pattern, regex=regex, case=case))
        return self.hit_count

    def clear_search(self) -> None:
        self._find(None)

    def _find(self, search: Search | None) -> None:
        self._overlays.find(search)
        self._update_ruler()
        self.refresh()

    @property
    def hit_count(self) -> int:
        return self._overlays.search.count if self._overlays.search else 0

    def next_hit(self, direction: int = 1) -> int | None:
        """Moves the cursor to the next match, round the end; returns its row, ``None`` without matches."""
        found = self._overlays.next_hit(self._cursor, direction)
        if found is None:
            return None
        row, raw, changed = found
        self.go_to(row, notify=True)
        self._refresh_rows(changed)
        if not self._wrap:
            self._scroll_to_column(row, self._document.to_shown(row, raw))
        else:
            assert isinstance(self._lines, Wrapped)
            column = self._document.columns(row)[self._document.to_shown(row, raw)]
            line = self._lines.line_of(row, column)
            if not 0 <= line - self.scroll_offset.y < self._space.height:
                self._scroll_to_line(line - self._space.height // 2)
        return row

    def _scroll_to_column(self, row: int, character: int) -> None:
        column, width = self._document.columns(row)[character], self._text_width
        if not self.scroll_offset.x <= column < self.scroll_offset.x + width - COLUMN_STEP:
            self.scroll_to(x=max(0, column - width // 2), animate=False, force=True)

    # -- Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it is in the file, and what comes after it: tabs are tabs again."""
        return excerpt(self._document, selection), "\n"

    def selected_text(self) -> str | None:
        """What is selected with the mouse in this pane, ``None`` where nothing is."""
        selection = self.text_selection
        found = self.get_selection(selection) if selection is not None else None
        return found[0] if found and found[0] else None

    def _select(self, row: int, start: int, end: int) -> None:
        self.screen.selections = {self: Selection(Offset(start, row), Offset(end, row))}

    # -- Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = event.offset

    def on_click(self, event: events.Click) -> None:
        """One click moves the cursor (on the ruler: the view), two select a word, three the row."""
        event.prevent_default()
        at = event.get_content_offset(self)
        if at is None or self._pressed != event.offset or not self._document:
            # The end of a selection by mouse.
            return
        if at.x >= self._space.width - 1:
            self._scroll_to_line(self._ruler.line_at(at.y) - self._space.height // 2)
            return
        row, column = self._row_at(self.scroll_offset.y + at.y)
        if row >= len(self._document):
            return
        if event.chain == 1:
            self._move_to(row)
        elif event.chain == 3:
            self._select(row, 0, len(self._document.shown(row)))
        else:
            column += max(0, at.x - self._gutter.width) + (0 if self._wrap else self.scroll_offset.x)
            character = self._document.character_at(row, column)
            if word := word_at(self._document, row, character):
                self._select(row, *word)

    # -- Painting

    @property
    def _text_width(self) -> int:
        """Columns between the gutter and the ruler."""
        return max(0, self._space.width - self._gutter.width - 1)

    def _rebuild(self) -> None:
        """After a change of the text, the gutter, the width or wrap: where each line is."""
        self._canvas.replace(self._document, self._gutter)
        if self._wrap:
            self._lines = Wrapped(self._document, self._text_width)
            self.virtual_size = Size(0, self._lines.count)
        else:
            self._lines = Straight(self._document)
            self.virtual_size = Size(self._gutter.width + self._document.width + 1, self._lines.count)
        self._update_ruler()
        self.refresh()

    def _update_ruler(self) -> None:
        if (self._ruler.count, self._ruler.height) != (self._lines.count, self._space.height):
            self._ruler = Ruler(self._lines.count, self._space.height)
        hits = self._overlays.search.rows if self._overlays.search else ()
        signs = {Sign.HIT: hits, Sign.NEAR: self._marks.rows, Sign.EXACT: self._marks.exact}
        self._refresh_screen_lines(self._ruler.update({sign: self._first_lines(rows) for sign, rows in signs.items()}))

    def _first_lines(self, rows: Collection[int]) -> Collection[int]:
        return [self._lines.first(row) for row in rows] if self._wrap else rows

    def on_resize(self) -> None:
        self._fit()

    def watch_show_vertical_scrollbar(self) -> None:
        self.call_after_refresh(self._fit)

    def watch_show_horizontal_scrollbar(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """After a change of the space for the text: wrap and ruler depend on it."""
        before, self._fitted = self._fitted, self.scrollable_size.height
        self._space = self.scrollable_size
        if isinstance(self._lines, Wrapped) and self._lines.width != max(self._text_width, 2):
            top, _ = self._row_at(self.scroll_offset.y)
            self._rebuild()
            if top < len(self._document):
                self._scroll_to_line(self._lines.first(top))
        self._update_ruler()
        if self._reveal_when_sized and self._space.height:
            reveal, self._reveal_when_sized = self._reveal_when_sized, None
            reveal()
        elif not self._visible(self._cursor) and self._visible(self._cursor, before):
            # It was in view before the space got less.
            self.scroll_to_row(self._cursor, centre=False)

    def _refresh_rows(self, rows: Collection[int]) -> None:
        """Repaints those of the rows that are in view."""
        top, height = self.scroll_offset.y, self._space.height
        # Of the rows in view, for there may be thousands of others.
        changed = [row for row in self._visible_rows() if row in rows]
        if not self._wrap:
            self._refresh_screen_lines([row - top for row in changed])
            return
        lines = (line - top for row in changed for line in self._lines.lines_of(row))
        self._refresh_screen_lines([line for line in lines if 0 <= line < height])

    def _refresh_screen_lines(self, lines: Sequence[int]) -> None:
        """Repaints lines of the screen, which are in order; neighbours as one region."""
        regions: list[Region] = []
        for at, line in enumerate(lines):
            if not at or lines[at - 1] != line - 1:
                start = line
            if at + 1 == len(lines) or lines[at + 1] != line + 1:
                regions.append(Region(0, start, self._space.width, line + 1 - start))
        if regions:
            self.refresh(*regions)

    def _frame(self) -> Frame:
        return Frame(0 if self._wrap else self.scroll_offset.x, self._text_width)

    def _looks(self, ys: Sequence[int]) -> list[Look | Sign]:
        """What lines of the screen look like; below the text, what is in the ruler."""
        top, count = self.scroll_offset.y, self._lines.count
        places = [self._lines.row_at(top + y) for y in ys if top + y < count]
        signs = [self._ruler.sign(y) for y in ys]
        layers = self._marks.layers([row for row, _ in places], self._cursor, self.has_focus)
        selection = self.text_selection
        plain = selection is None and not self._overlays.any
        looks: list[Look | Sign] = [
            Look(row, part, layer, row == self._cursor, sign, () if plain else self._overlays.of(row, selection))
            for (row, part), layer, sign in zip(places, layers, signs, strict=False)
        ]
        return looks + signs[len(looks) :]

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of the screen, stamped for the compositor, which asks what is under the pointer."""
        (look,) = self._looks((y,))
        painter = self._canvas.painter
        return painter.blank(look, self._frame()) if isinstance(look, Sign) else painter.stamped(look, self._frame())

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the screen, from the canvas where they were painted before.

        Textual passes each line through a cache of its own, which adds border, padding and opacity. A pane has
        the last at most, and without that a repaint takes about half the time. What is beneath the scroll bar
        is left to that.
        """
        self._space = self.scrollable_size
        self._follow_theme()
        if self.opacity != 1 or self.styles.tint.a:
            self._styles_cache.clear()
            return super().render_lines(crop)
        strips = self._canvas.strips(self._looks(crop.line_range), self._frame())
        if crop.x or crop.right < self._space.width:
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _follow_theme(self) -> None:
        app = self.app
        surroundings = Surroundings(app.theme, self.background_colors[1], tuple(self.get_line_filters()))
        if not self._canvas.knows(surroundings):
            self._canvas.enter(surroundings, palette_for(app.current_theme))
