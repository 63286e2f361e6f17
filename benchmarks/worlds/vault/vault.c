/* vault: which of two wires is live is told at the beginning, and asked 200 steps later. The one
 * reward is 100 or nothing. */
#include "../world.h"

enum { AGENTS = 1, WAIT = 200, WIRES = 2 };

typedef struct {
    puff_random random;
    int32_t steps, live, cut;
} game;

typedef struct {
    uint8_t lamp; /* 0 and 1: that wire is live; 2: wait */
    uint8_t clock;
} seen;

static void begin(game* g) {
    g->live = drawn_below(&g->random, WIRES);
    g->cut = -1;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->clock = (uint8_t)g->steps;
    o->lamp = (uint8_t)(g->steps == 0 ? g->live : WIRES);
}

static ending act(game* g, const puff_io* io) {
    if (g->steps <= WAIT) return GOES_ON;
    g->cut = io->actions[0];
    io->rewards[0] = g->cut == g->live ? 100 : 0;
    return IS_OVER;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)(g->cut == g->live);
}

static void paint(const game* g, const puff_view* view) {
    puff_rectangle(view, 0, 0.45f, (float)g->steps / WAIT, 0.1f, PLAYER);
    if (g->steps == 0) puff_disc(view, 0.25f + 0.5f * (float)g->live, 0.2f, 0.1f, GOAL);
}

static const puff_field fields[] = {
    {.name = "lamp", .offset = 0, .count = 1, .dtype = PUFF_UINT8, .classes = WIRES + 1},
    {.name = "clock", .offset = 1, .count = 1, .dtype = PUFF_UINT8},
};

static const puff_choice choices[] = {{"left", "left a"}, {"right", "right d"}};

static const puff_action parts[] = {{.name = "wire", .choice_count = WIRES, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "vault", .summary = "remember a lamp for 200 steps", .action_kind = PUFF_DISCRETE,     \
    .score_low = 0, .score_high = 1
#include "../wiring.h"
