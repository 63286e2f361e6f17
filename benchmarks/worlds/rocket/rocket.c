/* rocket: turn and burn to reach a beacon and stay there. Rewards are up to 1000, coordinates up to
 * 10,000; nothing is scaled. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 300 };
enum { DRIFT, LEFT, RIGHT, BURN };

#define SIDE  10000.0f
#define TURN  0.25f
#define POWER 8.0f
#define DRAG  0.97f

typedef struct {
    puff_random random;
    int32_t steps;
    float place[2], speed[2], heading, beacon[2], sum;
} game;

typedef struct {
    float place[2], speed[2], beacon[2], heading[2];
} seen;

static void begin(game* g) {
    for (int i = 0; i < 2; i++) {
        g->place[i] = puff_random_between(&g->random, -SIDE, SIDE);
        g->beacon[i] = puff_random_between(&g->random, -SIDE, SIDE);
        g->speed[i] = 0;
    }
    g->heading = puff_random_between(&g->random, -PI, PI);
    g->sum = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    memcpy(o->place, g->place, sizeof o->place);
    memcpy(o->speed, g->speed, sizeof o->speed);
    memcpy(o->beacon, g->beacon, sizeof o->beacon);
    o->heading[0] = cosf(g->heading);
    o->heading[1] = sinf(g->heading);
}

static ending act(game* g, const puff_io* io) {
    const int32_t action = io->actions[0];
    const float power = action == BURN ? POWER : 0;
    g->heading = wrapped(g->heading + TURN * (float)((action == RIGHT) - (action == LEFT)));
    g->speed[0] = DRAG * g->speed[0] + power * cosf(g->heading);
    g->speed[1] = DRAG * g->speed[1] + power * sinf(g->heading);
    for (int i = 0; i < 2; i++) {
        const float next = g->place[i] + g->speed[i];
        g->place[i] = clipped(next, -SIDE, SIDE);
        if (g->place[i] != next) g->speed[i] = 0;
    }
    const float away = hypotf(g->place[0] - g->beacon[0], g->place[1] - g->beacon[1]);
    const float near = fmaxf(1 - away / SIDE, 0);
    io->rewards[0] = 1000 * near;
    g->sum += near;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->sum / LIMIT;
}

static void paint(const game* g, const puff_view* view) {
    const float x = g->place[0] / SIDE / 2 + 0.5f, y = g->place[1] / SIDE / 2 + 0.5f;
    puff_disc(view, g->beacon[0] / SIDE / 2 + 0.5f, g->beacon[1] / SIDE / 2 + 0.5f, 0.04f, GOAL);
    puff_line(view, x, y, x + 0.07f * cosf(g->heading), y + 0.07f * sinf(g->heading), 0.02f,
              DANGER);
    puff_disc(view, x, y, 0.03f, PLAYER);
}

static const puff_field fields[] = {
    {.name = "place", .offset = 0, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "speed", .offset = 8, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "beacon", .offset = 16, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "heading", .offset = 24, .count = 2, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[] = {
    {"drift", ""}, {"left", "left a"}, {"right", "right d"}, {"burn", "up w"}};

static const puff_action parts[] = {
    {.name = "steer", .choice_count = PUFF_COUNT(choices), .neutral = DRIFT, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "rocket", .summary = "turn and burn to a beacon", .action_kind = PUFF_DISCRETE,        \
    .score_low = 0, .score_high = 1
#include "../wiring.h"
