/* tasks: the smallest problems that show whether learning works. Parameter `task` chooses:
 *
 *   0 bandit   one step; choice 1 pays 1, choice 0 nothing.
 *   1 recall   a cue of +1 or -1 is seen at the first of 31 steps only; at the last one, when
 * asked, choice 1 is right for +1 and choice 0 for -1: +1, else -1. 2 endless  every step pays 0.5
 * and nothing changes; a time limit cuts it after 20 steps, so what a state is worth shows only to
 * those who look past the cut.
 *   3 broken   like bandit, but from the hundredth step on the constant is not a number.
 *
 * Observed are the cue, whether the answer is asked for, and a constant.
 */
#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { BANDIT, RECALL, ENDLESS, BROKEN };
enum { RECALL_STEPS = 31, ENDLESS_STEPS = 20, SEEN = 3 };

typedef struct {
    puff_random random;
    int32_t task;
    int32_t tick;
    int32_t steps; /* in all episodes */
    float cue;
} tasks;

static size_t tasks_state_size(const double* params) {
    (void)params;
    return sizeof(tasks);
}

static void tasks_init(void* state, const double* params, uint64_t seed) {
    tasks* world = state;
    world->random = puff_random_stream(seed, 0);
    world->task = (int32_t)params[0];
}

static void tasks_observe(const tasks* world, float* seen) {
    seen[0] = world->task == RECALL && world->tick == 0 ? world->cue : 0;
    seen[1] = world->task == RECALL && world->tick == RECALL_STEPS - 1 ? 1 : 0;
    seen[2] = world->task == BROKEN && world->steps >= 100 ? NAN : 1;
}

static void tasks_reset(void* state, const puff_io* io) {
    tasks* world = state;
    world->tick = 0;
    world->cue = puff_random_below(&world->random, 2) ? 1.0f : -1.0f;
    tasks_observe(world, io->observations);
}

static void tasks_step(void* state, const puff_io* io) {
    tasks* world = state;
    const int one = io->actions[0] == 1;
    const int steps = world->task == RECALL    ? RECALL_STEPS
                      : world->task == ENDLESS ? ENDLESS_STEPS
                                               : 1;
    world->steps++;
    const int last = ++world->tick == steps;
    if (world->task == BANDIT) io->rewards[0] = (float)one;
    if (world->task == RECALL && last) io->rewards[0] = one == (world->cue > 0) ? 1.0f : -1.0f;
    if (world->task == ENDLESS) io->rewards[0] = 0.5f;
    if (last) {
        io->scores[0] = io->rewards[0];
        if (world->task == ENDLESS) {
            io->truncations[0] = 1;
            tasks_observe(world, puff_final(io, 0));
        } else {
            io->terminals[0] = 1;
        }
        tasks_reset(state, io);
        return;
    }
    tasks_observe(world, io->observations);
}

static void tasks_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state;
    (void)agent;
    (void)phase;
    puff_clear(canvas, 0x000000);
}

static const puff_field tasks_fields[] = {
    {.name = "seen", .count = SEEN, .dtype = PUFF_FLOAT32},
};
static const puff_choice tasks_choices[] = {{"zero", "left"}, {"one", "right"}};
static const puff_action tasks_actions[] = {
    {.name = "answer", .choice_count = PUFF_COUNT(tasks_choices), .choices = tasks_choices},
};
static const puff_parameter tasks_parameters[] = {
    {.name = "task", .type = PUFF_INTEGER, .standard = 0, .low = 0, .high = 3, .help = "which"},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "tasks",
    .summary = "the smallest problems",
    .observation_bytes = SEEN * sizeof(float),
    .field_count = PUFF_COUNT(tasks_fields),
    .fields = tasks_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(tasks_actions),
    .actions = tasks_actions,
    .agents = 1,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_low = -1,
    .score_high = 1,
    .picture_width = 1,
    .picture_height = 1,
    .parameter_count = PUFF_COUNT(tasks_parameters),
    .parameters = tasks_parameters,
    .state_size = tasks_state_size,
    .init = tasks_init,
    .reset = tasks_reset,
    .step = tasks_step,
    .draw = tasks_draw,
};

#include "vec.h"
