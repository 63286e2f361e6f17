/* sizes: an environment for tests, of worlds of several sizes: as many agents as its parameter
 * says. Each sees how many there are and which of them it is, and its episodes end in turn. */
#include "canvas.h"
#include "puff_env.h"

enum { MOST = 200 };

typedef struct {
    uint32_t agents, tick;
} sizes;

static uint32_t sizes_agents_in(const double* params) {
    return (uint32_t)params[0];
}

static size_t sizes_state_size(const double* params) {
    (void)params;
    return sizeof(sizes);
}

static void sizes_init(void* state, const double* params, uint64_t seed) {
    (void)seed;
    ((sizes*)state)->agents = sizes_agents_in(params);
}

static void sizes_reset(void* state, const puff_io* io) {
    const sizes* world = state;
    uint8_t* seen = io->observations;
    for (uint32_t a = 0; a < world->agents; a++, seen += 2) {
        seen[0] = (uint8_t)world->agents;
        seen[1] = (uint8_t)a;
    }
}

static void sizes_step(void* state, const puff_io* io) {
    sizes* world = state;
    const uint32_t last = world->tick++ % world->agents;
    for (uint32_t a = 0; a < world->agents; a++) io->rewards[a] = (float)io->actions[a];
    io->terminals[last] = 1;
    io->scores[last] = (float)last;
    sizes_reset(state, io);
}

static void sizes_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state;
    (void)phase;
    puff_clear(canvas, agent);
}

static const puff_field sizes_fields[] = {{.name = "seen", .count = 2, .dtype = PUFF_UINT8}};
static const puff_choice sizes_choices[] = {{"rest", ""}, {"earn", "x"}};
static const puff_action sizes_actions[] = {
    {.name = "act", .choice_count = 2, .choices = sizes_choices}};
static const puff_parameter sizes_parameters[] = {
    {"agents", PUFF_INTEGER, 3, 1, MOST, "agents of a world"}};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "sizes",
    .summary = "as many agents as one likes, for tests",
    .observation_bytes = 2,
    .field_count = 1,
    .fields = sizes_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = 1,
    .actions = sizes_actions,
    .agents = 3,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_high = MOST,
    .picture_width = 1,
    .picture_height = 1,
    .parameter_count = 1,
    .parameters = sizes_parameters,
    .state_size = sizes_state_size,
    .init = sizes_init,
    .reset = sizes_reset,
    .step = sizes_step,
    .draw = sizes_draw,
    .agents_in = sizes_agents_in,
};

#include "vec.h"
