/* heaps: Nim with three heaps of up to seven, against one who plays every other move perfectly. Who
 * takes the last one wins. The start can always be won. */
#include "../world.h"

enum { AGENTS = 1, HEAPS = 3, MOST = 7, MOVES = HEAPS * MOST };

typedef struct {
    puff_random random;
    int32_t steps, won;
    int32_t heaps[HEAPS];
} game;

typedef struct {
    uint8_t heaps[HEAPS];
} seen;

static int32_t nim_sum(const game* g) {
    return g->heaps[0] ^ g->heaps[1] ^ g->heaps[2];
}

static int is_empty(const game* g) {
    return g->heaps[0] + g->heaps[1] + g->heaps[2] == 0;
}

static void begin(game* g) {
    g->won = 0;
    do {
        for (int i = 0; i < HEAPS; i++) g->heaps[i] = 1 + drawn_below(&g->random, MOST);
    } while (nim_sum(g) == 0);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < HEAPS; i++) o->heaps[i] = (uint8_t)g->heaps[i];
}

/* The opponent: leaves a sum of zero if it can and does not slip, else takes at random. */
static void reply(game* g) {
    const int slips = drawn_below(&g->random, 2);
    for (int i = 0; i < HEAPS && !slips; i++) {
        const int32_t left = g->heaps[i] ^ nim_sum(g);
        if (left >= g->heaps[i]) continue;
        g->heaps[i] = left;
        return;
    }
    int32_t i;
    do {
        i = drawn_below(&g->random, HEAPS);
    } while (g->heaps[i] == 0);
    g->heaps[i] -= 1 + drawn_below(&g->random, g->heaps[i]);
}

static ending act(game* g, const puff_io* io) {
    const int32_t heap = io->actions[0] / MOST, taken = 1 + io->actions[0] % MOST;
    const int allowed = taken <= g->heaps[heap];
    if (allowed) {
        g->heaps[heap] -= taken;
        g->won = is_empty(g);
        if (!g->won) reply(g);
    }
    if (allowed && !is_empty(g)) return GOES_ON;
    io->rewards[0] = g->won ? 1 : -1; /* a move that is not allowed loses */
    return IS_OVER;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->won;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < HEAPS * MOST; i++) {
        if (i % MOST >= g->heaps[i / MOST]) continue;
        puff_disc(view, 0.08f + 0.14f * (float)(i % MOST), 0.2f + 0.3f * (float)(i / MOST), 0.06f,
                  GOAL);
    }
}

static const puff_field fields[] = {
    {.name = "heaps", .count = HEAPS, .dtype = PUFF_UINT8, .classes = MOST + 1}};

static const puff_choice choices[MOVES] = {
    {"1 of 1", "q"}, {"2 of 1", "w"}, {"3 of 1", "e"}, {"4 of 1", "r"}, {"5 of 1", "t"},
    {"6 of 1", "y"}, {"7 of 1", "u"}, {"1 of 2", "a"}, {"2 of 2", "s"}, {"3 of 2", "d"},
    {"4 of 2", "f"}, {"5 of 2", "g"}, {"6 of 2", "h"}, {"7 of 2", "j"}, {"1 of 3", "z"},
    {"2 of 3", "x"}, {"3 of 3", "c"}, {"4 of 3", "v"}, {"5 of 3", "b"}, {"6 of 3", "n"},
    {"7 of 3", "m"},
};

static const puff_action parts[] = {{.name = "take", .choice_count = MOVES, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "heaps", .summary = "win at Nim", .action_kind = PUFF_DISCRETE, .turn_based = 1,       \
    .score_low = 0, .score_high = 1
#include "../wiring.h"
