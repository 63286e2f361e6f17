"""What a slow terminal is sent, read by a plain terminal that knows places, colours and letters."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from plain_terminal import Cell, Plain
from rich.cells import cell_len, set_cell_size
from textual.geometry import Region, Size

from pufftui.terminal.grids import LEAST_ROOM, Grids, width
from pufftui.terminal.paced import around

NOTHING = Region(0, 0, 0, 0)
LETTERS = st.text("ab  ─█▀▄⣿é·漢字", min_size=1, max_size=12)
STYLES = st.sampled_from(
    ["0", "1", "1;31", "38;5;100", "38;2;1;2;3;48;2;4;5;6", "48;2;9;9;9", "4;44", "0;7", "97;100"]
)
WRITES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 5), STYLES, LETTERS), max_size=12)


def written(writes: list[tuple[int, int, str, str]], size: Size) -> str:
    parts = []
    for x, y, style, text in writes:
        letters = set_cell_size(text, min(cell_len(text), size.width - x))
        parts.append(f"\x1b[{y + 1};{x + 1}H\x1b[0;{style}m{letters}")
    return "".join(parts)


@settings(max_examples=300)
@given(st.lists(WRITES, min_size=1, max_size=4), st.booleans(), st.booleans(), st.data())
def test_a_terminal_shows_what_was_written_however_it_was_sent(
    frames: list[list[tuple[int, int, str, str]]], text: bool, erases: bool, data: st.DataObject
) -> None:
    size = Size(20, 6)
    grids, expected, shown = Grids(size), Plain(size), Plain(size)
    hole = Region(data.draw(st.integers(0, 9)), data.draw(st.integers(0, 3)), 6, 2)
    blank = "".join(f"\x1b[{y + 1};1H\x1b[0m{' ' * 20}" for y in range(6))
    for writes in [None, *frames]:
        wanted = blank if writes is None else written(writes, size)
        through = data.draw(st.booleans()) if writes is not None else False
        expected.read(wanted)
        if through:
            shown.read(wanted)
        assert grids.write(wanted, through=through) == ""
        for part in around(hole, size.region):
            grids.order(part)
        room = data.draw(st.integers(LEAST_ROOM, 400))
        while piece := grids.send(size.region, hole, room, text=text, erases=erases):
            assert len(piece) <= room
            shown.read(piece.decode())
        grids.order(hole)
        while piece := grids.send(hole, NOTHING, room, text=text, erases=erases):
            shown.read(piece.decode())
        assert looks(shown) == looks(expected)


def looks(terminal: Plain) -> dict[tuple[int, int], Cell]:
    """What is to be seen of each cell: half blocks of swapped colours are one look."""
    return {place: look(cell) for place, cell in terminal.cells.items()}


def look(cell: Cell) -> Cell:
    letter, (front, back, marks) = cell
    if marks or not front or not back or letter not in "▄█":
        return cell
    return ("▀", (back, front, marks)) if letter == "▄" else (" ", ("", front, marks))


def test_what_looks_as_before_is_not_sent_again() -> None:
    """The upper half in one colour is the lower one in another; a whole block is a blank."""
    grids, screen = Grids(Size(3, 1)), Size(3, 1).region
    grids.write("\x1b[38;2;1;2;3;48;2;4;5;6m▀█ ", through=True)
    grids.write("\x1b[1;1H\x1b[38;2;4;5;6;48;2;1;2;3m▄ \x1b[38;2;4;5;6m█", through=False)
    grids.order(screen)
    assert grids.send(screen, NOTHING, 500, text=False, erases=False) == b""


def test_what_was_ordered_before_a_line_kept_up_is_not_sent_after_it() -> None:
    grids, screen = Grids(Size(10, 1)), Size(10, 1).region
    grids.write("an old one", through=False)
    grids.order(screen)
    grids.write("\x1b[1;1Hnew letter", through=True)
    assert grids.send(screen, NOTHING, 500, text=False, erases=False) == b""


def test_cells_that_are_passed_stay() -> None:
    grids, plain = Grids(Size(12, 1)), Plain(Size(12, 1))
    grids.write("\x1b[1;1H0123456789ab", through=False)
    grids.write("\x1b[1;1Hx\x1b[Cy\x1b[4Cz", through=False)
    grids.order(Size(12, 1).region)
    plain.read(grids.send(plain.size.region, NOTHING, 500, text=True, erases=False).decode())
    assert plain.text() == "x1y3456z89ab"


def test_a_frame_that_was_ordered_does_not_change_on_its_way() -> None:
    size = Size(20, 1)
    grids, screen = Grids(size), Size(20, 1).region
    grids.write("first", through=False)
    grids.order(screen)
    grids.write("\x1b[1;1Hother", through=False)
    assert b"first" in grids.send(screen, NOTHING, 500, text=True, erases=False)
    assert grids.send(screen, NOTHING, 500, text=True, erases=False) == b""
    grids.order(screen)
    assert b"other" in grids.send(screen, NOTHING, 500, text=True, erases=False)


def test_what_is_not_about_cells_is_handed_on() -> None:
    grids = Grids(Size(10, 2))
    others = "\x1b[?1049h\x1b]0;a title\x07\x1b[>25u\a\x1b]9;hello\x1b\\\x1b[?25l\x1b(B"
    assert grids.write(f"\x1b[1mx{others}\x1b[?2026h\x1b[2;2Hy\x1b[?2026l", through=False) == others


def test_what_a_terminal_is_not_known_to_show_is_sent() -> None:
    grids, screen = Grids(Size(10, 1)), Size(10, 1).region
    grids.write("0123456789", through=True)
    grids.order(screen)
    assert grids.send(screen, NOTHING, 500, text=True, erases=False) == b""
    grids = Grids(Size(10, 1))
    grids.write("0123456789", through=False)
    grids.order(screen)
    assert b"0123456789" in grids.send(screen, NOTHING, 500, text=True, erases=False)


def test_letters_are_as_wide_as_textual_believes() -> None:
    blocks = [(0x20, 0x7E), (0xA1, 0x2FF), (0x370, 0x482), (0x1E00, 0x200A), (0x2010, 0x2027)]
    blocks += [(0x2030, 0x205E), (0x2190, 0x28FF), (0x3001, 0x3029), (0x3041, 0x3096)]
    blocks += [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF01, 0xFF9F)]
    blocks += [(0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x20100)]
    other = [
        chr(code)
        for first, last in blocks
        for code in range(first, last + 1)
        if width(chr(code)) != cell_len(chr(code))
    ]
    assert other == []
