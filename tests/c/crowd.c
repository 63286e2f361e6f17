/* crowd: an environment for tests. It has what the bundled games lack: several agents, agents that
 * die before the environment resets, a time limit, parameters of every type, and statistics.
 *
 * Each of three agents earns gain * action in a step, and dies of action 3 (reward -1, score = the
 * tick of its death). When all are dead the environment resets. At tick `limit` those still alive
 * are truncated with score 100. An agent sees [tick, agent, living agents, episodes begun].
 */
#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { AGENTS = 3, DEATH = 3, CHOICES = 4, SEEN = 4 };
enum { LIMIT, GAIN, PEACEFUL };

typedef struct {
    uint32_t limit;
    float gain;
    int32_t peaceful; /* nobody dies */
    uint32_t tick;
    uint32_t living;
    uint32_t episodes;
    uint8_t dead[AGENTS];
} crowd;

static size_t crowd_state_size(const double* params) {
    (void)params;
    return sizeof(crowd);
}

static void crowd_init(void* state, const double* params, uint64_t seed) {
    (void)seed;
    crowd* world = state;
    world->limit = (uint32_t)params[LIMIT];
    world->gain = (float)params[GAIN];
    world->peaceful = params[PEACEFUL] != 0;
}

static void crowd_observe(const crowd* world, void* observations, uint32_t agent) {
    uint8_t* seen = observations;
    seen[0] = (uint8_t)world->tick;
    seen[1] = (uint8_t)agent;
    seen[2] = (uint8_t)world->living;
    seen[3] = (uint8_t)world->episodes;
}

static void crowd_reset(void* state, const puff_io* io) {
    crowd* world = state;
    world->tick = 0;
    world->living = AGENTS;
    world->episodes++;
    for (uint32_t a = 0; a < AGENTS; a++) {
        world->dead[a] = 0;
        crowd_observe(world, (uint8_t*)io->observations + a * SEEN, a);
    }
}

static void crowd_finish(const crowd* world, const puff_io* io, uint32_t agent, float score) {
    io->scores[agent] = score;
    io->statistics[2 * agent] = (float)world->tick;
    io->statistics[2 * agent + 1] = (float)agent;
}

static void crowd_step(void* state, const puff_io* io) {
    crowd* world = state;
    world->tick++;
    for (uint32_t a = 0; a < AGENTS; a++) {
        if (world->dead[a]) {
            io->alive[a] = 0;
            io->rewards[a] = 1000; /* must be ignored */
            continue;
        }
        io->rewards[a] = world->gain * (float)io->actions[a];
        if (io->actions[a] == DEATH && !world->peaceful) {
            world->dead[a] = 1;
            world->living--;
            io->rewards[a] = -1;
            io->terminals[a] = 1;
            crowd_finish(world, io, a, (float)world->tick);
        }
    }
    if (world->living && world->tick == world->limit) {
        for (uint32_t a = 0; a < AGENTS; a++) {
            if (world->dead[a]) continue;
            io->truncations[a] = 1;
            crowd_observe(world, puff_final(io, a), a);
            crowd_finish(world, io, a, 100);
        }
        world->living = 0;
    }
    if (world->living == 0) {
        crowd_reset(state, io);
        return;
    }
    for (uint32_t a = 0; a < AGENTS; a++) {
        crowd_observe(world, (uint8_t*)io->observations + a * SEEN, a);
    }
}

static void crowd_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)phase;
    const crowd* world = state;
    puff_clear(canvas, 0x102030);
    const puff_view view = puff_view_fit(canvas, 0, 0, 10, 10);
    puff_number(&view, 9, 2, 5, (int)(world->tick * 10 + agent), 0xffffff);
}

static const puff_field crowd_fields[] = {
#ifdef BROKEN_FIELD
    {.name = "seen", .count = SEEN, .dtype = 77},
#else
    {.name = "seen", .count = SEEN, .dtype = PUFF_UINT8},
#endif
};

static const puff_choice crowd_choices[CHOICES] = {
    {"zero", ""}, {"one", "1"}, {"two", "2 up"}, {"die", "x"}};

static const puff_action crowd_actions[] = {
    {.name = "act", .choice_count = CHOICES, .neutral = 0, .choices = crowd_choices},
};

static const puff_parameter crowd_parameters[] = {
    {"limit", PUFF_INTEGER, 20, 1, 200, "ticks of an episode"},
    {"gain", PUFF_REAL, 0.5, 0, 2, "reward for each point of the action"},
    {"peaceful", PUFF_BOOLEAN, 0, 0, 1, "nobody dies"},
};

static const char* const crowd_statistics[] = {"tick", "agent"};

#ifndef ABI
#define ABI PUFF_ABI
#endif

static const puff_descriptor puff_this = {
    .abi = ABI,
    .size = sizeof(puff_descriptor),
    .name = "crowd",
    .summary = "three agents that count, for tests",
    .observation_bytes = SEEN,
    .field_count = PUFF_COUNT(crowd_fields),
    .fields = crowd_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(crowd_actions),
    .actions = crowd_actions,
    .agents = AGENTS,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_low = 0,
    .score_high = 100,
    .picture_width = 1,
    .picture_height = 1,
    .parameter_count = PUFF_COUNT(crowd_parameters),
    .parameters = crowd_parameters,
    .statistic_count = PUFF_COUNT(crowd_statistics),
    .statistics = crowd_statistics,
    .state_size = crowd_state_size,
    .init = crowd_init,
    .reset = crowd_reset,
    .step = crowd_step,
    .draw = crowd_draw,
};

#include "vec.h"
