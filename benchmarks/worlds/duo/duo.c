/* duo: two walkers, each with a plate of its own. A door opens, and pays both, when both stand on
 * their plates at once. Nothing else pays. */
#include "../world.h"

enum { AGENTS = 2, SIDE = 6, CELLS = SIDE * SIDE, LIMIT = 40 };
enum { EMPTY, ITSELF, OTHER, OWN_PLATE, OTHERS_PLATE, CLASSES };
enum { STAY, UP, DOWN, LEFT, RIGHT };

typedef struct {
    puff_random random;
    int32_t steps, done;
    int32_t at[AGENTS], plates[AGENTS];
} game;

typedef struct {
    uint8_t cells[CELLS];
    uint8_t on_plate[AGENTS]; /* itself, the other */
} seen;

static void begin(game* g) {
    int32_t cells[2 * AGENTS];
    for (int i = 0; i < 2 * AGENTS; i++) {
        int taken;
        do {
            cells[i] = drawn_below(&g->random, CELLS);
            taken = 0;
            for (int k = 0; k < i; k++) taken |= cells[k] == cells[i];
        } while (taken);
    }
    memcpy(g->at, cells, sizeof g->at);
    memcpy(g->plates, cells + AGENTS, sizeof g->plates);
    g->done = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    const int32_t other = 1 - agent;
    o->cells[g->plates[agent]] = OWN_PLATE;
    o->cells[g->plates[other]] = OTHERS_PLATE;
    o->cells[g->at[agent]] = ITSELF;
    o->cells[g->at[other]] = OTHER;
    o->on_plate[0] = g->at[agent] == g->plates[agent];
    o->on_plate[1] = g->at[other] == g->plates[other];
}

static ending act(game* g, const puff_io* io) {
    for (int i = 0; i < AGENTS; i++) {
        const int32_t action = io->actions[i];
        const int32_t row = g->at[i] / SIDE + (action == DOWN) - (action == UP);
        const int32_t column = g->at[i] % SIDE + (action == RIGHT) - (action == LEFT);
        if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
        if (row * SIDE + column != g->at[1 - i]) g->at[i] = row * SIDE + column;
    }
    g->done = g->at[0] == g->plates[0] && g->at[1] == g->plates[1];
    for (int i = 0; i < AGENTS; i++) io->rewards[i] = (float)g->done;
    if (g->done) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->done;
}

static void paint(const game* g, const puff_view* view) {
    static const uint32_t colours[AGENTS] = {PLAYER, GOAL};
    for (int i = 0; i < CELLS; i++) paint_cell(view, SIDE, i, GROUND);
    for (int i = 0; i < AGENTS; i++) {
        const float x = (float)(g->at[i] % SIDE) + 0.5f, y = (float)(g->at[i] / SIDE) + 0.5f;
        paint_cell(view, SIDE, g->plates[i], colours[i]);
        puff_disc(view, x / SIDE, y / SIDE, 0.06f, colours[i]);
    }
}

static const puff_field fields[] = {
    {.name = "cells", .offset = 0, .count = CELLS, .dtype = PUFF_UINT8, .classes = CLASSES},
    {.name = "on_plate", .offset = CELLS, .count = AGENTS, .dtype = PUFF_UINT8, .classes = 2},
};

static const puff_choice choices[] = {
    {"stay", ""}, {"up", "up w"}, {"down", "down s"}, {"left", "left a"}, {"right", "right d"}};

static const puff_action parts[] = {
    {.name = "walk", .choice_count = PUFF_COUNT(choices), .neutral = STAY, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "duo", .summary = "two walkers open a door together", .action_kind = PUFF_DISCRETE,    \
    .score_low = 0, .score_high = 1
#include "../wiring.h"
