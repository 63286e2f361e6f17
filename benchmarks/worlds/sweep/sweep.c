/* sweep: twelve crumbs lie on a floor; each pays 10 to the one who walks over it. */
#include "../world.h"

enum { AGENTS = 1, SIDE = 9, CELLS = SIDE * SIDE, CRUMBS = 12, LIMIT = 60 };
enum { EMPTY, CRUMB, SWEEPER, CLASSES };
enum { UP, DOWN, LEFT, RIGHT };

typedef struct {
    puff_random random;
    int32_t steps, at, swept;
    uint8_t cells[CELLS];
} game;

typedef struct {
    uint8_t cells[CELLS];
} seen;

static void begin(game* g) {
    memset(g->cells, EMPTY, CELLS);
    g->at = drawn_below(&g->random, CELLS);
    g->cells[g->at] = SWEEPER;
    g->swept = 0;
    for (int left = CRUMBS; left > 0;) {
        const int32_t cell = drawn_below(&g->random, CELLS);
        if (g->cells[cell] != EMPTY) continue;
        g->cells[cell] = CRUMB;
        left--;
    }
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    memcpy(o->cells, g->cells, CELLS);
}

static ending act(game* g, const puff_io* io) {
    const int32_t action = io->actions[0];
    const int32_t row = g->at / SIDE + (action == DOWN) - (action == UP);
    const int32_t column = g->at % SIDE + (action == RIGHT) - (action == LEFT);
    if (row >= 0 && row < SIDE && column >= 0 && column < SIDE) {
        g->cells[g->at] = EMPTY;
        g->at = row * SIDE + column;
        if (g->cells[g->at] == CRUMB) {
            io->rewards[0] = 10;
            g->swept++;
        }
        g->cells[g->at] = SWEEPER;
    }
    if (g->swept == CRUMBS) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->swept;
}

static void paint(const game* g, const puff_view* view) {
    static const uint32_t colours[CLASSES] = {GROUND, GOAL, PLAYER};
    for (int i = 0; i < CELLS; i++) paint_cell(view, SIDE, i, colours[g->cells[i]]);
}

static const puff_field fields[] = {
    {.name = "cells", .count = CELLS, .dtype = PUFF_UINT8, .classes = CLASSES}};

static const puff_choice choices[] = {
    {"up", "up w"}, {"down", "down s"}, {"left", "left a"}, {"right", "right d"}};

static const puff_action parts[] = {
    {.name = "walk", .choice_count = PUFF_COUNT(choices), .choices = choices}};

#define DECLARED                                                                                   \
    .name = "sweep", .summary = "sweep up twelve crumbs", .action_kind = PUFF_DISCRETE,            \
    .score_low = 0, .score_high = CRUMBS
#include "../wiring.h"
