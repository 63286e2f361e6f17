/* one_agent.h: for tests of a game that one agent plays with discrete actions: begin it, step it,
 * and look at what came of it. A test includes its game, says what an observation is, and
 * includes this:
 *
 *     #include "frog.c"
 *
 *     typedef frog_observation seen;
 *     #include "one_agent.h"
 *
 *     frog game = {0};
 *     begin(&game, NULL, 1);
 *     step(&game, UP);
 *     assert(reward == 1 && !terminal && observation.row == 2);
 */
#ifndef PUFF_ONE_AGENT_H
#define PUFF_ONE_AGENT_H

#include <assert.h>

static seen observation, final_observation;
static float reward, score, statistics[PUFF_MAX_STATISTICS];
static uint8_t terminal, truncation, alive;
static int32_t action;

static const puff_io io = {
    .actions = &action,
    .observations = &observation,
    .rewards = &reward,
    .terminals = &terminal,
    .truncations = &truncation,
    .alive = &alive,
    .finals = &final_observation,
    .scores = &score,
    .statistics = statistics,
    .observation_bytes = sizeof observation,
};

/* The first episode of a game whose memory is zero. */
static inline void begin(void* game, const double* params, uint64_t seed) {
    puff_this.init(game, params, seed);
    puff_this.reset(game, &io);
}

/* One step with a choice, as the vectoriser does it. */
static inline void step(void* game, int32_t choice) {
    action = choice;
    reward = 0;
    terminal = truncation = 0;
    alive = 1;
    puff_this.step(game, &io);
}

#endif
