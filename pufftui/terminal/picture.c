/* Writes a picture for a terminal of 16 million colours: two pixels above each other in one cell.
 *
 * Colours are most of the bytes, so what nobody can see is left out. The terminal may show a pixel
 * in another shade than the true one, by a few steps of 256 where the picture is even and by more
 * where the eye has an edge to look at. What is within its limits stays as it is, and of two
 * colours that a cell can be written in (one in front, one behind), those that are set already are
 * used as long as they are within the limits. Each picture is held against the true one, so nothing
 * adds up.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "letters.h"

#define EXPORT __attribute__((visibility("default")))

/* By how many steps a channel may be wrong: by less than half of the largest step to a neighbour,
 * so that neighbours that differ never look alike, and at most by EVEN and a STEEPth of that step.
 * Where there is none, by EVEN: a grey that is wrong by 3 is 1.2 apart in CIELAB, and eyes begin
 * at 2.3. */
enum { EVEN = 3, STEEP = 5 };

/* One row of cells in so many takes its turn to be shown exactly: so what stands still is, and
 * nothing that has passed leaves a trace for longer than so many pictures. */
enum { TURNS = 20 };

/* How many cells ahead it is looked which colour will be needed again. */
enum { AHEAD = 16 };

/* Letters by which of their halves are in the colour in front. */
enum { BLANK, UPPER, LOWER, FULL, NONE };
static const char letters[][4] = {" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"};
static const int lengths[] = {1, 3, 3, 3};

/* The colours in which a pixel may be shown. */
typedef struct {
    uint8_t low[3], high[3];
} Limits;

/* What is written, and the colours that the terminal has after it; -1 is none yet. */
typedef struct {
    char* at;
    int32_t front, back;
} Pen;

/* A row of pixels, what the terminal shows of it, and between which colours it may. */
typedef struct {
    const uint8_t* pixels;
    uint8_t *shown, *low, *high;
} Half;

/* A row of cells, and which of them must be written. */
typedef struct {
    Half upper, lower;
    uint8_t* due;
    int width;
} Row;

static int channel(int32_t colour, int which) {
    return colour >> (16 - 8 * which) & 255;
}

/* Whether a pixel may be shown in a colour: no difference is below 0. */
static int fits(const Half* half, int x, int32_t colour) {
    const uint8_t *low = half->low + 3 * x, *high = half->high + 3 * x;
    int red = channel(colour, 0), green = channel(colour, 1), blue = channel(colour, 2);
    int below = (red - low[0]) | (green - low[1]) | (blue - low[2]);
    int above = (high[0] - red) | (high[1] - green) | (high[2] - blue);
    return colour >= 0 && (below | above) >= 0;
}

static uint8_t larger(uint8_t one, uint8_t other) {
    return one > other ? one : other;
}

static uint8_t smaller(uint8_t one, uint8_t other) {
    return one < other ? one : other;
}

static uint8_t apart(uint8_t one, uint8_t other) {
    return larger(one, other) - smaller(one, other);
}

/* Narrows limits to those of a pixel; 0 and unchanged if no colour is within both. */
static int narrow(Limits* limits, const Half* half, int x) {
    Limits both;
    int some = 1;
    for (int i = 0; i < 3; i++) {
        both.low[i] = larger(limits->low[i], half->low[3 * x + i]);
        both.high[i] = smaller(limits->high[i], half->high[3 * x + i]);
        some &= both.low[i] <= both.high[i];
    }
    if (some) {
        *limits = both;
    }
    return some;
}

/* The colour within limits that is nearest to a pixel's. */
static int32_t nearest(const Limits* limits, const uint8_t* pixel) {
    int32_t found = 0;
    for (int i = 0; i < 3; i++) {
        found = found << 8 | smaller(larger(pixel[i], limits->low[i]), limits->high[i]);
    }
    return found;
}

/* Finds the limits of a row of pixels. `above` and `below` are its neighbours, or itself at an
 * edge. The loops are plain so that they become vector code. */
static void find_limits(const uint8_t* restrict above, const uint8_t* restrict row,
                        const uint8_t* restrict below, int bytes, uint8_t* restrict low,
                        uint8_t* restrict high, int is_exact) {
    for (int i = 0; i < bytes; i++) {
        high[i] = larger(apart(row[i], above[i]), apart(row[i], below[i]));
    }
    for (int i = 0; i < bytes - 3; i++) {
        high[i] = larger(high[i], apart(row[i], row[i + 3]));
    }
    for (int i = 3; i < bytes; i++) {
        high[i] = larger(high[i], apart(row[i], row[i - 3]));
    }
    for (int i = 0; i < bytes; i++) {
        uint8_t step = high[i];
        uint8_t wrong = step < 2 ? EVEN : smaller((step - 1) / 2, EVEN + step / STEEP);
        wrong = is_exact ? 0 : wrong;
        low[i] = row[i] - smaller(row[i], wrong);
        high[i] = row[i] + smaller(255 - row[i], wrong);
    }
}

static void channels(Pen* pen, const char* which, int32_t colour) {
    text(&pen->at, which);
    number(&pen->at, (uint32_t)channel(colour, 0));
    text(&pen->at, ";");
    number(&pen->at, (uint32_t)channel(colour, 1));
    text(&pen->at, ";");
    number(&pen->at, (uint32_t)channel(colour, 2));
}

static void take_up(Pen* pen, int32_t front, int32_t back) {
    int other_front = front != pen->front;
    text(&pen->at, "\x1b[");
    if (other_front) {
        channels(pen, "38;2;", front);
    }
    if (back != pen->back) {
        channels(pen, other_front ? ";48;2;" : "48;2;", back);
    }
    text(&pen->at, "m");
    pen->front = front;
    pen->back = back;
}

/* The letter that shows a cell in the colours that are set. */
static int letter_for(const Pen* pen, const Row* row, int x) {
    int upper_back = fits(&row->upper, x, pen->back), lower_back = fits(&row->lower, x, pen->back);
    if (upper_back && lower_back) {
        return BLANK;
    }
    int upper_front = fits(&row->upper, x, pen->front);
    if (upper_front && lower_back) {
        return UPPER;
    }
    if (!upper_front && !upper_back) {
        return NONE;
    }
    return fits(&row->lower, x, pen->front) ? (upper_back ? LOWER : FULL) : NONE;
}

static void put(Pen* pen, const Row* row, int x, int letter) {
    memcpy(pen->at, letters[letter], 4);
    pen->at += lengths[letter];
    int32_t upper = letter & UPPER ? pen->front : pen->back;
    int32_t lower = letter & LOWER ? pen->front : pen->back;
    for (int i = 0; i < 3; i++) {
        row->upper.shown[3 * x + i] = (uint8_t)channel(upper, i);
        row->lower.shown[3 * x + i] = (uint8_t)channel(lower, i);
    }
}

/* A colour for one pixel of a cell, or for a second one as well, which also fits the same pixels of
 * as many of the next cells as can be. */
static int32_t colour_for(const Row* row, int x, const Half* half, const Half* second) {
    Limits limits = {{0, 0, 0}, {255, 255, 255}};
    const uint8_t* pixel = half->pixels + 3 * x;
    for (; x < row->width; x++) {
        if (row->due[x] && !(narrow(&limits, half, x) && (!second || narrow(&limits, second, x)))) {
            break;
        }
    }
    return nearest(&limits, pixel);
}

/* Whether one colour fits both pixels of a cell. */
static int is_one(const Row* row, int x) {
    Limits limits = {{0, 0, 0}, {255, 255, 255}};
    return narrow(&limits, &row->upper, x) && narrow(&limits, &row->lower, x);
}

/* Whether the colour behind is needed again after a cell, before the one in front is. */
static int back_is_next(const Pen* pen, const Row* row, int x) {
    for (int count = 0; ++x < row->width && count < AHEAD;) {
        if (row->due[x]) {
            count++;
            if (fits(&row->upper, x, pen->front) || fits(&row->lower, x, pen->front)) {
                return 0;
            }
            if (fits(&row->upper, x, pen->back) || fits(&row->lower, x, pen->back)) {
                return 1;
            }
        }
    }
    return 0;
}

/* Sets what a cell needs beside the colours that are set, and returns its letter. */
static int prepare(Pen* pen, const Row* row, int x) {
    const Half *upper = &row->upper, *lower = &row->lower;
    if (is_one(row, x)) {
        int32_t one = colour_for(row, x, upper, lower);
        int keeps_back = back_is_next(pen, row, x);
        take_up(pen, keeps_back ? one : pen->front, keeps_back ? pen->back : one);
        return keeps_back ? FULL : BLANK;
    }
    if (fits(lower, x, pen->front)) {
        take_up(pen, pen->front, colour_for(row, x, upper, NULL));
        return LOWER;
    }
    if (fits(upper, x, pen->back)) {
        take_up(pen, colour_for(row, x, lower, NULL), pen->back);
        return LOWER;
    }
    int keeps_front = fits(upper, x, pen->front), keeps_back = fits(lower, x, pen->back);
    take_up(pen, keeps_front ? pen->front : colour_for(row, x, upper, NULL),
            keeps_back ? pen->back : colour_for(row, x, lower, NULL));
    return UPPER;
}

/* Goes over cells that need not be written, by writing them if that is shorter. */
static void pass(Pen* pen, const Row* row, int from, int to) {
    int cells = to - from, skip = cells == 1 ? 3 : cells < 10 ? 4 : cells < 100 ? 5 : 6, cost = 0;
    for (int x = from; x < to && cost <= skip; x++) {
        int letter = letter_for(pen, row, x);
        cost += letter == NONE ? skip + 1 : lengths[letter];
    }
    if (cost <= skip) {
        for (int x = from; x < to; x++) {
            put(pen, row, x, letter_for(pen, row, x));
        }
        return;
    }
    text(&pen->at, "\x1b[");
    if (cells > 1) {
        number(&pen->at, (uint32_t)cells);
    }
    text(&pen->at, "C");
}

/* Marks the cells that must be written, and returns how many. */
static int mark(const Row* row, int is_known) {
    const Half *upper = &row->upper, *lower = &row->lower;
    int count = 0;
    for (int x = 0; x < row->width; x++) {
        int off = !is_known;
        for (int i = 3 * x; i < 3 * x + 3; i++) {
            off |= upper->shown[i] < upper->low[i] || upper->shown[i] > upper->high[i] ||
                   lower->shown[i] < lower->low[i] || lower->shown[i] > lower->high[i];
        }
        row->due[x] = (uint8_t)off;
        count += off;
    }
    return count;
}

/* Writes what must be written of a row of cells, whose first one is at a column and line. */
static void write_row(Pen* pen, const Row* row, int left, int column, int line) {
    for (int x = 0, at = -1; left > 0; x++) {
        if (!row->due[x]) {
            continue;
        }
        if (at < 0) {
            text(&pen->at, "\x1b[");
            number(&pen->at, (uint32_t)line);
            text(&pen->at, ";");
            number(&pen->at, (uint32_t)(column + x));
            text(&pen->at, "H");
        } else if (at < x) {
            pass(pen, row, at, x);
        }
        int letter = letter_for(pen, row, x);
        put(pen, row, x, letter == NONE ? prepare(pen, row, x) : letter);
        at = x + 1;
        left--;
    }
}

/* Most bytes that puff_picture_write may need to write, and to work with. */
EXPORT size_t puff_picture_room(int width, int rows) {
    return (size_t)rows * (24 + (size_t)width * 48) + 4;
}

EXPORT size_t puff_picture_work(int width) {
    return (size_t)width * 13;
}

/* Writes into `out` what brings `pixels`, `width` wide and 2 * `rows` high, 3 bytes each, onto a
 * terminal that has `shown` there if `is_known`; `shown` is then what it has. The first cell lies
 * at `column` and `line` of the screen, counted from 1. Returns the number of bytes, 0 if nothing
 * needs to be written. */
EXPORT size_t puff_picture_write(uint8_t* shown, int is_known, const uint8_t* pixels, int width,
                                 int rows, int column, int line, int turn, uint8_t* work,
                                 char* out) {
    size_t stride = (size_t)width * 3;
    Pen pen = {out, -1, -1};
    for (int y = 0; y < rows; y++) {
        size_t first = 2 * (size_t)y * stride, second = first + stride;
        const uint8_t *upper = pixels + first, *lower = pixels + second;
        if (is_known && memcmp(shown + first, upper, 2 * stride) == 0) {
            continue;
        }
        int is_exact = y % TURNS == turn % TURNS;
        Row row = {{upper, shown + first, work, work + stride},
                   {lower, shown + second, work + 2 * stride, work + 3 * stride},
                   work + 4 * stride,
                   width};
        find_limits(y > 0 ? upper - stride : upper, upper, lower, (int)stride, row.upper.low,
                    row.upper.high, is_exact);
        find_limits(upper, lower, y + 1 < rows ? lower + stride : lower, (int)stride, row.lower.low,
                    row.lower.high, is_exact);
        write_row(&pen, &row, mark(&row, is_known), column, line + y);
    }
    if (pen.at != out) {
        text(&pen.at, "\x1b[0m");
    }
    return (size_t)(pen.at - out);
}
