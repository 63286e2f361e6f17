/* fireflies: 64 of them in a ring, each of one of 32 kinds, which ought to blink one after the
 * other. Each hurries or tarries to fit its four neighbours. Rewards are up to 0.01. */
#include "../world.h"

enum { AGENTS = 64, LIMIT = 128, KINDS = 32, AROUND = 2 };
enum { TARRY, KEEP, HURRY };

#define REWARD 0.01f
#define PACE   0.2f
#define CHANGE 0.15f
#define NOISE  0.05f

typedef struct {
    puff_random random;
    int32_t steps;
    int32_t kinds[AGENTS];
    float phases[AGENTS], sums[AGENTS];
} game;

typedef struct {
    float own[2], others[2], kind[KINDS];
} seen;

static void begin(game* g) {
    for (int i = 0; i < AGENTS; i++) {
        g->kinds[i] = drawn_below(&g->random, KINDS);
        g->phases[i] = puff_random_between(&g->random, -PI, PI);
        g->sums[i] = 0;
    }
}

/* The mean of the neighbours' directions, each seen as if it were of kind 0. */
static void around(const game* g, int32_t agent, float* mean) {
    mean[0] = mean[1] = 0;
    for (int i = -AROUND; i <= AROUND; i++) {
        const int32_t other = (agent + i + AGENTS) % AGENTS;
        const float angle = g->phases[other] - 2 * PI / KINDS * (float)g->kinds[other];
        if (i == 0) continue;
        mean[0] += cosf(angle) / (2 * AROUND);
        mean[1] += sinf(angle) / (2 * AROUND);
    }
}

static void see(const game* g, int32_t agent, seen* o) {
    o->own[0] = cosf(g->phases[agent]);
    o->own[1] = sinf(g->phases[agent]);
    around(g, agent, o->others);
    o->kind[g->kinds[agent]] = 1;
}

static ending act(game* g, const puff_io* io) {
    for (int i = 0; i < AGENTS; i++) {
        const float pace = PACE + CHANGE * (float)(io->actions[i] - KEEP);
        g->phases[i] = wrapped(g->phases[i] + pace + NOISE * drawn_normal(&g->random));
    }
    for (int i = 0; i < AGENTS; i++) {
        const float angle = g->phases[i] - 2 * PI / KINDS * (float)g->kinds[i];
        float mean[2];
        around(g, i, mean);
        const float fit = mean[0] * cosf(angle) + mean[1] * sinf(angle);
        io->rewards[i] = REWARD * fit;
        g->sums[i] += fit;
    }
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    return g->sums[agent] / LIMIT;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < AGENTS; i++) {
        const float place = 2 * PI / AGENTS * (float)i, bright = 1.5f + cosf(g->phases[i]);
        puff_disc(view, 0.5f + 0.42f * cosf(place), 0.5f + 0.42f * sinf(place), 0.01f * bright,
                  g->kinds[i] < KINDS / 2 ? PLAYER : GOAL);
    }
}

static const puff_field fields[] = {
    {.name = "own", .offset = 0, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "others", .offset = 8, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "kind", .offset = 16, .count = KINDS, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[] = {{"tarry", "left a"}, {"keep", ""}, {"hurry", "right d"}};

static const puff_action parts[] = {
    {.name = "pace", .choice_count = PUFF_COUNT(choices), .neutral = KEEP, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "fireflies", .summary = "64 fireflies find one rhythm", .action_kind = PUFF_DISCRETE,  \
    .score_low = -1, .score_high = 1
#include "../wiring.h"
