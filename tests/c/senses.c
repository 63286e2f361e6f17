/* senses: an environment for tests, in which an agent sees numbers of every kind. None of them
 * means anything; an action beside the right one costs a point.
 */
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { LEVELS = 3, CELLS = 5, CLASSES = 4, WILD = 2, SWITCHES = 11, CHOICES = 3 };
enum { LIMIT };

typedef struct {
    puff_random random;
    uint32_t limit, tick, right;
} senses;

/* What is seen; `wild` is not where floats usually are. */
typedef struct __attribute__((packed)) {
    uint8_t level[LEVELS];
    float wild[WILD];
    float place;
    uint8_t cells[CELLS];
    uint8_t plain[LEVELS];
    uint8_t switches[PUFF_BIT_BYTES(SWITCHES)];
    int16_t height;
} senses_seen;

static size_t senses_state_size(const double* params) {
    (void)params;
    return sizeof(senses);
}

static void senses_init(void* state, const double* params, uint64_t seed) {
    senses* world = state;
    world->limit = (uint32_t)params[LIMIT];
    world->random = puff_random_stream(seed, 0);
}

static void senses_observe(senses* world, void* observation) {
    puff_random* random = &world->random;
    senses_seen seen = {.place = puff_random_between(random, -300, 100)};
    world->right = puff_random_below(random, CHOICES);
    for (int i = 0; i < WILD; i++) seen.wild[i] = puff_random_between(random, -20, 20);
    for (int i = 0; i < CELLS; i++) seen.cells[i] = (uint8_t)puff_random_below(random, CLASSES);
    for (int i = 0; i < LEVELS; i++) {
        seen.level[i] = (uint8_t)puff_random_below(random, 10);
        seen.plain[i] = (uint8_t)puff_random_below(random, 256);
    }
    for (uint32_t i = 0; i < SWITCHES; i++) {
        puff_put_bit(seen.switches, i, (int)puff_random_below(random, 2));
    }
    seen.height = (int16_t)((int32_t)puff_random_below(random, 4001) - 2000);
    memcpy(observation, &seen, sizeof seen);
}

static void senses_reset(void* state, const puff_io* io) {
    senses* world = state;
    world->tick = 0;
    senses_observe(world, io->observations);
}

static void senses_step(void* state, const puff_io* io) {
    senses* world = state;
    io->rewards[0] = io->actions[0] == (int32_t)world->right ? 0.0f : -1.0f;
    if (++world->tick < world->limit) {
        senses_observe(world, io->observations);
        return;
    }
    io->truncations[0] = 1;
    io->scores[0] = (float)world->tick;
    senses_observe(world, puff_final(io, 0));
    senses_reset(state, io);
}

static void senses_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state;
    (void)agent;
    (void)phase;
    puff_clear(canvas, 0x102030);
}

/* What is known of ranges may be left out. */
#ifdef UNDECLARED
#define FROM_TO(from, to) .classes = 0
#else
#define FROM_TO(from, to) .low = from, .high = to
#endif

static const puff_field senses_fields[] = {
    {.name = "level",
     .offset = offsetof(senses_seen, level),
     .count = LEVELS,
     .dtype = PUFF_UINT8,
     FROM_TO(0, 9)},
    {.name = "wild", .offset = offsetof(senses_seen, wild), .count = WILD, .dtype = PUFF_FLOAT32},
    {.name = "place",
     .offset = offsetof(senses_seen, place),
     .count = 1,
     .dtype = PUFF_FLOAT32,
     FROM_TO(-300, 100)},
    {.name = "cells",
     .offset = offsetof(senses_seen, cells),
     .count = CELLS,
     .dtype = PUFF_UINT8,
     .classes = CLASSES},
    {.name = "plain", .offset = offsetof(senses_seen, plain), .count = LEVELS, .dtype = PUFF_UINT8},
    {.name = "switches",
     .offset = offsetof(senses_seen, switches),
     .count = SWITCHES,
     .dtype = PUFF_BITS},
    {.name = "height",
     .offset = offsetof(senses_seen, height),
     .count = 1,
     .dtype = PUFF_INT16,
     FROM_TO(-2000, 2000)},
};

static const puff_choice senses_choices[CHOICES] = {{"one", "1"}, {"two", "2"}, {"three", "3"}};

static const puff_action senses_actions[] = {
    {.name = "guess", .choice_count = CHOICES, .choices = senses_choices},
};

static const puff_parameter senses_parameters[] = {
    {"limit", PUFF_INTEGER, 20, 1, 200, "ticks of an episode"},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "senses",
    .summary = "sees numbers of every kind, for tests",
    .observation_bytes = sizeof(senses_seen),
    .field_count = PUFF_COUNT(senses_fields),
    .fields = senses_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(senses_actions),
    .actions = senses_actions,
    .agents = 1,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_high = 200,
    .picture_width = 1,
    .picture_height = 1,
    .parameter_count = PUFF_COUNT(senses_parameters),
    .parameters = senses_parameters,
    .state_size = senses_state_size,
    .init = senses_init,
    .reset = senses_reset,
    .step = senses_step,
    .draw = senses_draw,
};

#include "vec.h"
