/* gpu_steps.h: plays the steps of a rollout whose decisions a GPU makes, without Python in between.
 *
 * Each decision has been recorded as a CUDA graph that takes the newest observations over, decides
 * and brings the actions back. While the environments of one group step, the GPU decides for
 * another.
 */
#ifndef PUFF_GPU_STEPS_H
#define PUFF_GPU_STEPS_H

#include <stdint.h>

/* cdef begin */

/* What is needed of a GPU's driver; each returns 0, or the number of an error or, for `query`, of
 * "not ready". */
typedef struct {
    int32_t (*launch)(void* graph, void* stream); /* cuGraphLaunch */
    int32_t (*query)(void* stream); /* cuStreamQuery: whether all that was started there is done */
    int32_t (*wait)(void* stream);  /* cuStreamSynchronize: waits until it is */
} puff_driver;

/* Finds them in the driver's library of that name, which the system's loader looks up; returns 0 if
 * they are not there. The library stays open. */
int32_t puff_driver_open(const char* library, puff_driver* driver);

/* A rollout of `groups` groups of `agents` agents each. Arrays by step have all groups side by
 * side: (horizon, groups * agents). */
typedef struct {
    uint32_t horizon;
    uint32_t groups;
    uint32_t agents;
    puff_driver driver;
    void** streams;      /* (groups,) */
    void** decisions;    /* (horizon + 1, groups) graphs; the last ones only value what is seen */
    void** final_values; /* (groups,) graphs that value the final observations of those in
                            `truncated` */

    /* puff_vec_start and puff_vec_wait, the environments, and their buffers (horizon, groups). */
    void (*start)(void* environments, uint32_t group, const void* buffers);
    uint32_t (*finish)(void* environments, uint32_t group);
    void* environments;
    const void** buffers;

    const uint8_t* terminals;
    const uint8_t* truncations;
    const uint8_t* alive;
    uint8_t* resets;          /* (horizon + 1, groups * agents) whether a step begins an episode */
    uint8_t* truncated;       /* (groups * agents,) */
    int32_t* truncated_steps; /* (groups,) the step that `truncated` is of */

    double patience; /* seconds after which to come back between two steps, to be called again */
    uint32_t step;   /* the step in hand: 0 before the first call, `horizon` after the last */
    double env_seconds;
    double wait_seconds;
    int32_t error; /* the driver's, 0 if there is none */
} puff_steps;

/* Plays on from `step`; returns when all is under way, the patience is over or the driver failed.
 */
void puff_steps_play(puff_steps* rollout);

/* cdef end */

#endif
