/* crawl: three legs, each lifted and swung by a control of its own, carry a body forward. Of eight
 * models of legs every second is turned the other way by both of its controls. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 500, LEGS = 3, MODELS = 8 };

#define STRIDE 0.25f
#define LIFT   0.4f

typedef struct {
    puff_random random;
    int32_t steps;
    float swing[LEGS], lift[LEGS]; /* a leg stands while its lift is below 0 */
    int32_t models[LEGS];
    float way;
} game;

typedef struct {
    float swing[LEGS], lift[LEGS], models[LEGS][MODELS];
} seen;

static void begin(game* g) {
    for (int i = 0; i < LEGS; i++) {
        g->swing[i] = puff_random_between(&g->random, -1, 1);
        g->lift[i] = puff_random_between(&g->random, -1, 1);
        g->models[i] = drawn_below(&g->random, MODELS);
    }
    g->way = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    memcpy(o->swing, g->swing, sizeof o->swing);
    memcpy(o->lift, g->lift, sizeof o->lift);
    for (int i = 0; i < LEGS; i++) o->models[i][g->models[i]] = 1;
}

static ending act(game* g, const puff_io* io) {
    float push = 0, standing = 0;
    for (int i = 0; i < LEGS; i++) {
        const float before = g->swing[i], turned = g->models[i] % 2 ? -1 : 1;
        g->swing[i] = clipped(before + STRIDE * turned * io->controls[2 * i], -1, 1);
        if (g->lift[i] < 0) {
            push += before - g->swing[i];
            standing++;
        }
        g->lift[i] = clipped(g->lift[i] + LIFT * turned * io->controls[2 * i + 1], -1, 1);
    }
    const float moved =
        standing ? push / standing : -0.1f; /* a body that lies on the ground slides */
    io->rewards[0] = moved;
    g->way += moved;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->way;
}

static void paint(const game* g, const puff_view* view) {
    puff_rectangle(view, 0, 0.9f, 1, 0.1f, GROUND);
    puff_rectangle(view, 0.2f, 0.4f, 0.6f, 0.15f, PLAYER);
    for (int i = 0; i < LEGS; i++) {
        const float x = 0.3f + 0.2f * (float)i, up = fmaxf(g->lift[i], 0) * 0.15f;
        puff_line(view, x, 0.5f, x + 0.1f * g->swing[i], 0.88f - up, 0.04f, GOAL);
    }
}

static const puff_field fields[] = {
    {.name = "swing", .offset = 0, .count = LEGS, .dtype = PUFF_FLOAT32},
    {.name = "lift", .offset = 12, .count = LEGS, .dtype = PUFF_FLOAT32},
    {.name = "models", .offset = 24, .count = LEGS * MODELS, .dtype = PUFF_FLOAT32},
};

static const puff_choice swings[LEGS][2] = {{{"back", "q"}, {"forth", "w"}},
                                            {{"back", "a"}, {"forth", "s"}},
                                            {{"back", "z"}, {"forth", "x"}}};
static const puff_choice lifts[LEGS][2] = {
    {{"down", "e"}, {"up", "r"}}, {{"down", "d"}, {"up", "f"}}, {{"down", "c"}, {"up", "v"}}};

static const puff_action parts[] = {
    {.name = "swing 1", .choice_count = 2, .choices = swings[0]},
    {.name = "lift 1", .choice_count = 2, .choices = lifts[0]},
    {.name = "swing 2", .choice_count = 2, .choices = swings[1]},
    {.name = "lift 2", .choice_count = 2, .choices = lifts[1]},
    {.name = "swing 3", .choice_count = 2, .choices = swings[2]},
    {.name = "lift 3", .choice_count = 2, .choices = lifts[2]},
};

#define DECLARED                                                                                   \
    .name = "crawl", .summary = "walk on three legs with six controls",                            \
    .action_kind = PUFF_CONTINUOUS, .score_low = -50, .score_high = 125
#include "../wiring.h"
