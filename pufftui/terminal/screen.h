/* The grids of a screen, shared by who fills them (screen.c) and who sends them (send.c). */
#ifndef PUFF_SCREEN_H
#define PUFF_SCREEN_H

#include <stdint.h>

/* Kinds of colours; 0 is the terminal's own. */
#define OF_16  (1u << 24)
#define OF_256 (2u << 24)
#define OF_ALL (3u << 24)

/* Marks are bits by their number: 1 bold, 2 dim, 3 italic, 4 underlined, 7 reversed, 9 struck. */
#define SHOWS_ON_BLANKS (1u << 4 | 1u << 7 | 1u << 9)

/* One cell: a letter with what is combined with it, and how it looks. The right half of a letter of
 * two cells has width 0; a cell that is not known, and no other, is all zeros. */
typedef struct {
    char text[15];
    uint8_t width;
    uint32_t front, back, marks;
} Cell;

typedef struct {
    uint32_t front, back, marks;
} Pen;

/* Neighbouring cells of a row that look alike, and whether they still are to be sent. */
typedef struct {
    int row, from, to;
    Pen pen;
    int waits;
} Run;

typedef struct {
    int columns, rows;
    Cell* wanted; /* what the app has written last */
    Cell* due;    /* what is being sent: of `wanted` as it was when it was ordered */
    Cell* shown;  /* what the terminal has, or will have once all that was sent has arrived */
    Run* runs;
    int row, column, through;
    Pen pen;
} Screen;

#endif
