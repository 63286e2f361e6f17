"""What was loaded stays for as long as the process: nobody needs to look through it again and again."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Takes all that exists out of the search for cycles that are no longer needed.

    With torch that search takes a quarter of a second, in which neither training nor the screen moves; what comes later
    is a few thousand objects. Call it once everything is loaded and built, and `let_go_of_what_is_loaded` at the end.
    """
    gc.freeze()


def let_go_of_what_is_loaded() -> None:
    """Undoes it: in a process that goes on, what training has left behind is to be found."""
    gc.unfreeze()
