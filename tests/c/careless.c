/* careless: an environment for tests, of two agents with two floats each, that does one thing wrong
 * in its third step. */
#include <stdio.h>

#include "puff_env.h"

enum { AGENTS = 2 };

typedef struct {
    int age;
} careless;

static size_t careless_state_size(const double* params) {
    (void)params;
    return sizeof(careless);
}

static void careless_init(void* state, const double* params, uint64_t seed) {
    (void)params, (void)seed;
    *(careless*)state = (careless){0};
}

static void careless_reset(void* state, const puff_io* io) {
    (void)state;
    for (int i = 0; i < 2 * AGENTS; i++) ((float*)io->observations)[i] = 0;
}

static void careless_step(void* state, const puff_io* io) {
    careless* game = state;
    for (int i = 0; i < 2 * AGENTS; i++) ((float*)io->observations)[i] = (float)(game->age % 2);
    if (++game->age == 3) CARELESS;
}

static void careless_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state, (void)agent, (void)phase, (void)canvas;
}

static const puff_field careless_fields[] = {{.name = "age", .count = 2, .dtype = PUFF_FLOAT32}};
static const puff_choice careless_choices[] = {{"left", "left"}, {"right", "right"}};
static const puff_action careless_actions[] = {
    {.name = "go", .choice_count = PUFF_COUNT(careless_choices), .choices = careless_choices},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "careless",
    .summary = "an environment with a mistake, for tests",
    .observation_bytes = 2 * sizeof(float),
    .field_count = PUFF_COUNT(careless_fields),
    .fields = careless_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(careless_actions),
    .actions = careless_actions,
    .agents = AGENTS,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_low = 0,
    .score_high = 1,
    .picture_width = 1,
    .picture_height = 1,
    .state_size = careless_state_size,
    .init = careless_init,
    .reset = careless_reset,
    .step = careless_step,
    .draw = careless_draw,
};

#include "vec.h"
