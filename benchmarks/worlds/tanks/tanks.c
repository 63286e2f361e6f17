/* tanks: keep four leaking tanks from running dry or over, for up to 5000 steps. Leaks and pipes
 * change; what is seen are bytes from 0 to 255. */
#include "../world.h"

enum { AGENTS = 1, TANKS = 4, LIMIT = 5000, CHANGE = 50, CLOSED = TANKS, INFLOW = 24, FULL = 255 };

typedef struct {
    puff_random random;
    int32_t steps, shift; /* valve v fills the tank v + shift */
    int32_t levels[TANKS], leaks[TANKS];
} game;

typedef struct {
    uint8_t levels[TANKS], leaks[TANKS], shift;
} seen;

/* Leaks of 20 together, in places drawn anew. */
static void change(game* g) {
    static const int32_t leaks[TANKS] = {2, 3, 6, 9};
    for (int i = 0; i < TANKS; i++) {
        const int other = drawn_below(&g->random, i + 1);
        g->leaks[i] = g->leaks[other];
        g->leaks[other] = leaks[i];
    }
    g->shift = drawn_below(&g->random, TANKS);
}

static void begin(game* g) {
    for (int i = 0; i < TANKS; i++) g->levels[i] = 100 + drawn_below(&g->random, 56);
    change(g);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < TANKS; i++) {
        o->levels[i] = (uint8_t)g->levels[i];
        o->leaks[i] = (uint8_t)(25 * g->leaks[i]);
    }
    o->shift = (uint8_t)g->shift;
}

static ending act(game* g, const puff_io* io) {
    const int32_t valve = io->actions[0];
    int32_t over = 0;
    if (valve != CLOSED) g->levels[(valve + g->shift) % TANKS] += INFLOW;
    for (int i = 0; i < TANKS; i++) {
        g->levels[i] -= g->leaks[i];
        over |= g->levels[i] <= 0 || g->levels[i] > FULL;
    }
    io->rewards[0] = 1;
    if (over) return IS_OVER;
    if (g->steps % CHANGE == 0) change(g);
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->steps;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < TANKS; i++) {
        const float left = 0.05f + 0.25f * (float)i, high = (float)g->levels[i] / FULL;
        puff_rectangle(view, left, 0, 0.15f, 1, GROUND);
        puff_rectangle(view, left, 1 - high, 0.15f, high, PLAYER);
    }
}

static const puff_field fields[] = {
    {.name = "levels", .offset = 0, .count = TANKS, .dtype = PUFF_UINT8},
    {.name = "leaks", .offset = TANKS, .count = TANKS, .dtype = PUFF_UINT8},
    {.name = "shift", .offset = 2 * TANKS, .count = 1, .dtype = PUFF_UINT8},
};

static const puff_choice choices[] = {
    {"first", "1"}, {"second", "2"}, {"third", "3"}, {"fourth", "4"}, {"closed", ""}};

static const puff_action parts[] = {
    {.name = "valve", .choice_count = PUFF_COUNT(choices), .neutral = CLOSED, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "tanks", .summary = "keep four leaking tanks filled", .action_kind = PUFF_DISCRETE,    \
    .score_low = 0, .score_high = LIMIT
#include "../wiring.h"
