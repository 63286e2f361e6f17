/* gpu_steps.c: see gpu_steps.h. */
#include "gpu_steps.h"

#include <dlfcn.h>
#include <string.h>

#include "../kernels.h"
#include "clock.h"

PUFF_KERNEL int32_t puff_driver_open(const char* library, puff_driver* driver) {
    void* opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!opened) return 0;
    /* POSIX has dlsym's address stand for a function's. */
    *(void**)&driver->launch = dlsym(opened, "cuGraphLaunch");
    *(void**)&driver->query = dlsym(opened, "cuStreamQuery");
    *(void**)&driver->wait = dlsym(opened, "cuStreamSynchronize");
    return driver->launch && driver->query && driver->wait;
}

static void decide(puff_steps* rollout, uint32_t step, uint32_t group) {
    void* graph = rollout->decisions[(size_t)step * rollout->groups + group];
    if (!rollout->error) rollout->error = rollout->driver.launch(graph, rollout->streams[group]);
}

/* The group's environments have stepped: notes who begins anew, as who is not alive does each time,
 * and values what those saw last whose episodes were cut off. */
static void note_ends(puff_steps* rollout, uint32_t step, uint32_t group, uint32_t truncated) {
    const size_t agents = rollout->agents, row = (size_t)rollout->groups * agents;
    const size_t first = step * row + group * agents;
    uint8_t* resets = rollout->resets + first + row;
    for (size_t i = 0; i < agents; i++) {
        resets[i] = rollout->terminals[first + i] | rollout->truncations[first + i] |
                    !rollout->alive[first + i];
    }
    if (!truncated || rollout->error) return;
    memcpy(rollout->truncated + group * agents, rollout->truncations + first, agents);
    rollout->truncated_steps[group] = (int32_t)step;
    rollout->error = rollout->driver.launch(rollout->final_values[group], rollout->streams[group]);
}

/* What is left to do for a group whose environments have stepped. */
typedef struct {
    uint32_t step;
    uint32_t group;
    uint32_t truncated;
    int open; /* whether there is one */
} stepped;

static void conclude(puff_steps* rollout, stepped* last) {
    if (!last->open) return;
    last->open = 0;
    note_ends(rollout, last->step, last->group, last->truncated);
    decide(rollout, last->step + 1, last->group);
}

/* Steps a group. What the group before it has left is done while the pool's other threads already
 * step this one, if its actions are there. */
static void play_group(puff_steps* rollout, uint32_t group, stepped* last) {
    const uint32_t step = rollout->step;
    void* stream = rollout->streams[group];
    const double before = seconds_now();
    if ((last->open && last->group == group) || rollout->driver.query(stream)) {
        conclude(rollout, last);
        if (!rollout->error) rollout->error = rollout->driver.wait(stream);
        if (rollout->error) return;
    }
    const double decided = seconds_now();
    rollout->start(rollout->environments, group,
                   rollout->buffers[(size_t)step * rollout->groups + group]);
    conclude(rollout, last);
    const uint32_t truncated = rollout->finish(rollout->environments, group);
    *last = (stepped){step, group, truncated, 1};
    rollout->wait_seconds += decided - before;
    rollout->env_seconds += seconds_now() - decided;
}

PUFF_KERNEL void puff_steps_play(puff_steps* rollout) {
    const double until = seconds_now() + rollout->patience;
    stepped last = {0};
    if (rollout->step == 0) {
        for (uint32_t group = 0; group < rollout->groups; group++) decide(rollout, 0, group);
    }
    while (rollout->step < rollout->horizon && !rollout->error) {
        for (uint32_t group = 0; group < rollout->groups && !rollout->error; group++) {
            play_group(rollout, group, &last);
        }
        rollout->step++;
        if (seconds_now() > until) break;
    }
    conclude(rollout, &last);
}
