/* arm: an arm of three joints follows a target that jumps. Observations and rewards are a
 * thousandth of what they would be in metres, and the rewards are negative. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 120, JUMP = 40, JOINTS = 3 };

#define MILLI 0.001f
#define PART  0.3333333f /* length of each */
#define SPEED 0.2f
#define FAR   0.4f /* from here on it costs no more */

typedef struct {
    puff_random random;
    int32_t steps;
    float joints[JOINTS], target[2], sum;
} game;

typedef struct {
    float joints[JOINTS][2], target[2];
} seen;

static void place_target(game* g) {
    const float away = puff_random_between(&g->random, 0.2f, 0.95f);
    const float angle = puff_random_between(&g->random, -PI, PI);
    g->target[0] = away * cosf(angle);
    g->target[1] = away * sinf(angle);
}

static void begin(game* g) {
    for (int i = 0; i < JOINTS; i++) g->joints[i] = puff_random_between(&g->random, -PI, PI);
    g->sum = 0;
    place_target(g);
}

/* Where so many parts of the arm end. */
static void end_of(const game* g, int count, float* place) {
    float angle = 0;
    place[0] = place[1] = 0;
    for (int i = 0; i < count; i++) {
        angle += g->joints[i];
        place[0] += PART * cosf(angle);
        place[1] += PART * sinf(angle);
    }
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < JOINTS; i++) {
        o->joints[i][0] = MILLI * cosf(g->joints[i]);
        o->joints[i][1] = MILLI * sinf(g->joints[i]);
    }
    for (int i = 0; i < 2; i++) o->target[i] = MILLI * g->target[i];
}

static ending act(game* g, const puff_io* io) {
    float at[2];
    for (int i = 0; i < JOINTS; i++) g->joints[i] = wrapped(g->joints[i] + SPEED * io->controls[i]);
    end_of(g, JOINTS, at);
    const float cost = fminf(hypotf(at[0] - g->target[0], at[1] - g->target[1]) / FAR, 1);
    io->rewards[0] = -MILLI * cost;
    g->sum += cost;
    if (g->steps % JUMP == 0) place_target(g);
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return -g->sum / LIMIT;
}

static void paint(const game* g, const puff_view* view) {
    puff_disc(view, 0.5f + g->target[0] / 2, 0.5f + g->target[1] / 2, 0.04f, GOAL);
    for (int i = 0; i < JOINTS; i++) {
        float a[2], b[2];
        end_of(g, i, a);
        end_of(g, i + 1, b);
        puff_line(view, 0.5f + a[0] / 2, 0.5f + a[1] / 2, 0.5f + b[0] / 2, 0.5f + b[1] / 2, 0.03f,
                  PLAYER);
    }
}

static const puff_field fields[] = {
    {.name = "joints", .offset = 0, .count = 2 * JOINTS, .dtype = PUFF_FLOAT32},
    {.name = "target", .offset = 24, .count = 2, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[JOINTS][2] = {{{"back", "left a"}, {"forth", "right d"}},
                                               {{"back", "down s"}, {"forth", "up w"}},
                                               {{"back", "q"}, {"forth", "e"}}};

static const puff_action parts[] = {
    {.name = "shoulder", .choice_count = 2, .choices = choices[0]},
    {.name = "elbow", .choice_count = 2, .choices = choices[1]},
    {.name = "wrist", .choice_count = 2, .choices = choices[2]},
};

#define DECLARED                                                                                   \
    .name = "arm", .summary = "an arm of three joints follows a target",                           \
    .action_kind = PUFF_CONTINUOUS, .score_low = -1, .score_high = 0
#include "../wiring.h"
