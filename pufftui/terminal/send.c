/* Sends what differs between what a terminal shows and what is due, in no more bytes than there is
 * room for. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "letters.h"
#include "screen.h"

#define EXPORT __attribute__((visibility("default")))

/* Most bytes that one run needs before its first letter, and that any cell needs. */
#define START 96
#define CELL  32

/* Blanks from which erasing is shorter than writing them. */
#define MANY_BLANKS 7

/* What is written, and where the terminal's cursor is and how it writes then; row -1 if unknown. */
typedef struct {
    char *at, *end;
    int row, column, erases, coloured;
    Pen pen;
} Out;

/* Parts of one sequence: the first begins it, the others are divided. */
static void part(Out* out, int* begun, uint32_t value) {
    text(&out->at, *begun ? ";" : "\x1b[");
    *begun = 1;
    number(&out->at, value);
}

static void colour(Out* out, int* begun, uint32_t colour, uint32_t base) {
    uint32_t value = colour & 0xffffff;
    if (colour < OF_16) {
        part(out, begun, base + 9);
    } else if (colour < OF_256) {
        part(out, begun, value < 8 ? base + value : base + 60 + value - 8);
    } else {
        part(out, begun, base + 8);
        part(out, begun, colour < OF_ALL ? 5 : 2);
        if (colour < OF_ALL) {
            part(out, begun, value);
        } else {
            part(out, begun, value >> 16);
            part(out, begun, value >> 8 & 255);
            part(out, begun, value & 255);
        }
    }
}

static int is_blank(const Cell* cell) {
    return cell->text[0] == ' ' && !cell->text[1] && !cell->marks;
}

/* Whether a cell looks as it should if it is written so. */
static int fits(const Cell* cell, Pen pen) {
    if (is_blank(cell)) {
        return cell->back == pen.back && !(pen.marks & SHOWS_ON_BLANKS);
    }
    return cell->front == pen.front && cell->back == pen.back && cell->marks == pen.marks;
}

static void take_up(Out* out, Pen pen) {
    int begun = 0;
    if (!out->coloured || out->pen.marks != pen.marks) {
        part(out, &begun, 0);
        memset(&out->pen, 0, sizeof out->pen);
        for (uint32_t mark = 1; mark < 10; mark++) {
            if (pen.marks & 1u << mark) {
                part(out, &begun, mark);
            }
        }
    }
    if (out->pen.front != pen.front) {
        colour(out, &begun, pen.front, 30);
    }
    if (out->pen.back != pen.back) {
        colour(out, &begun, pen.back, 40);
    }
    if (begun) {
        text(&out->at, "m");
    }
    out->pen = pen;
    out->coloured = 1;
}

static void go(Out* out, int row, int column) {
    if (out->row == row && out->column == column) {
        return;
    }
    text(&out->at, "\x1b[");
    if (out->row == row && out->column < column) {
        if (column - out->column > 1) {
            number(&out->at, (uint32_t)(column - out->column));
        }
        text(&out->at, "C");
    } else {
        number(&out->at, (uint32_t)row + 1);
        if (column) {
            text(&out->at, ";");
            number(&out->at, (uint32_t)column + 1);
        }
        text(&out->at, "H");
    }
    out->row = row;
    out->column = column;
}

/* Whether every terminal agrees that a letter takes one cell. */
static int is_sure(const Cell* cell) {
    const uint8_t* bytes = (const uint8_t*)cell->text;
    /* Lines, blocks and shapes, or braille. */
    int drawn = bytes[0] == 0xe2 && !bytes[3] &&
                ((bytes[1] >= 0x94 && bytes[1] <= 0x97) || (bytes[1] >= 0xa0 && bytes[1] <= 0xa3));
    return cell->width == 1 && ((bytes[0] < 0x80 && !bytes[1]) || drawn);
}

/* How many cells the letter at `x` takes: half a letter, where another part of the screen is still
 * to be sent, is a blank for now. */
static int cells_at(const Screen* screen, const Cell* row, int x) {
    return row[x].width == 2 && x + 1 < screen->columns && row[x + 1].width == 0 ? 2 : 1;
}

/* Sends a run, or what there is room for of it; whether that was all. */
static int send_run(Screen* screen, Out* out, Run* run) {
    size_t row = (size_t)(run->row * screen->columns);
    Cell *due = screen->due + row, *shown = screen->shown + row;
    if (out->end - out->at < START) {
        return 0;
    }
    go(out, run->row, run->from);
    take_up(out, run->pen);
    while (run->from < run->to) {
        int x = run->from, blanks = x;
        if (out->end - out->at < CELL) {
            return 0;
        }
        while (blanks < run->to && is_blank(due + blanks)) {
            blanks++;
        }
        go(out, run->row, x);
        if (out->erases && blanks - x >= MANY_BLANKS) {
            text(&out->at, "\x1b[");
            number(&out->at, (uint32_t)(blanks - x));
            text(&out->at, "X");
            run->from = blanks;
        } else {
            int cells = cells_at(screen, due, x);
            text(&out->at, cells == due[x].width ? due[x].text : " ");
            run->from = x + cells;
            out->column = run->from;
            if (!is_sure(due + x)) {
                out->row = -1;
            }
        }
        memcpy(shown + x, due + x, sizeof(Cell) * (size_t)(run->from - x));
    }
    run->waits = 0;
    return 1;
}

/* Finds the runs of cells that differ in a row, from `from` to `to`. */
static size_t collect(Screen* screen, int row, int from, int to, size_t count) {
    const Cell *due = screen->due + row * screen->columns,
               *shown = screen->shown + row * screen->columns;
    for (int x = from; x < to; x++) {
        if (memcmp(due + x, shown + x, sizeof(Cell)) == 0) {
            continue;
        }
        int begin = x > 0 && due[x].width == 0 && due[x - 1].width == 2 ? x - 1 : x;
        int last = begin + cells_at(screen, due, begin);
        Run* before = count ? screen->runs + count - 1 : NULL;
        if (before && before->row == row && before->to == begin && fits(due + begin, before->pen)) {
            before->to = last;
        } else {
            Pen pen = {due[begin].front, due[begin].back, due[begin].marks};
            screen->runs[count++] = (Run){row, begin, last, pen, 1};
        }
        x = last - 1;
    }
    return count;
}

static int same(Pen one, Pen other) {
    return one.front == other.front && one.back == other.back && one.marks == other.marks;
}

/* Writes into `out` at most `room` bytes (128 at least) that show what is due in a part of the
 * screen, without the part `hole` (x, y, width, height) of it; returns how many, 0 if nothing
 * differs. `by_look`: what looks alike is sent together, which is shorter for text. `erases`: the
 * terminal erases in the colour behind. */
EXPORT size_t puff_screen_send(Screen* screen, int x, int y, int width, int height, const int* hole,
                               int by_look, int erases, size_t room, char* out) {
    Out sent = {.at = out, .end = out + room - 8, .row = -1, .erases = erases};
    size_t count = 0, first = 0;
    for (int row = y; row < y + height && row < screen->rows; row++) {
        int within = row >= hole[1] && row < hole[1] + hole[3] && hole[2] > 0;
        count = collect(screen, row, x, within ? hole[0] : x + width, count);
        if (within) {
            count = collect(screen, row, hole[0] + hole[2], x + width, count);
        }
    }
    for (; first < count; first++) {
        Run* run = screen->runs + first;
        if (!run->waits) {
            continue;
        }
        if (!send_run(screen, &sent, run)) {
            break;
        }
        for (size_t other = first + 1; by_look && other < count; other++) {
            Run* next = screen->runs + other;
            if (next->waits && same(next->pen, run->pen) && !send_run(screen, &sent, next)) {
                first = count;
                break;
            }
        }
    }
    if (sent.at != out) {
        text(&sent.at, "\x1b[0m");
    }
    return (size_t)(sent.at - out);
}
