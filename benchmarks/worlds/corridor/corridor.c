/* corridor: a sign at its beginning tells which of four doors at its end, 30 steps later, is the
 * right one. There is noise on the way, and one reward at the end. */
#include "../world.h"

enum { AGENTS = 1, LENGTH = 30, DOORS = 4, AT_DOORS = DOORS + 1 };

typedef struct {
    puff_random random;
    int32_t steps, door, chosen;
    uint8_t noise;
} game;

typedef struct {
    uint8_t sign; /* 0 on the way, 1 to 4 at the beginning, 5 at the doors */
    uint8_t noise;
} seen;

static void begin(game* g) {
    g->door = drawn_below(&g->random, DOORS);
    g->chosen = -1;
    g->noise = (uint8_t)drawn_below(&g->random, 256);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->noise = g->noise;
    o->sign = (uint8_t)(g->steps == 0 ? g->door + 1 : g->steps == LENGTH ? AT_DOORS : 0);
}

static ending act(game* g, const puff_io* io) {
    g->noise = (uint8_t)drawn_below(&g->random, 256);
    if (g->steps <= LENGTH) return GOES_ON;
    g->chosen = io->actions[0];
    io->rewards[0] = (float)(g->chosen == g->door);
    return IS_OVER;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)(g->chosen == g->door);
}

static void paint(const game* g, const puff_view* view) {
    puff_rectangle(view, 0, 0.4f, 1, 0.2f, GROUND);
    puff_disc(view, (float)g->steps / (LENGTH + 1), 0.5f, 0.05f, PLAYER);
    if (g->steps == 0) puff_rectangle(view, 0, 0.25f * (float)g->door, 0.1f, 0.25f, GOAL);
}

static const puff_field fields[] = {
    {.name = "sign", .offset = 0, .count = 1, .dtype = PUFF_UINT8, .classes = AT_DOORS + 1},
    {.name = "noise", .offset = 1, .count = 1, .dtype = PUFF_UINT8},
};

static const puff_choice choices[] = {
    {"first", "1"}, {"second", "2"}, {"third", "3"}, {"fourth", "4"}};

static const puff_action parts[] = {{.name = "door", .choice_count = DOORS, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "corridor", .summary = "remember a sign for 30 steps", .action_kind = PUFF_DISCRETE,   \
    .score_low = 0, .score_high = 1
#include "../wiring.h"
