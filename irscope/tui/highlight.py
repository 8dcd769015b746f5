"""What a token and a lit row look like: a palette for each kind of theme, and the styles made from it.

Own palettes, because Textual's own code highlighting underlines names and has no colours for a 256-colour
terminal's sake: here every colour that means something is far from its neighbours, and what matters most
(marks, hits, the selection) also has a shape: a glyph in the gutter, bold, or an underline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from pygments.token import Token, _TokenType, string_to_tokentype
from rich.style import Style
from textual.color import Color
from textual.theme import Theme


class Layer(IntEnum):
    """What lies under a character. The higher one covers the lower."""

    TEXT = 0
    #: The cursor's row in a pane without focus.
    REST = 1
    NEAR = 2
    EXACT = 3
    #: The cursor's row in the pane that has it, unlit and lit.
    CURSOR = 4
    CURSOR_NEAR = 5
    CURSOR_EXACT = 6
    SPAN = 7
    HIT = 8
    CURRENT_HIT = 9
    SELECTION = 10
    #: The overview ruler, which covers nothing.
    RULER = 11


@dataclass(frozen=True, slots=True)
class Look:
    """A colour laid over the pane's background, as strongly as ``strength`` (0 to 1) says."""

    colour: str
    strength: float = 1.0
    #: Colour of the text on it, whatever the token; ``None`` leaves the token's.
    text: str | None = None
    bold: bool = False
    underline: bool = False


@dataclass(frozen=True, slots=True)
class Palette:
    #: Colours by the name of a Pygments token, with ``bold`` or ``italic`` after them; a token that is not
    #: here has its nearest parent's.
    tokens: Mapping[str, str]
    layers: Mapping[Layer, Look]
    #: Line numbers, then those of the cursor's row and of lit rows.
    number: str
    number_lit: str
    #: The gutter glyph and ruler mark of exact and of near rows, and the ruler mark of search hits.
    exact: str
    near: str
    hit: str
    #: Bars of columns, from little to much: away from the background in lightness, whatever the hue.
    heat: tuple[str, ...]


def _layers(cursor: str, mark: str, exact: str, strengths: tuple[float, float, float, float], hit: Look,
            current: Look, selection: Look) -> dict[Layer, Look]:  # fmt: skip
    cursor_strength, near_strength, exact_strength, span_strength = strengths
    return {
        Layer.REST: Look(cursor, cursor_strength / 3),
        Layer.CURSOR: Look(cursor, cursor_strength),
        Layer.NEAR: Look(mark, near_strength),
        Layer.EXACT: Look(exact, exact_strength),
        Layer.CURSOR_NEAR: Look(cursor, cursor_strength),
        Layer.CURSOR_EXACT: Look(cursor, cursor_strength),
        Layer.SPAN: Look(exact, span_strength, bold=True, underline=True),
        Layer.HIT: hit,
        Layer.CURRENT_HIT: current,
        Layer.SELECTION: selection,
        Layer.RULER: Look("#8c95a3", 0.1),
    }


PALETTES: dict[str, Palette] = {
    "dark": Palette(
        tokens={
            "Token": "#d7dde8",
            "Comment": "#748196 italic",
            "Comment.Special": "#5f6b80",
            "Keyword": "#a99cff",
            "Keyword.Constant": "#ffb38a",
            "Keyword.Pseudo": "#8f9bd9",
            "Keyword.Reserved": "#8f9bd9",
            "Keyword.Type": "#5fd0c5",
            "Name.Attribute": "#9fb4d0",
            "Name.Builtin": "#7cc7ff",
            "Name.Class": "#5fd0c5",
            "Name.Constant": "#d9a6e0",
            "Name.Decorator": "#ffc777",
            "Name.Function": "#7cc7ff",
            "Name.Function.Magic": "#ffc777",
            "Name.Label": "#ffc777",
            "Name.Namespace": "#6f9fce",
            "Name.Variable": "#c3d5a8",
            "Number": "#ffb38a",
            "Operator": "#97a6bd",
            "Operator.Word": "#a99cff",
            "Punctuation": "#97a6bd",
            "String": "#93d6a0",
        },
        layers=_layers(
            "#6cb2ff", "#ffb454", "#ffb454", (0.24, 0.13, 0.27, 0.45),
            hit=Look("#e3c94a", text="#10131a"),
            current=Look("#ff9e3d", text="#10131a", bold=True),
            selection=Look("#3f6fb5", text="#ffffff"),
        ),
        number="#566278", number_lit="#ffffff", exact="#ffb454", near="#d99c55", hit="#e3c94a",
        heat=("#4c6590", "#7f86a8", "#c4a05e", "#ffdc5c"),
    ),
    "light": Palette(
        tokens={
            "Token": "#1d2430",
            "Comment": "#6b7687 italic",
            "Comment.Special": "#8a94a4",
            "Keyword": "#6a3fc0",
            "Keyword.Constant": "#a3480b",
            "Keyword.Pseudo": "#5566a8",
            "Keyword.Reserved": "#5566a8",
            "Keyword.Type": "#00706c",
            "Name.Attribute": "#4a6079",
            "Name.Builtin": "#0f5fc2",
            "Name.Class": "#00706c",
            "Name.Constant": "#98308f",
            "Name.Decorator": "#8d5a00",
            "Name.Function": "#0f5fc2",
            "Name.Function.Magic": "#8d5a00",
            "Name.Label": "#8d5a00",
            "Name.Namespace": "#47729f",
            "Name.Variable": "#3f5f1d",
            "Number": "#a3480b",
            "Operator": "#56627a",
            "Operator.Word": "#6a3fc0",
            "Punctuation": "#56627a",
            "String": "#1f6e3a",
        },
        layers=_layers(
            "#0f5fc2", "#f59e0b", "#f59e0b", (0.16, 0.18, 0.40, 0.70),
            hit=Look("#ffe14d", text="#1d2430"),
            current=Look("#ff9a2e", text="#000000", bold=True),
            selection=Look("#2f6fd0", text="#ffffff"),
        ),
        number="#98a3b3", number_lit="#000000", exact="#b45309", near="#c98a2b", hit="#9a7b00",
        heat=("#a9b8cc", "#7088ad", "#96560f", "#611a00"),
    ),
    "colorblind": Palette(
        tokens={
            "Token": "#f4f4f4",
            "Comment": "#9a9a9a italic",
            "Comment.Special": "#808080",
            "Keyword": "#ffffff bold",
            "Keyword.Constant": "#f5c76b",
            "Keyword.Pseudo": "#b9c6d0",
            "Keyword.Reserved": "#b9c6d0",
            "Keyword.Type": "#9fd4f5",
            "Name.Attribute": "#c4c4c4",
            "Name.Builtin": "#56b4e9",
            "Name.Class": "#9fd4f5",
            "Name.Constant": "#f0e442",
            "Name.Decorator": "#f0e442",
            "Name.Function": "#56b4e9 bold",
            "Name.Function.Magic": "#f0e442",
            "Name.Label": "#f0e442",
            "Name.Namespace": "#56b4e9",
            "Name.Variable": "#e4e4e4",
            "Number": "#f5b041",
            "Operator": "#b0b0b0",
            "Operator.Word": "#ffffff bold",
            "Punctuation": "#b0b0b0",
            "String": "#f5c76b",
        },
        layers=_layers(
            "#2f8fe0", "#f0a020", "#f0a020", (0.48, 0.22, 0.44, 0.62),
            hit=Look("#f0e442", text="#000000"),
            current=Look("#ffffff", text="#000000", bold=True, underline=True),
            selection=Look("#0072b2", text="#ffffff"),
        ),
        number="#8a8a8a", number_lit="#ffffff", exact="#ffb000", near="#e0a040", hit="#f0e442",
        heat=("#35607f", "#4a97c4", "#f0a020", "#f6ee80"),
    ),
}  # fmt: skip


def palette_for(theme: Theme) -> Palette:
    """The palette that the theme names, or the one for its darkness."""
    named = PALETTES.get(theme.variables.get("irscope-palette", ""))
    return named or PALETTES["dark" if theme.dark else "light"]


class Highlighter:
    """Rich styles for one palette on one background, each made once."""

    def __init__(self, palette: Palette, background: Color) -> None:
        self.palette = palette
        self._tokens = {string_to_tokentype(name): style for name, style in palette.tokens.items()}
        self._backgrounds = {Layer.TEXT: background.rich_color} | {
            layer: background.blend(Color.parse(look.colour), look.strength).rich_color
            for layer, look in palette.layers.items()
        }
        self._styles: dict[tuple[_TokenType, Layer], Style] = {}
        self._made: dict[Style, Style] = {}
        self._plain: dict[tuple[str, Layer, bool], Style] = {}

    def style(self, token: _TokenType, layer: Layer) -> Style:
        """Style of a token that lies on a layer: one object for all tokens that look the same."""
        style = self._styles.get((token, layer))
        if style is None:
            made = self._make(token, layer)
            style = self._styles[token, layer] = self._made.setdefault(made, made)
        return style

    def plain(self, colour: str, layer: Layer, bold: bool = False) -> Style:
        """Style of what is no token: gutter, ruler, padding."""
        style = self._plain.get((colour, layer, bold))
        if style is None:
            style = Style(color=Color.parse(colour).rich_color, bgcolor=self._backgrounds[layer], bold=bold or None)
            self._plain[colour, layer, bold] = style
        return style

    def _make(self, token: _TokenType, layer: Layer) -> Style:
        nearest = token
        while nearest not in self._tokens and nearest is not Token:
            nearest = nearest.parent or Token
        colour, *attributes = self._tokens[nearest].split()
        look = self.palette.layers.get(layer, Look(""))
        return Style(
            color=Color.parse(look.text or colour).rich_color,
            bgcolor=self._backgrounds[layer],
            bold="bold" in attributes or look.bold or None,
            italic="italic" in attributes or None,
            underline=look.underline or None,
        )
