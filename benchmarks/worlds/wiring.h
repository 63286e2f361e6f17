/* wiring.h: the last line of every world here; see world.h. All agents end together. */

static size_t world_state_size(const double* params) {
    (void)params;
    return sizeof(game);
}

static void world_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((game*)state)->random = puff_random_stream(seed, 0);
}

static void world_see(const game* g, void* rows) {
    for (int32_t agent = 0; agent < AGENTS; agent++) {
        seen one;
        memset(&one, 0, sizeof one);
        see(g, agent, &one);
        memcpy((uint8_t*)rows + (size_t)agent * sizeof one, &one, sizeof one);
    }
}

static void world_reset(void* state, const puff_io* io) {
    game* g = state;
    g->steps = 0;
    begin(g);
    world_see(g, io->observations);
}

static void world_step(void* state, const puff_io* io) {
    game* g = state;
    g->steps++;
    const ending how = act(g, io);
    if (how == GOES_ON) {
        world_see(g, io->observations);
        return;
    }
    memset(how == IS_OVER ? io->terminals : io->truncations, 1, AGENTS);
    for (int32_t agent = 0; agent < AGENTS; agent++) io->scores[agent] = score(g, agent);
    if (how == IS_CUT) world_see(g, io->finals);
    world_reset(state, io);
}

static void world_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent, (void)phase;
    const puff_view view = puff_view_fit(canvas, 0, 0, 1, 1);
    puff_clear(canvas, 0x0b0e14);
    paint(state, &view);
}

static const puff_descriptor puff_this = {.abi = PUFF_ABI,
                                          .size = sizeof(puff_descriptor),
                                          .observation_bytes = sizeof(seen),
                                          .field_count = PUFF_COUNT(fields),
                                          .fields = fields,
                                          .action_count = PUFF_COUNT(parts),
                                          .actions = parts,
                                          .agents = AGENTS,
                                          .frames_per_second = 10,
                                          .frames_per_step = 1,
                                          .picture_width = 1,
                                          .picture_height = 1,
                                          .state_size = world_state_size,
                                          .init = world_init,
                                          .reset = world_reset,
                                          .step = world_step,
                                          .draw = world_draw,
                                          DECLARED};

#include "vec.h"
