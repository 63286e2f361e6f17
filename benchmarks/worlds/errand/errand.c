/* errand: fetch a key from one room and bring it to a chest in the next one. Only that pays. */
#include "../world.h"

enum { AGENTS = 1, SIDE = 9, CELLS = SIDE * SIDE, MIDDLE = SIDE / 2, LIMIT = 100 };
enum { EMPTY, WALL, WALKER, KEY, CHEST, CLASSES };
enum { UP, DOWN, LEFT, RIGHT };

typedef struct {
    puff_random random;
    int32_t steps, at, key, chest, gap, carries, done;
} game;

typedef struct {
    uint8_t cells[CELLS], carries;
} seen;

static int32_t cell_of_room(game* g, int32_t left) {
    return drawn_below(&g->random, SIDE) * SIDE + left + drawn_below(&g->random, MIDDLE);
}

static void begin(game* g) {
    g->carries = g->done = 0;
    g->key = cell_of_room(g, 0);
    g->chest = cell_of_room(g, MIDDLE + 1);
    g->gap = drawn_below(&g->random, SIDE) * SIDE + MIDDLE;
    do {
        g->at = cell_of_room(g, 0);
    } while (g->at == g->key);
}

static int is_wall(const game* g, int32_t cell) {
    return cell % SIDE == MIDDLE && cell != g->gap;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < CELLS; i++) o->cells[i] = is_wall(g, i) ? WALL : EMPTY;
    if (!g->carries) o->cells[g->key] = KEY;
    o->cells[g->chest] = CHEST;
    o->cells[g->at] = WALKER;
    o->carries = (uint8_t)g->carries;
}

static ending act(game* g, const puff_io* io) {
    const int32_t action = io->actions[0];
    const int32_t row = g->at / SIDE + (action == DOWN) - (action == UP);
    const int32_t column = g->at % SIDE + (action == RIGHT) - (action == LEFT);
    const int32_t next = row * SIDE + column;
    if (row >= 0 && row < SIDE && column >= 0 && column < SIDE && !is_wall(g, next)) g->at = next;
    g->carries |= g->at == g->key;
    g->done = g->carries && g->at == g->chest;
    io->rewards[0] = (float)g->done;
    if (g->done) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->done;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < CELLS; i++) paint_cell(view, SIDE, i, is_wall(g, i) ? 0x6b7484 : GROUND);
    if (!g->carries) paint_cell(view, SIDE, g->key, DANGER);
    paint_cell(view, SIDE, g->chest, GOAL);
    paint_cell(view, SIDE, g->at, PLAYER);
}

static const puff_field fields[] = {
    {.name = "cells", .offset = 0, .count = CELLS, .dtype = PUFF_UINT8, .classes = CLASSES},
    {.name = "carries", .offset = CELLS, .count = 1, .dtype = PUFF_UINT8, .classes = 2},
};

static const puff_choice choices[] = {
    {"up", "up w"}, {"down", "down s"}, {"left", "left a"}, {"right", "right d"}};

static const puff_action parts[] = {
    {.name = "walk", .choice_count = PUFF_COUNT(choices), .choices = choices}};

#define DECLARED                                                                                   \
    .name = "errand", .summary = "bring a key to a chest in the next room",                        \
    .action_kind = PUFF_DISCRETE, .turn_based = 1, .score_low = 0, .score_high = 1
#include "../wiring.h"
