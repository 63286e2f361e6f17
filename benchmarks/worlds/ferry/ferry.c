/* ferry: the near bank pays a little for each step at it; the far bank pays ten times as much, and
 * the way there costs. Two flags of sixteen kinds turn the rope if one is even and one is odd. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 100, FAR_BANK = 30, CURRENT = 18, FLAGS = 16 };
enum { PULL, STAY, PUSH };

typedef struct {
    puff_random random;
    int32_t steps, place, flags[2];
    float sum;
} game;

typedef struct {
    float place, flags[2][FLAGS];
} seen;

static void begin(game* g) {
    g->place = 10 + drawn_below(&g->random, 6);
    for (int i = 0; i < 2; i++) g->flags[i] = drawn_below(&g->random, FLAGS);
    g->sum = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->place = (float)g->place / FAR_BANK;
    for (int i = 0; i < 2; i++) o->flags[i][g->flags[i]] = 1;
}

static ending act(game* g, const puff_io* io) {
    const int32_t way = (g->flags[0] + g->flags[1]) % 2 ? -1 : 1;
    g->place += way * (io->actions[0] - STAY);
    if (g->place < 0) g->place = 0;
    if (g->place > FAR_BANK) g->place = FAR_BANK;
    const int at_far = g->place == FAR_BANK, at_near = g->place == 0;
    io->rewards[0] = at_far ? 1 : at_near ? 0.1f : g->place > CURRENT ? -0.05f : 0;
    g->sum += io->rewards[0];
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->sum;
}

static void paint(const game* g, const puff_view* view) {
    puff_rectangle(view, 0, 0.4f, 0.05f, 0.2f, DANGER);
    puff_rectangle(view, 0.95f, 0.3f, 0.05f, 0.4f, GOAL);
    puff_disc(view, 0.05f + 0.9f * (float)g->place / FAR_BANK, 0.5f, 0.04f, PLAYER);
    for (int i = 0; i < 2; i++) {
        puff_disc(view, 0.4f + 0.2f * (float)i, 0.2f, 0.03f, g->flags[i] % 2 ? GOAL : DANGER);
    }
}

static const puff_field fields[] = {
    {.name = "place", .offset = 0, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "flags", .offset = 4, .count = 2 * FLAGS, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[] = {{"pull", "left a"}, {"stay", ""}, {"push", "right d"}};

static const puff_action parts[] = {
    {.name = "rope", .choice_count = PUFF_COUNT(choices), .neutral = STAY, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "ferry", .summary = "take a ferry to the better bank", .action_kind = PUFF_DISCRETE,   \
    .score_low = -5, .score_high = 100
#include "../wiring.h"
