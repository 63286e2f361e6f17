"""The keys of the charts: of all of them at once, and of the one that is selected."""

from __future__ import annotations

from pufftui.keys.key import rows

CHART_KEYS = rows(
    "Charts",
    """
    previous_place | left                 | ←       | cursor       | the cursor to the left, in all charts       | charts.cursor(-1) |
    next_place     | right                | →       | cursor       | the cursor to the right                     | charts.cursor(1)  |
    zoom_in        | i                    | i       | zoom in      | a smaller stretch; the wheel does it, too   | charts.zoom(1)    |
    zoom_out       | o                    | o       | zoom out     | a larger stretch                            | charts.zoom(-1)   |
    pan_left       | shift+left pageup    | shift+← | move         | move a zoomed stretch to the left           | charts.pan(-1)    |
    pan_right      | shift+right pagedown | shift+→ | move         | move it to the right                        | charts.pan(1)     |
    whole          | z                    | z       | all          | the whole run, without a cursor            | charts.whole      |
    axis           | x                    | x       | axis         | along steps, time, episodes or updates      | charts.axis       | 9
    smoother       | plus equals_sign     | +       | smoother     | smooth the curves more                      | charts.smooth(1)  |
    rougher        | minus                | -       | rougher      | smooth them less                            | charts.smooth(-1) |
    earlier        | w                    | w       | earlier runs | earlier runs behind the curves              | charts.earlier    |
    previous_chart | up shift+tab         | ↑       | select       | select the previous metric                    | charts.select(-1) |
    next_chart     | down tab             | ↓       | select       | select the next metric                      | charts.select(1)  |
    explain        | enter                | enter   | explain      | explain the selected figure; or click it | charts.explain    |
    log_axis       | y                    | y       | log          | a logarithmic y axis for the selected chart | charts.log_axis   |
    filter         | slash                | /       | filter       | only the charts whose name matches          | charts.filter     |
    hide           | h                    | h       | hide         | hide the selected chart                     | charts.hide       |
    unhide         | H                    | H       | show         | show hidden charts again                    | charts.unhide     |
    standard       | Z                    | Z       | reset view   | charts as they are at first                 | charts.standard |
    columns        | l                    | l       | columns      | how many charts beside each other           | charts.columns    |
    earlier_page   | left_parenthesis     | (       | page         | the previous page of charts                   | charts.page(-1)   |
    next_page      | right_parenthesis    | )       | page         | more charts                                 | charts.page(1)    | 0 ( )
    """,
)
