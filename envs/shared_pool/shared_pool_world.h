/* The world of shared_pool: a field of cells, the food on it, and who lives there. */
#ifndef SHARED_POOL_WORLD_H
#define SHARED_POOL_WORLD_H

#include <stdint.h>

#include "random.h"

enum { SIDE = 32, VISION = 3, CELLS = SIDE * SIDE, INNER = SIDE - 2 * VISION };
enum { AGENTS = 8, WINDOW = 2 * VISION + 1, SEEN = WINDOW * WINDOW, OBSERVATION = SEEN + 1 };
enum { MOST_FOOD = INNER * INNER, FIRST_NORMAL = MOST_FOOD / 20, FIRST_SHARED = MOST_FOOD / 50 };
enum { START_HP = 80, MOST_HP = 100, NORMAL_HP = 20, SHARED_HP = 50, TIME_LIMIT = 1000 };
enum { EMPTY, NORMAL, SHARED, WALL, OTHER, ITSELF, CLASSES };
enum { KINDS = 2, NEIGHBOURS = 8 };

/* Food of one kind. Each piece tries in each step to seed each of its eight neighbours, and almost
 * every try fails: so what is kept is how many will fail until the next one succeeds. */
typedef struct {
    double log_failure; /* log(1 - the chance of a try) */
    int64_t failures;
    int32_t count;
    uint16_t places[MOST_FOOD];
} food;

typedef struct {
    int32_t cell;
    int32_t hp;                 /* 0: dead */
    int32_t normal, shared;     /* eaten in this episode */
    int32_t last_cell, last_hp; /* before the last step, for drawing */
} forager;

typedef struct {
    puff_random random;
    float sharing;     /* part of all rewards that is shared out */
    food foods[KINDS]; /* of kind NORMAL + index */
    forager agents[AGENTS];
    int32_t tick;
    int32_t living;
    uint8_t cells[CELLS + 8]; /* rows are read eight bytes at a time */
} pool;

#endif
