/* What a terminal shows, and what it is to show: two grids of cells, and the bytes that turn one
 * into the other.
 *
 * What the app writes is read into a grid instead of being sent. On a line that is too slow for all
 * of it, only what differs when there is room is sent, so that what came in between costs nothing.
 * Only what the app itself writes is understood: places, colours and letters. Everything else is
 * handed on.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

#define EXPORT __attribute__((visibility("default")))

#define LOWER_HALF 0x2584
#define FULL_BLOCK 0x2588

static Cell blank_cell(uint32_t back) {
    Cell cell = {.width = 1, .back = back};
    cell.text[0] = ' ';
    return cell;
}

EXPORT void puff_screen_free(Screen* screen) {
    free(screen->shown);
    free(screen->due);
    free(screen->wanted);
    free(screen->runs);
    free(screen);
}

EXPORT Screen* puff_screen_new(int columns, int rows) {
    size_t cells = (size_t)columns * (size_t)rows;
    Screen* screen = calloc(1, sizeof *screen);
    if (!screen) {
        return NULL;
    }
    screen->columns = columns;
    screen->rows = rows;
    screen->shown = calloc(cells, sizeof(Cell));
    screen->due = calloc(cells, sizeof(Cell));
    screen->wanted = calloc(cells, sizeof(Cell));
    screen->runs = calloc(cells, sizeof(Run));
    if (!screen->shown || !screen->due || !screen->wanted || !screen->runs) {
        puff_screen_free(screen);
        return NULL;
    }
    for (size_t i = 0; i < cells; i++) {
        screen->wanted[i] = screen->due[i] = blank_cell(0);
    }
    return screen;
}

/* Letters of two cells, and those of none that belong to the letter before, by Unicode 15. */
static const uint32_t WIDE[][2] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2630, 0x2637},   {0x2648, 0x2653},   {0x267f, 0x267f},   {0x268a, 0x268f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},
    {0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},
    {0x26f2, 0x26f3},   {0x26f5, 0x26f5},   {0x26fa, 0x26fa},   {0x26fd, 0x26fd},
    {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},
    {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},
    {0x2b55, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
    {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f265}, {0x1f300, 0x1f320},
    {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca},
    {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e},
    {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4},
    {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2},
    {0x1f6d5, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb},
    {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff},
    {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};
static const uint32_t NONE[][2] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},     {0x610, 0x61a},    {0x64b, 0x65f},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0x20d0, 0x20f0},  {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff}, {0xe0001, 0xe01ef}};

static int within(const uint32_t (*ranges)[2], size_t count, uint32_t letter) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (letter > ranges[middle][1]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && letter >= ranges[low][0];
}

EXPORT int puff_screen_width(uint32_t letter) {
    if (letter < 0x300) {
        return 1;
    }
    if (within(NONE, sizeof NONE / sizeof *NONE, letter)) {
        return 0;
    }
    return within(WIDE, sizeof WIDE / sizeof *WIDE, letter) ? 2 : 1;
}

static void set(Screen* screen, size_t place, Cell cell) {
    screen->wanted[place] = cell;
    if (screen->through) {
        screen->shown[place] = screen->due[place] = cell;
    }
}

/* Writes one cell; what is left of a letter of two cells that it cuts becomes a blank. */
static void put_cell(Screen* screen, int x, Cell cell) {
    size_t place = (size_t)(screen->row * screen->columns + x);
    const Cell* old = screen->wanted + place;
    if (old->width == 0 && cell.width != 0 && x > 0) {
        set(screen, place - 1, blank_cell(old[-1].back));
    }
    if (old->width == 2 && x + 1 < screen->columns) {
        set(screen, place + 1, blank_cell(old[1].back));
    }
    set(screen, place, cell);
}

/* Half blocks have two ways to look alike. They are kept in one, so that what looks as before is
 * not sent again: a lower half is an upper one in swapped colours, and a whole one a blank. */
static void settle(Cell* cell, uint32_t letter) {
    uint32_t front = cell->front, back = cell->back;
    if (cell->marks || !front || !back) {
        return; /* the terminal's own colours are not known, so cannot be swapped */
    }
    if (letter == LOWER_HALF) {
        memcpy(cell->text, "\xe2\x96\x80", 4);
        cell->front = back;
        cell->back = front;
    } else if (letter == FULL_BLOCK) {
        *cell = blank_cell(front);
    }
}

static void put(Screen* screen, const char* text, int length, uint32_t letter) {
    int width = puff_screen_width(letter), x = screen->column;
    if (screen->row < 0 || screen->row >= screen->rows || x < 0) {
        return;
    }
    if (width == 0) {
        if (x > 0 && x <= screen->columns) {
            Cell* cell = screen->wanted + screen->row * screen->columns + x - 1;
            if (cell->width == 0 && x > 1) {
                cell--;
            }
            size_t used = strlen(cell->text);
            if (used + (size_t)length < sizeof cell->text) {
                memcpy(cell->text + used, text, (size_t)length);
                set(screen, (size_t)(cell - screen->wanted), *cell);
            }
        }
        return;
    }
    screen->column = x + width;
    if (x + width > screen->columns) {
        return;
    }
    Cell cell = {.width = (uint8_t)width,
                 .front = screen->pen.front,
                 .back = screen->pen.back,
                 .marks = screen->pen.marks};
    memcpy(cell.text, text, (size_t)length);
    settle(&cell, letter);
    if (letter == ' ' && !(cell.marks & SHOWS_ON_BLANKS)) {
        cell.front = cell.marks = 0; /* nobody sees them */
    }
    put_cell(screen, x, cell);
    if (width == 2) {
        cell.width = 0;
        memset(cell.text, 0, sizeof cell.text);
        put_cell(screen, x + 1, cell);
    }
}

static void select_colours(Screen* screen, const int* numbers, int count) {
    Pen* pen = &screen->pen;
    for (int i = 0; i < count; i++) {
        int n = numbers[i];
        uint32_t* which = n / 10 == 3 || n / 10 == 9 ? &pen->front : &pen->back;
        if (n == 0) {
            memset(pen, 0, sizeof *pen);
        } else if (n < 10) {
            pen->marks |= 1u << n;
        } else if (n == 22) {
            pen->marks &= ~(1u << 1 | 1u << 2);
        } else if (n > 22 && n < 30) {
            pen->marks &= ~(1u << (n - 20));
        } else if ((n == 38 || n == 48) && i + 2 < count && numbers[i + 1] == 5) {
            *which = OF_256 | (uint32_t)numbers[i + 2];
            i += 2;
        } else if ((n == 38 || n == 48) && i + 4 < count && numbers[i + 1] == 2) {
            *which =
                OF_ALL | (uint32_t)(numbers[i + 2] << 16 | numbers[i + 3] << 8 | numbers[i + 4]);
            i += 4;
        } else if (n == 39 || n == 49) {
            *which = 0;
        } else if ((n >= 30 && n < 38) || (n >= 40 && n < 48)) {
            *which = OF_16 | (uint32_t)(n % 10);
        } else if ((n >= 90 && n < 98) || (n >= 100 && n < 108)) {
            *which = OF_16 | (uint32_t)(n % 10 + 8);
        }
    }
}

/* Reads a sequence that begins with ESC [ and ends before `end`; whether it was about cells. */
static int control(Screen* screen, const char* from, const char* end) {
    int numbers[32] = {0}, count = 1, length = (int)(end - from);
    if (length == 8 && !memcmp(from + 2, "?2026", 5)) {
        return 1; /* who sends the cells says what belongs together */
    }
    for (const char* at = from + 2; at < end - 1; at++) {
        if (*at >= '0' && *at <= '9') {
            numbers[count - 1] = (numbers[count - 1] * 10 + *at - '0') % 100000;
        } else if (*at == ';' && count < 32) {
            count++;
        } else {
            return 0;
        }
    }
    if (end[-1] == 'H') {
        screen->row = numbers[0] ? numbers[0] - 1 : 0;
        screen->column = count > 1 && numbers[1] ? numbers[1] - 1 : 0;
        return 1;
    }
    if (end[-1] == 'C') {
        screen->column += numbers[0] ? numbers[0] : 1;
        return 1;
    }
    if (end[-1] == 'm') {
        select_colours(screen, numbers, count);
        return 1;
    }
    return 0;
}

/* Where the sequence that begins at `from` with ESC ends. */
static const char* sequence_end(const char* from, const char* end) {
    const char* at = from + 1;
    if (at == end) {
        return end;
    }
    if (*at == '[') {
        for (at++; at < end && (*at < 0x40 || *at > 0x7e); at++) {
        }
        return at < end ? at + 1 : end;
    }
    if (strchr("]P_^X", *at)) {
        for (at++; at < end; at++) {
            if (*at == '\a') {
                return at + 1;
            }
            if (*at == '\x1b' && at + 1 < end && at[1] == '\\') {
                return at + 2;
            }
        }
        return end;
    }
    while (at < end && *at >= 0x20 && *at < 0x30) {
        at++;
    }
    return at < end ? at + 1 : end;
}

/* Bytes of the letter that begins at `at`, and its number. */
static int letter_at(const char* at, const char* end, uint32_t* letter) {
    uint8_t first = (uint8_t)*at;
    int length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length > end - at) {
        length = (int)(end - at);
    }
    *letter = length == 1 ? first : first & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        *letter = *letter << 6 | ((uint8_t)at[i] & 0x3f);
    }
    return length;
}

/* Reads what the app writes. What is not about cells goes to `out`, which has room for `length`
 * bytes; the number of those is returned. `through`: the terminal is sent the same bytes. */
EXPORT size_t puff_screen_write(Screen* screen, const char* data, size_t length, int through,
                                char* out) {
    const char *at = data, *end = data + length;
    char* rest = out;
    screen->through = through;
    while (at < end) {
        if (*at == '\x1b') {
            const char* next = sequence_end(at, end);
            if (!(next - at > 2 && at[1] == '[' && control(screen, at, next))) {
                memcpy(rest, at, (size_t)(next - at));
                rest += next - at;
            }
            at = next;
        } else if (*at == '\n' || *at == '\r') {
            screen->row += *at++ == '\n';
            screen->column = 0;
        } else if ((uint8_t)*at < 0x20 || *at == 0x7f) {
            *rest++ = *at++;
        } else {
            uint32_t letter;
            int bytes = letter_at(at, end, &letter);
            put(screen, at, bytes, letter);
            at += bytes;
        }
    }
    return (size_t)(rest - out);
}

/* What is wanted now becomes what is due, in a part of the screen. */
EXPORT void puff_screen_order(Screen* screen, int x, int y, int width, int height) {
    for (int row = y; row < y + height && row < screen->rows; row++) {
        size_t from = (size_t)(row * screen->columns + x);
        memcpy(screen->due + from, screen->wanted + from, sizeof(Cell) * (size_t)width);
    }
}
