/* shared_pool: eight agents live off one pool of food that grows back only where food is left.
 * Rules: README.md beside this file.
 */
#include <math.h>
#include <string.h>

#include "puff_env.h"
#include "random.h"
#include "shared_pool_picture.h"
#include "shared_pool_world.h"

enum { UP, DOWN, LEFT, RIGHT, STAY };
enum { REGROWTH, SHARING, PARAMETERS };
enum { STAT_NORMAL, STAT_SHARED, STAT_SURVIVED, STAT_LEFT, STATISTICS };

#define NORMAL_REWARD 0.1f
#define SHARED_REWARD 0.2f

static const int32_t steps_to[] = {-SIDE, SIDE, -1, 1};

static size_t shared_pool_state_size(const double* params) {
    (void)params;
    return sizeof(pool);
}

/* The natural logarithm of 0 < x <= 1 from exact operations alone: libraries differ in their last
 * bit. With x = m 2^e, log m = 2 atanh((m - 1) / (m + 1)), and m is taken as near to 1 as can be.
 */
static double natural_log(double x) {
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.7) {
        m *= 2;
        exponent--;
    }
    const double s = (m - 1) / (m + 1), square = s * s;
    double series = 0;
    for (int k = 23; k >= 1; k -= 2) series = series * square + 1.0 / k;
    return 2 * s * series + exponent * 0.69314718055994530942;
}

/* How many tries fail before one succeeds: a geometric number. */
static int64_t draw_failures(pool* world, const food* kind) {
    const double chance = (double)((puff_random_bits(&world->random) >> 11) + 1) * 0x1p-53;
    return (int64_t)(natural_log(chance) / kind->log_failure);
}

static void shared_pool_init(void* state, const double* params, uint64_t seed) {
    pool* world = state;
    world->random = puff_random_stream(seed, 0);
    world->sharing = (float)params[SHARING];
    for (int k = 0; k < KINDS; k++) {
        food* kind = &world->foods[k];
        kind->log_failure = natural_log(1 - params[REGROWTH] / (k == 0 ? 1 : 10));
        kind->failures = draw_failures(world, kind);
    }
}

static void observe(const pool* world, const forager* self, uint8_t* seen) {
    if (self->hp == 0) {
        memset(seen, 0, OBSERVATION);
        return;
    }
    const uint8_t* row = world->cells + self->cell - VISION * SIDE - VISION;
    /* Eight bytes at once; the one too much is written again after it. */
    for (int r = 0; r < WINDOW; r++) memcpy(seen + r * WINDOW, row + r * SIDE, WINDOW + 1);
    seen[SEEN / 2] = ITSELF;
    seen[SEEN] = (uint8_t)(self->hp * 255 / MOST_HP);
}

static void observe_all(const pool* world, const puff_io* io) {
    for (int a = 0; a < AGENTS; a++) {
        observe(world, &world->agents[a], (uint8_t*)io->observations + a * OBSERVATION);
    }
}

static int32_t empty_cell(pool* world) {
    for (;;) {
        const uint32_t drawn = puff_random_below(&world->random, INNER * INNER);
        const uint32_t row = VISION + drawn / INNER, column = VISION + drawn % INNER;
        if (world->cells[row * SIDE + column] == EMPTY) return (int32_t)(row * SIDE + column);
    }
}

static void put_food(pool* world, uint8_t kind, int32_t cell) {
    food* foods = &world->foods[kind - NORMAL];
    world->cells[cell] = kind;
    foods->places[foods->count++] = (uint16_t)cell;
}

static void take_food(pool* world, int32_t cell) {
    food* foods = &world->foods[world->cells[cell] - NORMAL];
    int i = 0;
    while (foods->places[i] != cell) i++;
    foods->places[i] = foods->places[--foods->count];
    world->cells[cell] = EMPTY;
}

static void shared_pool_reset(void* state, const puff_io* io) {
    pool* world = state;
    memset(world->cells, WALL, sizeof world->cells);
    for (int row = VISION; row < SIDE - VISION; row++) {
        memset(world->cells + row * SIDE + VISION, EMPTY, INNER);
    }
    world->tick = 0;
    world->living = AGENTS;
    for (int a = 0; a < AGENTS; a++) {
        const int32_t cell = empty_cell(world);
        world->agents[a] =
            (forager){.cell = cell, .hp = START_HP, .last_cell = cell, .last_hp = START_HP};
        world->cells[cell] = OTHER;
    }
    for (int k = 0; k < KINDS; k++) world->foods[k].count = 0;
    for (int i = 0; i < FIRST_NORMAL; i++) put_food(world, NORMAL, empty_cell(world));
    for (int i = 0; i < FIRST_SHARED; i++) put_food(world, SHARED, empty_cell(world));
    observe_all(world, io);
}

static void feed(forager* self, int32_t hp) {
    self->hp = self->hp + hp < MOST_HP ? self->hp + hp : MOST_HP;
}

/* All who stand beside shared food when it is eaten have their part of it. */
static void eat_together(pool* world, int32_t cell, const puff_io* io) {
    take_food(world, cell);
    for (int a = 0; a < AGENTS; a++) {
        forager* self = &world->agents[a];
        const int32_t away = self->cell > cell ? self->cell - cell : cell - self->cell;
        if (self->hp == 0 || (away != 1 && away != SIDE)) continue;
        self->shared++;
        feed(self, SHARED_HP);
        io->rewards[a] += SHARED_REWARD;
    }
}

/* The shared food that somebody has come to in this step. */
typedef struct {
    int32_t count;
    int32_t cells[4 * AGENTS];
} marks;

/* Whether somebody has come to it before in this step; from now on, somebody has. */
static int marked(marks* seen, int32_t cell) {
    for (int i = 0; i < seen->count; i++) {
        if (seen->cells[i] == cell) return 1;
    }
    seen->cells[seen->count++] = cell;
    return 0;
}

static void act(pool* world, int a, marks* seen, const puff_io* io) {
    forager* self = &world->agents[a];
    const int32_t action = io->actions[a];
    if (action == STAY) return;
    const int32_t target = self->cell + steps_to[action];
    if (world->cells[target] == NORMAL) {
        take_food(world, target);
        self->normal++;
        feed(self, NORMAL_HP);
        io->rewards[a] += NORMAL_REWARD;
    }
    if (world->cells[target] == EMPTY) {
        world->cells[self->cell] = EMPTY;
        world->cells[target] = OTHER;
        self->cell = target;
    }
    for (int i = UP; i <= RIGHT; i++) {
        const int32_t beside = self->cell + steps_to[i];
        if (world->cells[beside] == SHARED && marked(seen, beside)) eat_together(world, beside, io);
    }
}

/* Sets what an episode reports, at its end. */
static void report(const pool* world, int a, const puff_io* io) {
    const forager* self = &world->agents[a];
    const int survived = self->hp > 0;
    float* statistics = io->statistics + a * STATISTICS;
    io->scores[a] = NORMAL_REWARD * (float)self->normal + SHARED_REWARD * (float)self->shared -
                    (float)!survived;
    statistics[STAT_NORMAL] = (float)self->normal;
    statistics[STAT_SHARED] = (float)self->shared;
    statistics[STAT_SURVIVED] = (float)survived;
    statistics[STAT_LEFT] = (float)world->foods[0].count;
}

static void hunger(pool* world, int a, const puff_io* io) {
    forager* self = &world->agents[a];
    if (--self->hp > 0) return;
    world->living--;
    world->cells[self->cell] = EMPTY;
    io->rewards[a] -= 1;
    io->terminals[a] = 1;
    report(world, a, io);
}

/* Number `try` of all tries in this step is one food's for one of its neighbours. What grows in
 * this step is at the end of the list, and tries from the next step on. */
static void seed(pool* world, uint8_t kind, int64_t try) {
    static const int32_t around[NEIGHBOURS] = {-SIDE - 1, -SIDE,    -SIDE + 1, -1,
                                               1,         SIDE - 1, SIDE,      SIDE + 1};
    const food* foods = &world->foods[kind - NORMAL];
    const int32_t cell = foods->places[try / NEIGHBOURS] + around[try % NEIGHBOURS];
    if (world->cells[cell] == EMPTY) put_food(world, kind, cell);
}

static void grow(pool* world, uint8_t kind) {
    food* foods = &world->foods[kind - NORMAL];
    const int64_t tries = (int64_t)foods->count * NEIGHBOURS;
    while (foods->failures < tries) {
        seed(world, kind, foods->failures);
        foods->failures += 1 + draw_failures(world, foods);
    }
    foods->failures -= tries;
}

/* A part of what was earned in this step goes to all who took part in it, each the same. */
static void share(const pool* world, int taking_part, const puff_io* io) {
    float sum = 0;
    for (int a = 0; a < AGENTS; a++) sum += io->alive[a] ? io->rewards[a] : 0;
    const float each = sum / (float)taking_part;
    for (int a = 0; a < AGENTS; a++) {
        if (io->alive[a]) io->rewards[a] += world->sharing * (each - io->rewards[a]);
    }
}

/* The time is over for those still alive. */
static void close_down(pool* world, const puff_io* io) {
    for (int a = 0; a < AGENTS; a++) {
        if (world->agents[a].hp == 0) continue;
        io->truncations[a] = 1;
        report(world, a, io);
        observe(world, &world->agents[a], puff_final(io, (uint32_t)a));
    }
    shared_pool_reset(world, io);
}

static void shared_pool_step(void* state, const puff_io* io) {
    pool* world = state;
    marks seen = {.count = 0};
    const int taking_part = world->living;
    world->tick++;
    for (int a = 0; a < AGENTS; a++) {
        forager* self = &world->agents[a];
        self->last_cell = self->cell;
        self->last_hp = self->hp;
        if (self->hp) {
            act(world, a, &seen, io);
        } else {
            io->alive[a] = 0;
        }
    }
    for (int a = 0; a < AGENTS; a++) {
        if (world->agents[a].hp) hunger(world, a, io);
    }
    share(world, taking_part, io);
    if (world->living == 0) {
        shared_pool_reset(world, io);
        return;
    }
    grow(world, NORMAL);
    grow(world, SHARED);
    if (world->tick > TIME_LIMIT) {
        close_down(world, io);
    } else {
        observe_all(world, io);
    }
}

static const puff_field shared_pool_fields[] = {
    {.name = "cells", .count = SEEN, .dtype = PUFF_UINT8, .classes = CLASSES},
    {.name = "hp", .offset = SEEN, .count = 1, .dtype = PUFF_UINT8},
};

static const puff_choice shared_pool_choices[] = {
    {"up", "up w"}, {"down", "down s"}, {"left", "left a"}, {"right", "right d"}, {"stay", ""},
};

static const puff_action shared_pool_actions[] = {
    {.name = "move",
     .choice_count = PUFF_COUNT(shared_pool_choices),
     .neutral = STAY,
     .choices = shared_pool_choices},
};

static const puff_parameter shared_pool_parameters[PARAMETERS] = {
    {.name = "regrowth",
     .type = PUFF_REAL,
     .standard = 0.002,
     .low = 0.000001,
     .high = 0.5,
     .help =
         "chance that a food seeds an empty neighbour in a step; a tenth of it for shared food"},
    {.name = "sharing",
     .type = PUFF_REAL,
     .low = 0,
     .high = 1,
     .help = "part of all rewards of a step that those who live share equally"},
};

static const char* const shared_pool_statistics[STATISTICS] = {"normal_food", "shared_food",
                                                               "survived", "food_left"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "shared_pool",
    .summary = "eight agents live off food that grows back only where some is left",
    .observation_bytes = OBSERVATION,
    .field_count = PUFF_COUNT(shared_pool_fields),
    .fields = shared_pool_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(shared_pool_actions),
    .actions = shared_pool_actions,
    .agents = AGENTS,
    .frames_per_second = 8,
    .frames_per_step = 1,
    .score_low = -1,
    .score_high = 40,
    .picture_width = PICTURE_WIDTH,
    .picture_height = PICTURE_HEIGHT,
    .parameter_count = PARAMETERS,
    .parameters = shared_pool_parameters,
    .statistic_count = STATISTICS,
    .statistics = shared_pool_statistics,
    .state_size = shared_pool_state_size,
    .init = shared_pool_init,
    .reset = shared_pool_reset,
    .step = shared_pool_step,
    .draw = shared_pool_draw,
    .locate = shared_pool_locate,
};

#include "vec.h"
