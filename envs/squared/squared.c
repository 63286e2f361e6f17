/* squared: walk to the target cell of a small grid. The smallest useful environment, and the one
 * to read first. Rules: README.md beside this file.
 */
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { SIDE = 11, CELLS = SIDE * SIDE, CENTRE = CELLS / 2, TIME_LIMIT = 33 };
enum { EMPTY, AGENT, TARGET, CLASSES };
enum { STAY, DOWN, UP, LEFT, RIGHT };

typedef struct {
    puff_random random;
    int32_t row, column;
    int32_t last_row, last_column; /* before the last step, for drawing */
    int32_t target;
    int32_t tick;
} squared;

static size_t squared_state_size(const double* params) {
    (void)params;
    return sizeof(squared);
}

static void squared_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((squared*)state)->random = puff_random_stream(seed, 0);
}

/* The memory may be another slot of the rollout each step, so all of it is written. */
static void squared_observe(const squared* world, const puff_io* io) {
    uint8_t* cells = io->observations;
    memset(cells, EMPTY, CELLS);
    cells[world->row * SIDE + world->column] = AGENT;
    cells[world->target] = TARGET;
}

static void squared_reset(void* state, const puff_io* io) {
    squared* world = state;
    world->row = world->last_row = CENTRE / SIDE;
    world->column = world->last_column = CENTRE % SIDE;
    world->tick = 0;
    /* Any cell but the centre. */
    world->target = (int32_t)puff_random_below(&world->random, CELLS - 1);
    world->target += world->target >= CENTRE;
    squared_observe(world, io);
}

static void squared_step(void* state, const puff_io* io) {
    squared* world = state;
    const int32_t action = io->actions[0];
    world->last_row = world->row;
    world->last_column = world->column;
    world->row += (action == DOWN) - (action == UP);
    world->column += (action == RIGHT) - (action == LEFT);
    world->tick++;

    const int outside =
        world->row < 0 || world->row >= SIDE || world->column < 0 || world->column >= SIDE;
    const int reached = !outside && world->row * SIDE + world->column == world->target;
    if (outside || reached || world->tick > TIME_LIMIT) {
        io->rewards[0] = reached ? 1 : -1;
        io->terminals[0] = 1;
        io->scores[0] = (float)reached;
        squared_reset(state, io);
        return;
    }
    squared_observe(world, io);
}

static void squared_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent;
    const squared* world = state;
    const puff_view view = puff_view_fit(canvas, 0, 0, SIDE, SIDE);
    puff_clear(canvas, 0x0b0e14);
    for (int i = 0; i < CELLS; i++) {
        const uint32_t colour = i == world->target ? 0xe69f00 : 0x1a202b;
        puff_tile(&view, (float)(i % SIDE), (float)(i / SIDE), 1, 1, colour);
    }
    const float row = (float)world->last_row + phase * (float)(world->row - world->last_row);
    const float column =
        (float)world->last_column + phase * (float)(world->column - world->last_column);
    puff_disc(&view, column + 0.5f, row + 0.5f, 0.36f, 0x56b4e9);
}

static const puff_field squared_fields[] = {
    {.name = "cells", .count = CELLS, .dtype = PUFF_UINT8, .classes = CLASSES},
};

static const puff_choice squared_choices[] = {
    {"stay", ""}, {"down", "down s"}, {"up", "up w"}, {"left", "left a"}, {"right", "right d"},
};

static const puff_action squared_actions[] = {
    {.name = "move",
     .choice_count = PUFF_COUNT(squared_choices),
     .neutral = STAY,
     .choices = squared_choices},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "squared",
    .summary = "reach the target cell in an 11x11 grid",
    .observation_bytes = CELLS,
    .field_count = PUFF_COUNT(squared_fields),
    .fields = squared_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(squared_actions),
    .actions = squared_actions,
    .agents = 1,
    .frames_per_second = 8,
    .frames_per_step = 1,
    .turn_based = 1,
    .score_low = 0,
    .score_high = 1,
    .picture_width = SIDE,
    .picture_height = SIDE,
    .state_size = squared_state_size,
    .init = squared_init,
    .reset = squared_reset,
    .step = squared_step,
    .draw = squared_draw,
};

#include "vec.h"
