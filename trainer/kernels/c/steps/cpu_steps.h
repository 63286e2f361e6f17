/* cpu_steps.h: plays the steps of a rollout whose decisions the CPU makes, without Python in
 * between.
 *
 * A thread takes a block of environments and their agents from step to step, deciding and stepping
 * in turn, and then another block. Nobody waits for anybody before the rollout's end, or the end of
 * the patience, and what a block is made of stays in a core's cache.
 */
#ifndef PUFF_CPU_STEPS_H
#define PUFF_CPU_STEPS_H

#include "../kernels.h"

/* cdef begin */

/* A rollout of `groups` groups of `agents` agents each, in `blocks` blocks of `block_agents`, the
 * last perhaps of fewer. Arrays by step have all groups side by side: (horizon, groups * agents).
 */
typedef struct {
    uint32_t horizon;
    uint32_t groups;
    uint32_t agents;
    uint32_t blocks; /* in one group */
    uint32_t block_agents;
    const puff_decision** decisions; /* (horizon + 1, groups); the last only value what is seen */

    /* puff_vec_step_block, the environments, and their buffers (horizon, groups). */
    uint32_t (*step)(void* environments, uint32_t group, uint32_t block, uint64_t before,
                     const void* buffers);
    void* environments;
    const void** buffers;

    const uint8_t* finals; /* (groups * agents, bytes) what whoever is truncated saw last */
    const uint8_t* terminals;
    const uint8_t* truncations;
    const uint8_t* alive;
    uint8_t* resets;     /* (horizon + 1, groups * agents) whether a step begins an episode */
    float* final_values; /* of `finals`, where there is a truncation */

    uint32_t* played; /* (groups * blocks,) steps of each block: all 0 before the first call */
    double* seconds;  /* (groups * blocks, 2) that its steps and its decisions have taken */
    uint8_t* scratch; /* puff_cpu_steps_scratch bytes */
    double patience;  /* seconds after which to come back, to be called again */
} puff_cpu_steps;

/* Plays on; returns when all blocks have come to the end, or the patience is over. */
void puff_cpu_steps_play(puff_kernels* kernels, const puff_cpu_steps* rollout);
int64_t puff_cpu_steps_scratch(const puff_decision* decision);

/* cdef end */

#endif
