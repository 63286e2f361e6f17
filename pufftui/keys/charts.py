"""The keys of the charts: of all of them at once, and of the one that is selected."""

from __future__ import annotations

from pufftui.keys.key import Key

GROUP = "Charts"

# fmt: off
# They read as a table: one key, one line.
CHART_KEYS = (
    Key("previous_place", ("left",), "←", "cursor", "the cursor to the left, in all charts", GROUP, "cursor(-1)"),
    Key("next_place", ("right",), "→", "cursor", "the cursor to the right", GROUP, "cursor(1)"),
    Key("zoom_in", ("i",), "i", "zoom in", "a smaller stretch; the wheel does it, too", GROUP, "zoom(1)"),
    Key("zoom_out", ("o",), "o", "zoom out", "a larger stretch", GROUP, "zoom(-1)"),
    Key("pan_left", ("shift+left", "pageup"), "shift+←", "move", "move a zoomed stretch to the left", GROUP, "pan(-1)"),
    Key("pan_right", ("shift+right", "pagedown"), "shift+→", "move", "move it to the right", GROUP, "pan(1)"),
    Key("whole", ("z",), "z", "all", "all of the run, without a cursor", GROUP, "whole"),
    Key("axis", ("x",), "x", "axis", "along steps, time, episodes or updates", GROUP, "axis", 9),
    Key("smoother", ("plus", "equals_sign"), "+", "smoother", "smooth the curves more", GROUP, "smooth(1)"),
    Key("rougher", ("minus",), "-", "rougher", "smooth them less", GROUP, "smooth(-1)"),
    Key("earlier", ("w",), "w", "earlier runs", "earlier runs behind the curves", GROUP, "earlier"),
    Key("previous_chart", ("up", "shift+tab"), "↑", "select", "select the metric before", GROUP, "select(-1)"),
    Key("next_chart", ("down", "tab"), "↓", "select", "select the next metric", GROUP, "select(1)"),
    Key("explain", ("enter",), "enter", "explain", "what the selected figure means; or click it", GROUP, "explain"),
    Key("log_axis", ("y",), "y", "log", "a logarithmic y axis for the selected chart", GROUP, "log_axis"),
    Key("filter", ("slash",), "/", "filter", "only the charts whose name matches", GROUP, "filter"),
    Key("hide", ("h",), "h", "hide", "hide the selected chart", GROUP, "hide"),
    Key("unhide", ("H",), "H", "show", "show hidden charts again", GROUP, "unhide"),
    Key("columns", ("l",), "l", "columns", "how many charts beside each other", GROUP, "columns"),
    Key("earlier_page", ("left_parenthesis",), "(", "page", "the page of charts before", GROUP, "page(-1)"),
    Key("next_page", ("right_parenthesis",), ")", "page", "more charts", GROUP, "page(1)", 0, "( )"),
)
# fmt: on
