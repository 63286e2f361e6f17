/* swing: swing a pendulum up with a motor that is too weak to lift it, and hold it there. Of
 * sixteen kinds of motors every second turns the other way. Rewards are negative, down to -16. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 200, MOTORS = 16 };

#define STEP_TIME 0.05f
#define TORQUE    2.0f
#define FASTEST   8.0f

typedef struct {
    puff_random random;
    int32_t steps, motor;
    float angle, speed, sum; /* the angle is 0 at the top */
} game;

typedef struct {
    float angle[2], speed, motor[MOTORS];
} seen;

static void begin(game* g) {
    g->angle = puff_random_between(&g->random, -PI, PI);
    g->speed = puff_random_between(&g->random, -1, 1);
    g->motor = drawn_below(&g->random, MOTORS);
    g->sum = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->angle[0] = cosf(g->angle);
    o->angle[1] = sinf(g->angle);
    o->speed = g->speed;
    o->motor[g->motor] = 1;
}

static ending act(game* g, const puff_io* io) {
    const float torque = (g->motor % 2 ? -TORQUE : TORQUE) * io->controls[0];
    const float cost = g->angle * g->angle + 0.1f * g->speed * g->speed + 0.001f * torque * torque;
    const float gain = 15 * sinf(g->angle) + 3 * torque;
    g->speed = clipped(g->speed + STEP_TIME * gain, -FASTEST, FASTEST);
    g->angle = wrapped(g->angle + STEP_TIME * g->speed);
    io->rewards[0] = -cost;
    g->sum -= cost;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->sum;
}

static void paint(const game* g, const puff_view* view) {
    const float x = 0.5f + 0.4f * sinf(g->angle), y = 0.5f - 0.4f * cosf(g->angle);
    puff_line(view, 0.5f, 0.5f, x, y, 0.06f, PLAYER);
    puff_disc(view, 0.5f, 0.5f, 0.04f, GOAL);
}

static const puff_field fields[] = {
    {.name = "angle", .offset = 0, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "speed", .offset = 8, .count = 1, .dtype = PUFF_FLOAT32},
    {.name = "motor", .offset = 12, .count = MOTORS, .dtype = PUFF_FLOAT32},
};

static const puff_choice ways[] = {{"left", "left a"}, {"right", "right d"}};

static const puff_action parts[] = {{.name = "torque", .choice_count = 2, .choices = ways}};

#define DECLARED                                                                                   \
    .name = "swing", .summary = "swing a pendulum up and hold it", .action_kind = PUFF_CONTINUOUS, \
    .score_low = -2000, .score_high = 0
#include "../wiring.h"
