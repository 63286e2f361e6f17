/* shared_pool: eight agents live off one pool of food that grows back only where food is left.
 * Rules: README.md beside this file.
 */
#include <math.h>
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { SIDE = 32, VISION = 3, CELLS = SIDE * SIDE, INNER = SIDE - 2 * VISION };
enum { AGENTS = 8, WINDOW = 2 * VISION + 1, SEEN = WINDOW * WINDOW, OBSERVATION = SEEN + 1 };
enum { MOST_FOOD = INNER * INNER, FIRST_NORMAL = MOST_FOOD / 20, FIRST_SHARED = MOST_FOOD / 50 };
enum { START_HP = 80, MOST_HP = 100, NORMAL_HP = 20, SHARED_HP = 50, TIME_LIMIT = 1000 };
enum { UP, DOWN, LEFT, RIGHT, STAY };
enum { EMPTY, NORMAL, SHARED, WALL, OTHER, ITSELF, CLASSES };
enum { KINDS = 2, NEIGHBOURS = 8 };
enum { REGROWTH, SHARING, PARAMETERS };
enum { STAT_NORMAL, STAT_SHARED, STAT_SURVIVED, STAT_LEFT, STATISTICS };

#define NORMAL_REWARD 0.1f
#define SHARED_REWARD 0.2f

/* Food of one kind. Each piece tries in each step to seed each of its eight neighbours, and almost
 * every try fails: so what is kept is how many will fail until the next one succeeds. */
typedef struct {
    double log_failure; /* log(1 - the chance of a try) */
    int64_t failures;
    int32_t count;
    uint16_t places[MOST_FOOD];
} food;

typedef struct {
    int32_t cell;
    int32_t hp;                 /* 0: dead */
    int32_t normal, shared;     /* eaten in this episode */
    int32_t last_cell, last_hp; /* before the last step, for drawing */
} forager;

typedef struct {
    puff_random random;
    float sharing;     /* part of all rewards that is shared out */
    food foods[KINDS]; /* of kind NORMAL + index */
    forager agents[AGENTS];
    int32_t tick;
    int32_t living;
    uint8_t cells[CELLS + 8]; /* rows are read eight bytes at a time */
} pool;

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

/* Drawing. One cell is one unit; of the walls only the innermost cells are shown. */

/* The colour `part` of the way from one to another. */
static uint32_t mix(uint32_t from, uint32_t to, float part) {
    uint32_t mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const float a = (float)(from >> shift & 0xff), b = (float)(to >> shift & 0xff);
        mixed |= (uint32_t)(a + part * (b - a)) << shift;
    }
    return mixed;
}

/* Bare ground where no food is near, and green where food may grow: the pool dies visibly. */
static void draw_ground(const puff_view* view, const pool* world, int row, int column) {
    const int cell = row * SIDE + column;
    if (world->cells[cell] == WALL) {
        puff_tile(view, (float)column, (float)row, 1, 1, 0x59626f);
        return;
    }
    int near = 0;
    for (int r = -1; r <= 1; r++) {
        for (int c = -1; c <= 1; c++) near += world->cells[cell + r * SIDE + c] == NORMAL;
    }
    const float green = fminf((float)near / 3, 1);
    puff_tile(view, (float)column, (float)row, 1, 1, mix(0x2a2320, 0x1d4a2a, green));
}

static void draw_food(const puff_view* view, const pool* world) {
    for (int k = 0; k < KINDS; k++) {
        const food* foods = &world->foods[k];
        for (int i = 0; i < foods->count; i++) {
            const float x = (float)(foods->places[i] % SIDE) + 0.5f;
            const float y = (float)(foods->places[i] / SIDE) + 0.5f;
            puff_disc(view, x, y, k == 0 ? 0.34f : 0.5f, k == 0 ? 0x7ddb5c : 0xe58a2b);
        }
    }
}

static float hp_at(const forager* self, float phase) {
    return (float)self->last_hp + phase * (float)(self->hp - self->last_hp);
}

static uint32_t colour_of(int a, uint32_t agent) {
    return a == (int)agent ? 0xffffff : 0x56b4e9;
}

static void place_at(const forager* self, float phase, float* x, float* y) {
    const float x0 = (float)(self->last_cell % SIDE), y0 = (float)(self->last_cell / SIDE);
    const float x1 = (float)(self->cell % SIDE), y1 = (float)(self->cell / SIDE);
    *x = x0 + phase * (x1 - x0) + 0.5f;
    *y = y0 + phase * (y1 - y0) + 0.5f;
}

/* The living turn red as they starve; a cross is left where somebody died. */
static void draw_agent(const puff_view* view, const pool* world, int a, uint32_t agent,
                       float phase) {
    const forager* self = &world->agents[a];
    float x, y;
    place_at(self, phase, &x, &y);
    const float hp = hp_at(self, phase);
    if (hp <= 0) {
        puff_line(view, x - 0.35f, y - 0.35f, x + 0.35f, y + 0.35f, 0.2f, 0x8b95a5);
        puff_line(view, x - 0.35f, y + 0.35f, x + 0.35f, y - 0.35f, 0.2f, 0x8b95a5);
        return;
    }
    if (a == (int)agent) puff_disc(view, x, y, 0.75f, 0x0b0e14);
    puff_disc(view, x, y, a == (int)agent ? 0.6f : 0.46f,
              mix(0xd5342a, colour_of(a, agent), fminf(hp / 60, 1)));
}

/* Below the field: how much normal food there is, and the health of each agent. */
static void draw_bars(const puff_view* view, const pool* world, uint32_t agent, float phase) {
    const float left = VISION, top = SIDE - VISION + 1.3f, width = INNER;
    const float stock = fminf((float)world->foods[0].count / (4 * FIRST_NORMAL), 1);
    puff_rectangle(view, left, top, width, 1, 0x1c222c);
    puff_rectangle(view, left, top, width * stock, 1, mix(0xd5342a, 0x7ddb5c, fminf(stock * 3, 1)));
    const float each = width / AGENTS;
    for (int a = 0; a < AGENTS; a++) {
        const float hp = hp_at(&world->agents[a], phase), x = left + each * (float)a;
        puff_rectangle(view, x, top + 1.4f, each - 0.5f, 1, 0x1c222c);
        puff_rectangle(view, x, top + 1.4f, (each - 0.5f) * hp / MOST_HP, 1,
                       mix(0xd5342a, colour_of(a, agent), fminf(hp / 60, 1)));
    }
}

enum { PICTURE_WIDTH = INNER + 2, PICTURE_HEIGHT = INNER + 5 };

static puff_view view_on(puff_canvas* canvas) {
    return puff_view_fit(canvas, VISION - 1, VISION - 1, PICTURE_WIDTH, PICTURE_HEIGHT);
}

static void shared_pool_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const pool* world = state;
    const puff_view view = view_on(canvas);
    puff_clear(canvas, 0x0b0e14);
    for (int row = VISION - 1; row <= SIDE - VISION; row++) {
        for (int column = VISION - 1; column <= SIDE - VISION; column++) {
            draw_ground(&view, world, row, column);
        }
    }
    for (int a = 0; a < AGENTS; a++) {
        if (!world->agents[a].hp) draw_agent(&view, world, a, agent, phase);
    }
    draw_food(&view, world);
    for (int a = 0; a < AGENTS; a++) {
        if (world->agents[a].hp && a != (int)agent) draw_agent(&view, world, a, agent, phase);
    }
    if (world->agents[agent].hp) draw_agent(&view, world, (int)agent, agent, phase);
    draw_bars(&view, world, agent, phase);
}

/* Who lives, or has died, close to a pixel. */
static uint32_t shared_pool_locate(const void* state, uint32_t agent, float phase,
                                   puff_canvas* canvas, float x, float y) {
    (void)agent;
    const pool* world = state;
    const puff_view view = view_on(canvas);
    uint32_t nearest = PUFF_NOBODY;
    float reach = 1.5f;
    for (uint32_t a = 0; a < AGENTS; a++) {
        float column, row;
        place_at(&world->agents[a], phase, &column, &row);
        const float across = column - (view.left + x / view.scale);
        const float down = row - (view.top + y / view.scale);
        if (hypotf(across, down) < reach) {
            reach = hypotf(across, down);
            nearest = a;
        }
    }
    return nearest;
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
