"""Every action of the TUI, once. Bindings, footer, help screen and command palette are made from this list.

An action is carried out by ``IrscopeApp.action_<name>``. To add one, add it here and write that method.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from textual.binding import Binding

from irscope.tui.stages import LETTERS, describe

#: Boxes of the pipeline strip that a number key reaches.
NUMBERED_BOXES = 9


class Where(Enum):
    """When an action can be used."""

    ALWAYS = auto()
    #: The pane in use holds text.
    PANE = auto()
    #: Something was searched for.
    SEARCH = auto()
    #: A compilation, complete or not, is in view.
    RESULT = auto()
    #: Something is compiling, or a bar, a panel or a maximised pane can be left.
    LEAVE = auto()
    #: An error with a place in a file is in view.
    ERROR = auto()
    #: A launch is in view that was compiled otherwise than what is in the panes.
    LAUNCHED = auto()
    #: The source pane holds more than one file.
    FILES = auto()
    #: The pane in use has machine code.
    MACHINE = auto()


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do."""

    id: str
    #: Textual's names of the keys, separated by commas.
    keys: str
    #: One or two words for the footer.
    label: str
    #: A sentence for the help screen, the palette and the footer's tooltip.
    tooltip: str
    group: str
    where: Where = Where.ALWAYS
    footer: bool = False
    #: The method and its arguments, where they are not the id itself.
    call: str = ""
    #: It opens a screen, which keys that come after it are for.
    opens: bool = False

    @property
    def command(self) -> str:
        return self.call or self.id

    @property
    def palette_title(self) -> str:
        return f"{self.group}: {self.label}"

    @property
    def binding(self) -> Binding:
        return Binding(self.keys, self.command, self.label, show=self.footer, tooltip=self.tooltip, id=self.id)


def _pane_action(letter: str, stages: tuple[str, ...]) -> Action:
    titles = " or ".join(describe(name).title for name in stages)
    return Action(
        f"pane_{stages[0]}",
        letter,
        titles,
        f"Show the {titles} pane, or hide it where it is shown",
        "Panes",
        call=f"toggle_pane({letter!r})",
    )


def _box_action(number: int) -> Action:
    return Action(
        f"box_{number}",
        str(number),
        f"Box {number}",
        f"Show stage {number} of the pipeline strip",
        "Pipeline",
        call=f"show_box({number})",
    )


ACTIONS: tuple[Action, ...] = (
    Action("search", "slash", "search", "Search in this pane", "Find", Where.PANE, footer=True),
    Action("search_all", "f", "search all", "Search in every pane", "Find", Where.PANE),
    Action("next_hit", "n", "next hit", "Go to the next hit of the search", "Find", Where.SEARCH, footer=True),
    Action("previous_hit", "N", "previous hit", "Go to the hit before", "Find", Where.SEARCH),
    Action("go_to_line", "colon", "go to line", "Go to a line of this pane by its number", "Find", Where.PANE),
    Action(
        "next_place",
        "right_square_bracket",
        "place",
        "Go to the next place in this pane that the same operation became, or the same source line",
        "Correlation",
        Where.PANE,
        footer=True,
    ),
    Action(
        "previous_place",
        "left_square_bracket",
        "previous place",
        "Go to the place before in this pane that the same operation became, or the same source line",
        "Correlation",
        Where.PANE,
    ),
    Action(
        "lock_pane",
        "x",
        "lock",
        "Lock this pane where it is, or free it to follow the others again",
        "Correlation",
        Where.PANE,
    ),
    Action(
        "next_file",
        "full_stop",
        "next file",
        "Show the next file that took part in the source pane",
        "Correlation",
        Where.FILES,
    ),
    Action(
        "columns",
        "d",
        "columns",
        "Show what each line costs beside it (SASS: live registers, stalls, barriers, loops), or do not",
        "Costs",
        Where.RESULT,
    ),
    Action(
        "choose_column",
        "D",
        "next column",
        "Draw the bars of this pane by its next column, and rank its lines by that",
        "Costs",
        Where.PANE,
    ),
    Action(
        "next_highest",
        "right_curly_bracket",
        "next highest",
        "Go to the line of this pane with the next highest figure in the chosen column",
        "Costs",
        Where.PANE,
    ),
    Action(
        "previous_highest",
        "left_curly_bracket",
        "higher",
        "Go to the line with the next higher figure again",
        "Costs",
        Where.PANE,
    ),
    Action(
        "hottest",
        "H",
        "hottest lines",
        "List the lines of this pane that cost most, and go to one",
        "Costs",
        Where.PANE,
        opens=True,
    ),
    Action(
        "peak",
        "circumflex_accent",
        "peak",
        "Go to the next instruction where most registers are live",
        "Costs",
        Where.RESULT,
    ),
    Action(
        "held",
        "u",
        "held values",
        "List the lines whose values are live at this instruction; from other panes, at the peak",
        "Costs",
        Where.RESULT,
        opens=True,
    ),
    Action(
        "loops",
        "r",
        "loops",
        "The loops of the machine code as a tree, and live registers along the code; enter leads to a loop",
        "Costs",
        Where.RESULT,
        opens=True,
    ),
    Action(
        "figures",
        "F",
        "figures",
        "Every figure in view: what it is and where it comes from (the pointer on a figure tells it too)",
        "Costs",
        Where.RESULT,
        opens=True,
    ),
    Action(
        "follow_jump", "enter", "follow", "Go to where the instruction under the cursor jumps", "Costs", Where.MACHINE
    ),
    Action("jump_back", "backspace", "jump back", "Go back to the jump that was followed last", "Costs", Where.MACHINE),
    Action(
        "verdicts",
        "a",
        "advice",
        "Show what is good and bad about this kernel and why, with occupancy and shared memory; enter leads there",
        "Verdicts",
        Where.RESULT,
        footer=True,
    ),
    Action(
        "options",
        "o",
        "options",
        "Choose kernel, target, options, constants and types; see where each comes from, pin and save them",
        "Compile",
        footer=True,
        opens=True,
    ),
    Action(
        "recompile",
        "R,ctrl+r",
        "compile",
        "Read the file again and compile it, even where the store has it",
        "Compile",
        footer=True,
    ),
    Action(
        "save_spec",
        "K",
        "keep",
        "Save what this kernel is compiled for beside its file (FILE.irscope.toml): later compiles and dump use it",
        "Compile",
        Where.RESULT,
    ),
    Action(
        "toggle_saved",
        "X",
        "saved or not",
        "Leave aside what is saved in FILE.irscope.toml, or use it again",
        "Compile",
    ),
    Action(
        "captures",
        "V",
        "captured",
        "The launches of this kernel that the file's own code makes, as captured: choose one to compile",
        "Compile",
        opens=True,
    ),
    Action(
        "capture",
        "E",
        "capture",
        "Run the file's own launch code now, without a GPU, and choose which of its launches to compile",
        "Compile",
        opens=True,
    ),
    Action(
        "launch",
        "L",
        "launch",
        "Run this kernel on the GPU: time it, look at what it wrote, ask the driver",
        "Launch",
        footer=True,
    ),
    Action(
        "launch_inputs",
        "i",
        "inputs",
        "Choose what a launch runs on: the file's own launches, or made inputs, a grid, a GPU, a check",
        "Launch",
        opens=True,
    ),
    Action(
        "launch_check",
        "c",
        "check",
        "Launch, and check the results in Triton's interpreter; without a GPU, run there alone",
        "Launch",
    ),
    Action(
        "launch_results",
        "m",
        "measurements",
        "Show what the last launches of this kernel measured, or hide it",
        "Launch",
    ),
    Action(
        "view_launched",
        "v",
        "what ran",
        "Compile and show the very specialization that was launched",
        "Launch",
        Where.LAUNCHED,
        footer=True,
    ),
    Action(
        "go_to_error",
        "e",
        "error",
        "Go to the line that the error names",
        "Compile",
        Where.ERROR,
        footer=True,
    ),
    Action(
        "leave",
        "escape",
        "cancel",
        "Stop compiling or launching, or leave what is open: a search, the error, a launch, a maximised pane",
        "Compile",
        Where.LEAVE,
        footer=True,
    ),
    Action(
        "raw",
        "w",
        "raw",
        "Show this stage as the compiler wrote it, or clean again",
        "Panes",
        Where.PANE,
    ),
    Action("wrap", "W", "wrap", "Wrap long lines in this pane, or do not", "Panes", Where.PANE),
    Action("maximise", "z", "zoom", "Give this pane all the room, or give it back", "Panes", Where.PANE),
    Action("next_pane", "tab", "next pane", "Go to the next pane", "Panes"),
    Action("previous_pane", "shift+tab", "previous pane", "Go to the pane before", "Panes"),
    Action("move_pane_left", "less_than_sign", "move left", "Move this pane to the left", "Panes", Where.PANE),
    Action(
        "move_pane_right",
        "greater_than_sign",
        "move right",
        "Move this pane to the right",
        "Panes",
        Where.PANE,
    ),
    *(_pane_action(letter, stages) for letter, stages in LETTERS.items()),
    *(_box_action(number) for number in range(1, NUMBERED_BOXES + 1)),
    Action(
        "copy",
        "y,ctrl+c",
        "copy",
        "Copy the selection, the line under the cursor, or a launch's results",
        "Save",
        Where.PANE,
    ),
    Action("save_stage", "s", "save stage", "Write this pane's text to a file", "Save", Where.PANE),
    Action("save_bundle", "b", "save all", "Write the whole compilation to a bundle", "Save", Where.RESULT),
    Action("next_theme", "t", "theme", "Switch to the next theme and keep it", "Program"),
    Action("screenshot_file", "f12", "picture", "Write a picture of the screen (SVG) to a file", "Program"),
    Action("help", "f1,question_mark", "help", "All keys and what they do", "Program", footer=True, opens=True),
    Action("command_palette", "p,ctrl+p", "menu", "Find an action by its name", "Program", footer=True, opens=True),
    Action("quit", "q,ctrl+q", "quit", "Leave irscope", "Program", footer=True),
)

_BY_COMMAND = {action.command.partition("(")[0]: action for action in ACTIONS}


def bindings() -> list[Binding]:
    """The key bindings of the app, in the order of the footer."""
    return [action.binding for action in ACTIONS]


def find(method: str) -> Action | None:
    """The action that the app's method ``action_<method>`` carries out."""
    return _BY_COMMAND.get(method)
