/* lamps: pressing one of nine lamps in a square switches it and its neighbours; all have to be out.
 * Every press costs 1. */
#include "../world.h"

enum { AGENTS = 1, SIDE = 3, LAMPS = SIDE * SIDE, LIMIT = 40 };

typedef struct {
    puff_random random;
    int32_t steps;
    uint32_t lit; /* a bit for each lamp */
} game;

typedef struct {
    uint8_t lamps[LAMPS];
} seen;

static void begin(game* g) {
    g->lit = 1 + puff_random_below(&g->random, (1U << LAMPS) - 1);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < LAMPS; i++) o->lamps[i] = g->lit >> i & 1;
}

static ending act(game* g, const puff_io* io) {
    static const uint16_t switched[LAMPS] = {0x00b, 0x017, 0x026, 0x059, 0x0ba,
                                             0x134, 0x0c8, 0x1d0, 0x1a0};
    g->lit ^= switched[io->actions[0]];
    io->rewards[0] = -1;
    if (g->lit == 0) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return -(float)g->steps;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < LAMPS; i++) paint_cell(view, SIDE, i, g->lit >> i & 1 ? GOAL : GROUND);
}

static const puff_field fields[] = {
    {.name = "lamps", .count = LAMPS, .dtype = PUFF_UINT8, .classes = 2}};

static const puff_choice choices[LAMPS] = {{"1", "q"}, {"2", "w"}, {"3", "e"},
                                           {"4", "a"}, {"5", "s"}, {"6", "d"},
                                           {"7", "z"}, {"8", "x"}, {"9", "c"}};

static const puff_action parts[] = {{.name = "press", .choice_count = LAMPS, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "lamps", .summary = "switch nine lamps off", .action_kind = PUFF_DISCRETE,             \
    .turn_based = 1, .score_low = -LIMIT, .score_high = 0
#include "../wiring.h"
