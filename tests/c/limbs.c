/* limbs: an environment for tests whose action has parts: `walk` (stay, left, right) and `arm`
 * (rest, lift, throw), or with CONTINUOUS two controls, `turn` and `climb`. An agent sees what it
 * did last; nothing ever ends. */
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { PARTS = 2 };

typedef struct {
    float done[PARTS];
} limbs;

static size_t limbs_state_size(const double* params) {
    (void)params;
    return sizeof(limbs);
}

static void limbs_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    (void)seed;
    memset(state, 0, sizeof(limbs));
}

static void limbs_observe(const limbs* world, const puff_io* io) {
    memcpy(io->observations, world->done, sizeof world->done);
}

static void limbs_reset(void* state, const puff_io* io) {
    limbs_observe(state, io);
}

static void limbs_step(void* state, const puff_io* io) {
    limbs* world = state;
    for (int part = 0; part < PARTS; part++) {
#ifdef CONTINUOUS
        world->done[part] = io->controls[part];
#else
        world->done[part] = (float)io->actions[part];
#endif
    }
    limbs_observe(world, io);
}

static void limbs_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state;
    (void)agent;
    (void)phase;
    puff_clear(canvas, 0x102030);
}

static const puff_field limbs_fields[] = {
    {.name = "done", .count = PARTS, .dtype = PUFF_FLOAT32},
};

#ifdef CONTINUOUS
static const puff_choice turn_choices[] = {{"left", "left a"}, {"right", "right d"}};
static const puff_choice climb_choices[] = {{"down", "down s"}, {"up", "up w"}};
static const puff_action limbs_actions[] = {
    {.name = "turn", .choice_count = 2, .choices = turn_choices},
    {.name = "climb", .choice_count = 2, .choices = climb_choices},
};
#else
static const puff_choice walk_choices[] = {{"stay", ""}, {"left", "left a"}, {"right", "right d"}};
static const puff_choice arm_choices[] = {{"rest", ""}, {"lift", "up"}, {"throw", "space"}};
static const puff_action limbs_actions[] = {
    {.name = "walk", .choice_count = 3, .choices = walk_choices},
    {.name = "arm", .choice_count = 3, .choices = arm_choices},
};
#endif

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "limbs",
    .summary = "does what it is told",
    .observation_bytes = PARTS * sizeof(float),
    .field_count = PUFF_COUNT(limbs_fields),
    .fields = limbs_fields,
#ifdef CONTINUOUS
    .action_kind = PUFF_CONTINUOUS,
#else
    .action_kind = PUFF_MULTI_DISCRETE,
#endif
    .action_count = PUFF_COUNT(limbs_actions),
    .actions = limbs_actions,
    .agents = 1,
    .frames_per_second = 60,
    .frames_per_step = 3,
    .score_high = 1,
    .picture_width = 1,
    .picture_height = 1,
    .state_size = limbs_state_size,
    .init = limbs_init,
    .reset = limbs_reset,
    .step = limbs_step,
    .draw = limbs_draw,
};

#include "vec.h"
