/* cpu_steps.c: see cpu_steps.h. */
#include "cpu_steps.h"

#include <string.h>

#include "../parallel.h"
#include "clock.h"

/* Final observations that are valued together. */
enum { MOST_FINALS = 32 };

/* Those of some agents, with the state that they were in: a thread has one of each. */
typedef struct {
    uint8_t* observations; /* (MOST_FINALS, bytes) */
    float* state;          /* (layers, MOST_FINALS, hidden) */
    float* values;         /* (MOST_FINALS,) */
} finals;

/* Lays them out from `memory` on; returns the bytes that they take. */
static size_t lay_out(finals* last, uint8_t* memory, const puff_decision* decision) {
    const size_t seen = in_lines(MOST_FINALS * (size_t)decision->features->bytes);
    const size_t numbers = MOST_FINALS * (size_t)decision->layers * (size_t)decision->hidden;
    const size_t state = in_lines(numbers * sizeof(float));
    last->observations = memory;
    last->state = (float*)(void*)(memory + seen);
    last->values = (float*)(void*)(memory + seen + state);
    return seen + state + in_lines(MOST_FINALS * sizeof(float));
}

PUFF_KERNEL int64_t puff_cpu_steps_scratch(const puff_decision* decision) {
    finals last;
    return PUFF_BLOCKS * (int64_t)lay_out(&last, NULL, decision);
}

/* A block of environments in the hands of a thread, with its agents' rows within the group. */
typedef struct {
    const puff_cpu_steps* rollout;
    int64_t worker;
    uint32_t group;
    uint32_t block;
    int64_t first;
    int64_t end;
} hand;

static const puff_decision* decision_at(const hand* own, uint32_t step) {
    return own->rollout->decisions[(size_t)step * own->rollout->groups + own->group];
}

/* Where the group's rows begin in an array by step. */
static size_t group_row(const hand* own, uint32_t step) {
    const size_t agents = own->rollout->agents;
    return ((size_t)step * own->rollout->groups + own->group) * agents;
}

/* V of the final observations of these agents (count,) of the group, as they would be decided for.
 */
static void value_finals(const hand* own, uint32_t step, const int64_t* agents, int64_t count) {
    const puff_cpu_steps* rollout = own->rollout;
    const puff_decision* seen = decision_at(own, rollout->horizon);
    const size_t bytes = (size_t)seen->features->bytes, hidden = (size_t)seen->hidden;
    finals last;
    const size_t size = lay_out(&last, NULL, seen);
    lay_out(&last, rollout->scratch + (size_t)own->worker * size, seen);
    const uint8_t* observations = rollout->finals + group_row(own, 0) * bytes;
    for (int64_t i = 0; i < count; i++) {
        memcpy(last.observations + (size_t)i * bytes, observations + (size_t)agents[i] * bytes,
               bytes);
        for (int64_t layer = 0; layer < seen->layers; layer++) {
            memcpy(last.state + (size_t)(layer * count + i) * hidden,
                   seen->state + (size_t)(layer * seen->rows + agents[i]) * hidden,
                   hidden * sizeof(float));
        }
    }
    puff_features features = *seen->features;
    features.observations = last.observations;
    puff_decision valued = *seen;
    valued.rows = count;
    valued.features = &features;
    valued.resets = NULL;
    valued.state = last.state;
    valued.values = last.values;
    puff_decide_rows(&valued, own->worker, 0, count);
    float* values = rollout->final_values + group_row(own, step);
    for (int64_t i = 0; i < count; i++) values[agents[i]] = last.values[i];
}

/* The block's environments have stepped: notes who begins anew, as who is not alive does each time,
 * and values what those saw last whose episodes were cut off. */
static void note_ends(const hand* own, uint32_t step, uint32_t truncated) {
    const puff_cpu_steps* rollout = own->rollout;
    const uint8_t* terminals = rollout->terminals + group_row(own, step);
    const uint8_t* truncations = rollout->truncations + group_row(own, step);
    const uint8_t* alive = rollout->alive + group_row(own, step);
    uint8_t* resets = rollout->resets + group_row(own, step + 1);
    for (int64_t i = own->first; i < own->end; i++) {
        resets[i] = terminals[i] | truncations[i] | !alive[i];
    }
    if (!truncated) return;
    int64_t agents[MOST_FINALS], count = 0;
    for (int64_t i = own->first; i < own->end; i++) {
        if (truncations[i]) agents[count++] = i;
        if (count == MOST_FINALS || (count && i == own->end - 1)) {
            value_finals(own, step, agents, count);
            count = 0;
        }
    }
}

/* Takes a block on from where it is. */
static void play_block(const hand* own, double until) {
    const puff_cpu_steps* rollout = own->rollout;
    const size_t place = (size_t)own->group * rollout->blocks + own->block;
    uint32_t step = rollout->played[place];
    double* seconds = rollout->seconds + 2 * place;
    double before = seconds_now();
    if (step == 0) puff_decide_rows(decision_at(own, 0), own->worker, own->first, own->end);
    while (step < rollout->horizon) {
        const double decided = seconds_now();
        seconds[1] += decided - before;
        const void* buffers = rollout->buffers[(size_t)step * rollout->groups + own->group];
        const uint32_t truncated =
            rollout->step(rollout->environments, own->group, own->block, step, buffers);
        before = seconds_now();
        seconds[0] += before - decided;
        note_ends(own, step, truncated);
        step++;
        puff_decide_rows(decision_at(own, step), own->worker, own->first, own->end);
        if (before > until) break;
    }
    seconds[1] += seconds_now() - before;
    rollout->played[place] = step;
}

/* What the threads that play have in common. */
typedef struct {
    const puff_cpu_steps* rollout;
    double until;
    int64_t* next; /* the first block that nobody has looked at yet */
} playing;

/* Takes one block after the other, and after the patience is over none but a first. */
static void play_blocks(const void* job, int64_t worker, int64_t first, int64_t end) {
    (void)first;
    (void)end;
    const playing* now = job;
    const puff_cpu_steps* rollout = now->rollout;
    const int64_t count = (int64_t)rollout->groups * rollout->blocks;
    for (int taken = 0; !taken || seconds_now() < now->until;) {
        const int64_t place = __atomic_fetch_add(now->next, 1, __ATOMIC_RELAXED);
        if (place >= count) return;
        if (rollout->played[place] >= rollout->horizon) continue;
        const int64_t block = place % rollout->blocks, agents = rollout->block_agents;
        const int64_t rest = rollout->agents - block * agents;
        const hand own = {
            .rollout = rollout,
            .worker = worker,
            .group = (uint32_t)(place / rollout->blocks),
            .block = (uint32_t)block,
            .first = block * agents,
            .end = block * agents + (rest < agents ? rest : agents),
        };
        play_block(&own, now->until);
        taken = 1;
    }
}

PUFF_KERNEL void puff_cpu_steps_play(puff_kernels* kernels, const puff_cpu_steps* rollout) {
    int64_t next = 0;
    const playing now = {rollout, seconds_now() + rollout->patience, &next};
    puff_over_rows(kernels, play_blocks, &now, PUFF_BLOCKS);
}
