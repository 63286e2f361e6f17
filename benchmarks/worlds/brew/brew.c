/* brew: hold the heat of a kettle on the curve of a recipe for 60 steps. What it was worth, up to
 * 1000 with noise, is paid when it is done. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 60, CHANGES = 5 };

#define NOISE     50.0f
#define TOLERANCE 20.0f

typedef struct {
    puff_random random;
    int32_t steps;
    float heat, start, turns, sum;
} game;

typedef struct {
    float heat, time, start[2], turns;
} seen;

static void begin(game* g) {
    g->heat = puff_random_between(&g->random, 20, 80);
    g->start = puff_random_between(&g->random, -PI, PI);
    g->turns = puff_random_between(&g->random, 0.5f, 2);
    g->sum = 0;
}

static float wanted(const game* g, int32_t step) {
    return 50 + 40 * sinf(g->start + 2 * PI * g->turns * (float)step / LIMIT);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->heat = g->heat;
    o->time = (float)g->steps / LIMIT;
    o->start[0] = cosf(g->start);
    o->start[1] = sinf(g->start);
    o->turns = g->turns;
}

static ending act(game* g, const puff_io* io) {
    static const float changes[CHANGES] = {-8, -3, 0, 3, 8};
    g->heat = clipped(g->heat + changes[io->actions[0]], 0, 100);
    g->sum += fmaxf(1 - fabsf(g->heat - wanted(g, g->steps)) / TOLERANCE, 0);
    if (g->steps < LIMIT) return GOES_ON;
    io->rewards[0] = 1000 * g->sum / LIMIT + NOISE * drawn_normal(&g->random);
    return IS_OVER;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->sum / LIMIT;
}

static void paint(const game* g, const puff_view* view) {
    for (int step = 0; step < LIMIT; step++) {
        puff_disc(view, (float)step / LIMIT, 1 - wanted(g, step) / 100, 0.01f, GOAL);
    }
    puff_disc(view, (float)g->steps / LIMIT, 1 - g->heat / 100, 0.03f, PLAYER);
}

static const puff_field fields[] = {
    {.name = "heat", .offset = 0, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "time", .offset = 4, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "start", .offset = 8, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "turns", .offset = 16, .count = 1, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[CHANGES] = {{"much colder", "q"},
                                             {"colder", "left a"},
                                             {"hold", ""},
                                             {"hotter", "right d"},
                                             {"much hotter", "e"}};

static const puff_action parts[] = {
    {.name = "heat", .choice_count = CHANGES, .neutral = 2, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "brew", .summary = "follow a recipe and be paid at the end",                           \
    .action_kind = PUFF_DISCRETE, .score_low = 0, .score_high = 1
#include "../wiring.h"
