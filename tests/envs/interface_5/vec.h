/* vec.h: steps many copies of one environment on a pool of threads (pool.h).
 *
 * Included at the end of an environment's C file, after `puff_this`, so that the compiler can
 * inline `step`. Nothing here depends on the number of threads: each environment has its own random
 * generator and its own accumulators, and everything merged is merged in environment order. The
 * same seed gives the same bytes on one thread and on twenty.
 *
 * Environments are divided into equal groups. `puff_vec_start` begins a step of one group and
 * returns at once; `puff_vec_wait` helps with the work and returns when the group is done. While
 * one group steps, the caller may compute the actions of another. Any number of groups may be
 * under way, but calls come from one thread at a time, but for `puff_vec_step_block`, and only
 * `start` and `wait` while a group is under way: all else reads or writes what the steps write.
 */
#ifndef PUFF_VEC_H
#define PUFF_VEC_H

#ifndef PUFF_ENV_H
#error "vec.h is the last line of an environment: include puff_env.h and define puff_this above it"
#endif

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "puff_env.h"
#include "random.h"

/* Where there is no `puff_this` compilers show this line. */
_Static_assert(sizeof puff_this == sizeof(puff_descriptor), "define a puff_descriptor puff_this");

/* cdef begin */

/* A finished episode. `step` counts the steps of the environment's group, from 0. */
typedef struct {
    uint64_t step;
    uint32_t agent;
    uint32_t length;
    float score;
    float episode_return;
    float statistics[PUFF_MAX_STATISTICS];
} puff_episode;

typedef struct puff_vec puff_vec;

/* `environments` must be a multiple of `groups`. `threads` counts the caller. NULL: out of memory
 * or of threads. */
puff_vec* puff_vec_create(const double* params, uint32_t environments, uint32_t groups,
                          uint32_t threads, uint64_t seed);
void puff_vec_destroy(puff_vec* vec);

/* Begins a new episode in every environment of a group; only `observations` is written. */
void puff_vec_reset(puff_vec* vec, uint32_t group, const puff_buffers* buffers);

/* Begins one step of a group. The arrays must stay in place until `puff_vec_wait` returns. */
void puff_vec_start(puff_vec* vec, uint32_t group, const puff_buffers* buffers);

/* Ends the step begun last for this group; returns how many agents were truncated in it. */
uint32_t puff_vec_wait(puff_vec* vec, uint32_t group);

/* The same on threads of the caller's: each may take other blocks through any number of steps. A
 * group has `puff_vec_blocks`, of `puff_vec_block_agents` agents, the last perhaps of fewer. One is
 * stepped on the calling thread, `before` steps after the group's last one; how many agents were
 * truncated is returned. Once all have come equally far, `puff_vec_stepped` is to be told so. */
uint32_t puff_vec_blocks(const puff_vec* vec);
uint32_t puff_vec_block_agents(const puff_vec* vec);
uint32_t puff_vec_step_block(puff_vec* vec, uint32_t group, uint32_t block, uint64_t before,
                             const puff_buffers* buffers);
void puff_vec_stepped(puff_vec* vec, uint32_t group, uint64_t steps);

/* Everything that the future depends on, as one block: copy it out to save all environments,
 * copy it back to restore them. It does not hold the finished episodes that nobody has drained. It
 * ends with the return of every agent's running episode, double, and its length, int64. */
void* puff_vec_memory(puff_vec* vec, uint64_t* size);

/* The state of one environment, inside that block. */
void* puff_vec_state(puff_vec* vec, uint32_t environment, uint64_t* size);

/* Moves the finished episodes to `episodes` (at most `puff_vec_episode_capacity`), block by block,
 * each in order of step and agent. Returns how many; `dropped` gets how many were overwritten. */
uint64_t puff_vec_drain(puff_vec* vec, puff_episode* episodes, uint64_t* dropped);
uint64_t puff_vec_episode_capacity(const puff_vec* vec);

/* Sums over all episodes finished since the last call, dropped ones included: count, score,
 * return, length, then the statistics; 4 + PUFF_MAX_STATISTICS doubles. */
void puff_vec_sums(puff_vec* vec, double* sums);

void puff_vec_draw(puff_vec* vec, uint32_t environment, uint32_t agent, float phase,
                   puff_canvas* canvas);

/* The agent of this environment at a pixel of such a picture, or PUFF_NOBODY. */
uint32_t puff_vec_locate(puff_vec* vec, uint32_t environment, uint32_t agent, float phase,
                         puff_canvas* canvas, float x, float y);

/* What a person should read beside such a picture. The sheet is empty if there is nothing. */
void puff_vec_describe(puff_vec* vec, uint32_t environment, uint32_t agent, puff_sheet* sheet);

/* PUFF_ABI of the header that this was compiled with, whatever `puff_this` says. */
uint32_t puff_vec_abi(void);

/* cdef end */

#include "episodes.h"

/* The flags of a block's agents fill whole cache lines. */
enum { PUFF_SUMS = 4 + PUFF_MAX_STATISTICS, PUFF_BLOCK_AGENTS = 64 };

/* What the blocks of a group's step read, kept apart from what they all write. */
typedef struct {
    _Alignas(64) puff_buffers buffers;
    int resetting;
    _Alignas(64) _Atomic uint32_t truncated;
} puff_group;

struct puff_vec {
    uint32_t environments;
    uint32_t agents; /* in one environment */
    uint32_t group_count;
    uint32_t group_environments;
    uint32_t block_environments;
    uint32_t blocks; /* in one group */
    size_t stride;   /* bytes of one environment's state, rounded up to cache lines */

    /* `memory` is what puff_vec_memory hands out; the four below point into it. */
    uint8_t* memory;
    size_t memory_size;
    uint8_t* states;
    uint64_t* steps;  /* (group_count,) */
    double* returns;  /* (agents,) of the running episode */
    int64_t* lengths; /* (agents,) */

    double* sums;     /* (environments, PUFF_SUMS) */
    puff_ring* rings; /* (group_count * blocks,) */
    float* scores;    /* (agents,) */
    float* statistics;
    puff_group* groups;
    puff_pool* pool;
};

/* An agent's episode is over: add it to the sums and to the block's ring. */
static void puff_record(puff_vec* vec, puff_ring* ring, uint64_t step, uint32_t agent) {
    const uint32_t statistic_count = puff_this.statistic_count;
    const float* statistics = vec->statistics + (size_t)agent * statistic_count;
    double* sums = vec->sums + (size_t)(agent / vec->agents) * PUFF_SUMS;
    sums[0] += 1;
    sums[1] += vec->scores[agent];
    sums[2] += vec->returns[agent];
    sums[3] += (double)vec->lengths[agent];

    puff_episode* episode = puff_ring_add(ring);
    episode->step = step;
    episode->agent = agent;
    episode->length = (uint32_t)vec->lengths[agent];
    episode->score = vec->scores[agent];
    episode->episode_return = (float)vec->returns[agent];
    for (uint32_t k = 0; k < statistic_count; k++) {
        sums[4 + k] += statistics[k];
        episode->statistics[k] = statistics[k];
    }
    vec->returns[agent] = 0;
    vec->lengths[agent] = 0;
}

/* The end of a block's environments in its group. */
static uint32_t puff_block_end(const puff_vec* vec, uint32_t block) {
    const uint32_t end = (block + 1) * vec->block_environments;
    return end < vec->group_environments ? end : vec->group_environments;
}

/* Steps, or resets, environments `first` to `end` - 1 of a group. */
static void puff_run_environments(puff_vec* vec, uint32_t group, uint32_t first, uint32_t end,
                                  const puff_buffers* buffers, int resetting) {
    const uint32_t agents = vec->agents, actions = puff_this.action_count;
    const size_t bytes = puff_this.observation_bytes;
    const uint32_t group_first = group * vec->group_environments;
    for (uint32_t e = first; e < end; e++) {
        const size_t agent = (size_t)e * agents, global = (size_t)(group_first + e) * agents;
        puff_io io = {
            .actions = (const int32_t*)buffers->actions + agent * actions,
            .controls = (const float*)buffers->actions + agent * actions,
            .observations = (uint8_t*)buffers->observations + agent * bytes,
            .rewards = buffers->rewards + agent,
            .terminals = buffers->terminals + agent,
            .truncations = buffers->truncations + agent,
            .alive = buffers->alive + agent,
            .finals = (uint8_t*)buffers->finals + agent * bytes,
            .scores = vec->scores + global,
            .statistics = vec->statistics + global * puff_this.statistic_count,
            .observation_bytes = puff_this.observation_bytes,
            .persons = buffers->persons ? buffers->persons + agent : NULL,
            .stories = buffers->stories ? buffers->stories + e : NULL,
        };
        uint8_t* state = vec->states + (group_first + e) * vec->stride;
        if (resetting) {
            puff_this.reset(state, &io);
        } else {
            puff_this.step(state, &io);
        }
    }
}

/* Begins new episodes in the environments of one block; nobody is truncated. */
static uint32_t puff_reset_block(puff_vec* vec, uint32_t group, uint32_t block,
                                 const puff_buffers* buffers) {
    const uint32_t begin = block * vec->block_environments, end = puff_block_end(vec, block);
    puff_run_environments(vec, group, begin, end, buffers, 1);
    const size_t agents = vec->agents, rows = (end - begin) * agents;
    const size_t first = (group * vec->group_environments + begin) * agents;
    memset(vec->returns + first, 0, rows * sizeof(double));
    memset(vec->lengths + first, 0, rows * sizeof(int64_t));
    return 0;
}

PUFF_EXPORT uint32_t puff_vec_step_block(puff_vec* vec, uint32_t group, uint32_t block,
                                         uint64_t before, const puff_buffers* buffers) {
    const uint32_t first = block * vec->block_environments, last = puff_block_end(vec, block);
    const size_t agents = vec->agents, row = first * agents, end = last * agents;
    memset(buffers->rewards + row, 0, (end - row) * sizeof(float));
    memset(buffers->terminals + row, 0, end - row);
    memset(buffers->truncations + row, 0, end - row);
    memset(buffers->alive + row, 1, end - row);
    puff_run_environments(vec, group, first, last, buffers, 0);

    const size_t offset = group * vec->group_environments * agents;
    puff_ring* ring = &vec->rings[group * vec->blocks + block];
    uint32_t truncated = 0;
    for (size_t i = row; i < end; i++) {
        truncated += buffers->truncations[i];
        if (!buffers->alive[i]) continue;
        vec->returns[offset + i] += (double)buffers->rewards[i];
        vec->lengths[offset + i] += 1;
        if (buffers->terminals[i] | buffers->truncations[i]) {
            puff_record(vec, ring, vec->steps[group] + before, (uint32_t)(offset + i));
        }
    }
    return truncated;
}

PUFF_EXPORT void puff_vec_stepped(puff_vec* vec, uint32_t group, uint64_t steps) {
    vec->steps[group] += steps;
}

PUFF_EXPORT uint32_t puff_vec_blocks(const puff_vec* vec) {
    return vec->blocks;
}

PUFF_EXPORT uint32_t puff_vec_block_agents(const puff_vec* vec) {
    return vec->block_environments * vec->agents;
}

/* A block of work for the pool. */
static void puff_run_block(void* context, uint32_t group_index, uint32_t block) {
    puff_vec* vec = context;
    puff_group* group = &vec->groups[group_index];
    const puff_buffers* buffers = &group->buffers;
    const uint32_t truncated = group->resetting
                                   ? puff_reset_block(vec, group_index, block, buffers)
                                   : puff_vec_step_block(vec, group_index, block, 0, buffers);
    if (truncated) atomic_fetch_add_explicit(&group->truncated, truncated, memory_order_relaxed);
}

PUFF_EXPORT void puff_vec_destroy(puff_vec* vec) {
    if (!vec) return;
    puff_pool_destroy(vec->pool);
    free(vec->memory);
    free(vec->sums);
    free(vec->rings);
    free(vec->scores);
    free(vec->statistics);
    free(vec->groups);
    free(vec);
}

PUFF_EXPORT puff_vec* puff_vec_create(const double* params, uint32_t environments, uint32_t groups,
                                      uint32_t threads, uint64_t seed) {
    if (environments == 0 || groups == 0 || environments % groups || threads == 0) return NULL;
    puff_vec* vec = puff_allocate(sizeof *vec);
    if (!vec) return NULL;
    vec->agents = puff_this.agents_in ? puff_this.agents_in(params) : puff_this.agents;
    const size_t agents = (size_t)environments * vec->agents;
    vec->environments = environments;
    vec->group_count = groups;
    vec->group_environments = environments / groups;
    vec->block_environments = PUFF_BLOCK_AGENTS / vec->agents;
    if (vec->block_environments == 0) vec->block_environments = 1;
    vec->blocks = (vec->group_environments + vec->block_environments - 1) / vec->block_environments;
    vec->stride = (puff_this.state_size(params) + 63) / 64 * 64;

    const size_t state_bytes = environments * vec->stride, step_bytes = groups * sizeof(uint64_t);
    vec->memory_size = state_bytes + step_bytes + agents * (sizeof(double) + sizeof(int64_t));
    const size_t statistics = agents * puff_this.statistic_count;
    /* The largest first: nothing else is touched if there is no room for it. */
    if (!(vec->memory = puff_allocate(vec->memory_size)) ||
        !(vec->rings = puff_allocate((size_t)groups * vec->blocks * sizeof(puff_ring))) ||
        !(vec->sums = puff_allocate((size_t)environments * PUFF_SUMS * sizeof(double))) ||
        !(vec->scores = puff_allocate(agents * sizeof(float))) ||
        !(vec->statistics = puff_allocate(statistics * sizeof(float))) ||
        !(vec->groups = puff_allocate(groups * sizeof(puff_group))) ||
        !(vec->pool = puff_pool_create(groups, vec->blocks, threads, puff_run_block, vec))) {
        puff_vec_destroy(vec);
        return NULL;
    }
    vec->states = vec->memory;
    vec->steps = (uint64_t*)(vec->memory + state_bytes);
    vec->returns = (double*)(vec->memory + state_bytes + step_bytes);
    vec->lengths = (int64_t*)(vec->memory + state_bytes + step_bytes + agents * sizeof(double));
    for (uint32_t e = 0; e < environments; e++) {
        puff_random random = puff_random_stream(seed, e);
        puff_this.init(vec->states + e * vec->stride, params, puff_random_bits(&random));
    }
    return vec;
}

static void puff_begin(puff_vec* vec, uint32_t group_index, const puff_buffers* buffers,
                       int resetting) {
    puff_group* group = &vec->groups[group_index];
    group->buffers = *buffers;
    group->resetting = resetting;
    atomic_store_explicit(&group->truncated, 0, memory_order_relaxed);
    puff_pool_start(vec->pool, group_index);
}

PUFF_EXPORT void puff_vec_start(puff_vec* vec, uint32_t group, const puff_buffers* buffers) {
    puff_begin(vec, group, buffers, 0);
}

PUFF_EXPORT uint32_t puff_vec_wait(puff_vec* vec, uint32_t group_index) {
    puff_group* group = &vec->groups[group_index];
    puff_pool_wait(vec->pool, group_index);
    if (!group->resetting) puff_vec_stepped(vec, group_index, 1);
    return atomic_load_explicit(&group->truncated, memory_order_relaxed);
}

PUFF_EXPORT void puff_vec_reset(puff_vec* vec, uint32_t group, const puff_buffers* buffers) {
    puff_begin(vec, group, buffers, 1);
    puff_vec_wait(vec, group);
}

PUFF_EXPORT void* puff_vec_memory(puff_vec* vec, uint64_t* size) {
    *size = vec->memory_size;
    return vec->memory;
}

PUFF_EXPORT void* puff_vec_state(puff_vec* vec, uint32_t environment, uint64_t* size) {
    *size = vec->stride;
    return vec->states + (size_t)environment * vec->stride;
}

PUFF_EXPORT uint64_t puff_vec_episode_capacity(const puff_vec* vec) {
    return (uint64_t)vec->group_count * vec->blocks * PUFF_RING_EPISODES;
}

PUFF_EXPORT uint64_t puff_vec_drain(puff_vec* vec, puff_episode* episodes, uint64_t* dropped) {
    uint64_t count = 0;
    *dropped = 0;
    for (uint32_t r = 0; r < vec->group_count * vec->blocks; r++) {
        count += puff_ring_drain(&vec->rings[r], episodes + count, dropped);
    }
    return count;
}

PUFF_EXPORT void puff_vec_sums(puff_vec* vec, double* sums) {
    for (uint32_t k = 0; k < PUFF_SUMS; k++) sums[k] = 0;
    for (uint32_t e = 0; e < vec->environments; e++) {
        double* own = vec->sums + (size_t)e * PUFF_SUMS;
        for (uint32_t k = 0; k < PUFF_SUMS; k++) {
            sums[k] += own[k];
            own[k] = 0;
        }
    }
}

PUFF_EXPORT void puff_vec_draw(puff_vec* vec, uint32_t environment, uint32_t agent, float phase,
                               puff_canvas* canvas) {
    puff_this.draw(vec->states + (size_t)environment * vec->stride, agent, phase, canvas);
}

PUFF_EXPORT uint32_t puff_vec_locate(puff_vec* vec, uint32_t environment, uint32_t agent,
                                     float phase, puff_canvas* canvas, float x, float y) {
    if (!puff_this.locate) return PUFF_NOBODY;
    const uint8_t* state = vec->states + (size_t)environment * vec->stride;
    return puff_this.locate(state, agent, phase, canvas, x, y);
}

PUFF_EXPORT void puff_vec_describe(puff_vec* vec, uint32_t environment, uint32_t agent,
                                   puff_sheet* sheet) {
    memset(sheet, 0, sizeof *sheet);
    if (!puff_this.describe) return;
    puff_this.describe(vec->states + (size_t)environment * vec->stride, agent, sheet);
}

PUFF_EXPORT uint32_t puff_vec_abi(void) {
    return PUFF_ABI;
}

PUFF_EXPORT const puff_descriptor* puff_env(void) {
    return &puff_this;
}

#endif
