"""irscope's own themes: dark, light, and one that people with any colour vision can read.

A theme names the palette that goes with it in its variable ``irscope-palette``; any other theme of Textual's
gets the dark or the light palette (see `irscope.tui.highlight`).
"""

from __future__ import annotations

from textual.theme import Theme


def _variables(palette: str, *, border: str, quiet: str, track: str, key: str) -> dict[str, str]:
    """Colours of what has the focus and what has not, of the scroll bars' track, and of keys in the footer."""
    return {
        "irscope-palette": palette,
        "border": border,
        "border-blurred": quiet,
        "scrollbar": quiet,
        "scrollbar-background": track,
        "scrollbar-corner-color": track,
        "footer-key-foreground": key,
    }


THEMES: list[Theme] = [
    Theme(
        name="irscope-dark",
        primary="#6cb2ff",
        secondary="#a99cff",
        accent="#ffb454",
        warning="#ffb454",
        error="#ff7b72",
        success="#7ed491",
        foreground="#d7dde8",
        background="#0f131a",
        surface="#141a23",
        panel="#1e2632",
        dark=True,
        variables=_variables("dark", border="#6cb2ff", quiet="#38445a", track="#141a23", key="#ffb454"),
    ),
    Theme(
        name="irscope-light",
        primary="#0f5fc2",
        secondary="#6a3fc0",
        accent="#b45309",
        warning="#a85800",
        error="#c4232b",
        success="#1f7a3d",
        foreground="#1d2430",
        background="#eceff4",
        surface="#fbfcfe",
        panel="#dde3ec",
        dark=False,
        variables=_variables("light", border="#0f5fc2", quiet="#aeb8c8", track="#eef1f6", key="#b45309"),
    ),
    # Blue against orange and yellow on black (after Okabe and Ito's set): told apart by protan, deutan and
    # tritan eyes, and by lightness alone.
    Theme(
        name="irscope-colorblind",
        primary="#56b4e9",
        secondary="#cfe8f7",
        accent="#f0a020",
        warning="#f0e442",
        error="#ff8c42",
        success="#56b4e9",
        foreground="#f4f4f4",
        background="#000000",
        surface="#0a0a0a",
        panel="#1c1c1c",
        dark=True,
        variables=_variables("colorblind", border="#f0a020", quiet="#6c6c6c", track="#0a0a0a", key="#f0e442"),
    ),
]
