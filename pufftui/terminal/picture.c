/* Writes a picture for a terminal of 16 million colours: two pixels above each other in one cell.
 *
 * Only what differs from the picture before is written: in every row of cells the stretch from the
 * first to the last cell that changed, and in it a colour only where it is another one.
 */
#include <stddef.h>
#include <stdint.h>

#include "letters.h"

#define EXPORT __attribute__((visibility("default")))

/* What is written, and the colours that the terminal has after it; -1 is none yet. */
typedef struct {
    char* at;
    int32_t front;
    int32_t back;
} Pen;

static int32_t colour(const uint8_t* pixel) {
    return pixel[0] << 16 | pixel[1] << 8 | pixel[2];
}

static void channels(Pen* pen, const char* which, int32_t colour) {
    text(&pen->at, which);
    number(&pen->at, (uint32_t)(colour >> 16));
    text(&pen->at, ";");
    number(&pen->at, (uint32_t)(colour >> 8 & 255));
    text(&pen->at, ";");
    number(&pen->at, (uint32_t)(colour & 255));
}

static void cell(Pen* pen, int32_t upper, int32_t lower) {
    /* A cell of one colour is a blank, and its letter's colour does not matter. */
    int front = upper != lower && upper != pen->front, back = lower != pen->back;
    if (front || back) {
        text(&pen->at, "\x1b[");
        if (front) {
            channels(pen, "38;2;", upper);
            pen->front = upper;
        }
        if (back) {
            channels(pen, front ? ";48;2;" : "48;2;", lower);
            pen->back = lower;
        }
        text(&pen->at, "m");
    }
    text(&pen->at, upper == lower ? " " : "\xe2\x96\x80");
}

/* Most bytes that puff_picture_write may need. */
EXPORT size_t puff_picture_room(int width, int rows) {
    return (size_t)rows * (24 + (size_t)width * 40) + 4;
}

/* Writes into `out` what turns the picture `before` into `pixels`, both `width` pixels wide and
 * 2 * `rows` high, 3 bytes each; without a picture before (NULL) all of it. The first cell lies at
 * `column` and `line` of the screen, counted from 1. Returns the number of bytes, 0 if nothing
 * changed. */
EXPORT size_t puff_picture_write(const uint8_t* before, const uint8_t* pixels, int width, int rows,
                                 int column, int line, char* out) {
    size_t stride = (size_t)width * 3;
    Pen pen = {out, -1, -1};
    for (int row = 0; row < rows; row++) {
        const uint8_t *upper = pixels + 2 * row * stride, *lower = upper + stride;
        int first = 0, last = width - 1;
        if (before) {
            const uint8_t *old_upper = before + 2 * row * stride, *old_lower = old_upper + stride;
            if (memcmp(old_upper, upper, 2 * stride) == 0) {
                continue;
            }
#define SAME(x)                                                                                    \
    (memcmp(old_upper + 3 * (x), upper + 3 * (x), 3) == 0 &&                                       \
     memcmp(old_lower + 3 * (x), lower + 3 * (x), 3) == 0)
            while (SAME(first)) {
                first++;
            }
            while (SAME(last)) {
                last--;
            }
#undef SAME
        }
        text(&pen.at, "\x1b[");
        number(&pen.at, (uint32_t)(line + row));
        text(&pen.at, ";");
        number(&pen.at, (uint32_t)(column + first));
        text(&pen.at, "H");
        for (int x = first; x <= last; x++) {
            cell(&pen, colour(upper + 3 * x), colour(lower + 3 * x));
        }
    }
    if (pen.at != out) {
        text(&pen.at, "\x1b[0m");
    }
    return (size_t)(pen.at - out);
}
