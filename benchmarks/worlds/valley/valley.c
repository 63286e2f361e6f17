/* valley: a car too weak for the slope has to gain height on the other side first. Every step costs
 * 1. The engine drives forth if two levers of eight places are both even or both odd, else back.
 * All that is seen is about 0.001. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 400, PLACES = 8 };
enum { BACK, COAST, FORTH };

#define MILLI 0.001f
#define POWER 0.0013f
#define LEFT  (-1.2f)
#define TOP   0.5f

typedef struct {
    puff_random random;
    int32_t steps, levers[2];
    float place, speed;
} game;

typedef struct {
    float place, speed, levers[2][PLACES];
} seen;

static void begin(game* g) {
    g->place = puff_random_between(&g->random, -0.8f, -0.2f);
    g->speed = puff_random_between(&g->random, -0.02f, 0.02f);
    for (int i = 0; i < 2; i++) g->levers[i] = drawn_below(&g->random, PLACES);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->place = MILLI * g->place;
    o->speed = MILLI * g->speed;
    for (int i = 0; i < 2; i++) o->levers[i][g->levers[i]] = MILLI;
}

static ending act(game* g, const puff_io* io) {
    const int32_t turned = (g->levers[0] + g->levers[1]) % 2 ? -1 : 1;
    const float gear = (float)(turned * (io->actions[0] - COAST));
    g->speed = clipped(g->speed + POWER * gear - 0.0025f * cosf(3 * g->place), -0.07f, 0.07f);
    g->place += g->speed;
    if (g->place < LEFT) {
        g->place = LEFT;
        g->speed = 0;
    }
    io->rewards[0] = -1;
    if (g->place >= TOP) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return -(float)g->steps;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < 35; i++) {
        const float x = LEFT + (TOP - LEFT) / 34 * (float)i;
        puff_disc(view, (float)i / 34, 0.6f - 0.3f * sinf(3 * x), 0.02f, GROUND);
    }
    const float at = (g->place - LEFT) / (TOP - LEFT);
    puff_disc(view, at, 0.56f - 0.3f * sinf(3 * g->place), 0.04f, PLAYER);
}

static const puff_field fields[] = {
    {.name = "place", .offset = 0, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "speed", .offset = 4, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "levers", .offset = 8, .count = 2 * PLACES, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[] = {{"back", "left a"}, {"coast", ""}, {"forth", "right d"}};

static const puff_action parts[] = {
    {.name = "drive", .choice_count = PUFF_COUNT(choices), .neutral = COAST, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "valley", .summary = "drive out of a valley with a weak engine",                       \
    .action_kind = PUFF_DISCRETE, .score_low = -LIMIT, .score_high = 0
#include "../wiring.h"
