/* snake: 256 snakes in one field, each an agent of its own. Rules: README.md beside this file.
 *
 * A cell that a body covers holds whose it is and in which direction the next segment towards the
 * head lies (at the head: where it is going). So the field itself is the list of segments, and a
 * snake needs no more than the places of its head and its tail.
 */
#include <math.h>
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { HEIGHT = 360, WIDTH = 640, CELLS = HEIGHT * WIDTH };
enum { VISION = 5, SIDE = 2 * VISION + 1, SEEN = SIDE * SIDE };
enum { INNER_HEIGHT = HEIGHT - 2 * VISION, INNER_WIDTH = WIDTH - 2 * VISION };
enum { SNAKES = 256, FOODS = 4096, LONGEST = 1024 };
enum { UP, DOWN, LEFT, RIGHT, DIRECTIONS };

/* What a cell holds: BODY stands for BODY + DIRECTIONS * snake + direction. An agent sees the first
 * four as they are, and bodies as those of others or its own. */
enum { EMPTY, FOOD, CORPSE, WALL, BODY };
enum { OTHER = BODY, OWN, CLASSES };

enum { STAT_FOOD, STAT_CORPSES, STAT_AT_WALL, STAT_AT_ITSELF, STATISTICS };

/* Rows are read in vectors of this many cells, beyond what is seen. */
enum { LANES = 16 };

typedef struct {
    int32_t head, tail;
    int32_t length;
    int32_t food, corpses; /* eaten in this episode */
    /* For drawing: the step before. */
    int32_t last_head, last_tail;
    int32_t ate; /* what was where the head is now */
    int32_t born;
} snake;

typedef struct {
    puff_random random;
    snake snakes[SNAKES];
    uint16_t cells[CELLS + LANES];
} field;

static const int32_t steps_to[DIRECTIONS] = {-WIDTH, WIDTH, -1, 1};

static size_t snake_state_size(const double* params) {
    (void)params;
    return sizeof(field);
}

static void snake_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((field*)state)->random = puff_random_stream(seed, 0);
}

static inline uint16_t body_of(uint32_t id, uint32_t direction) {
    return (uint16_t)(BODY + DIRECTIONS * id + direction);
}

static inline int belongs_to(uint16_t cell, uint32_t id) {
    return cell / DIRECTIONS == BODY / DIRECTIONS + id;
}

/* The direction in a cell of a body; BODY is a multiple of DIRECTIONS. */
static inline uint32_t direction_of(uint16_t cell) {
    return cell % DIRECTIONS;
}

/* A random cell that is empty or holds a corpse. */
static int32_t free_cell(field* world) {
    for (;;) {
        const uint32_t drawn = puff_random_below(&world->random, INNER_HEIGHT * INNER_WIDTH);
        const uint32_t row = VISION + drawn / INNER_WIDTH, column = VISION + drawn % INNER_WIDTH;
        const int32_t cell = (int32_t)(row * WIDTH + column);
        if (world->cells[cell] == EMPTY || world->cells[cell] == CORPSE) return cell;
    }
}

static void be_born(field* world, uint32_t id) {
    const int32_t cell = free_cell(world);
    world->cells[cell] = body_of(id, UP);
    world->snakes[id] = (snake){
        .head = cell, .tail = cell, .length = 1, .last_head = cell, .last_tail = cell, .born = 1};
}

/* Every second segment, counted from the tail, becomes a corpse. */
static void leave_corpses(field* world, const snake* dead) {
    int32_t cell = dead->tail;
    for (int32_t i = 1; i <= dead->length; i++) {
        const int32_t next = cell + steps_to[direction_of(world->cells[cell])];
        world->cells[cell] = i % 2 == 0 ? CORPSE : EMPTY;
        cell = next;
    }
}

/* What one snake makes of a row of cells, a vector at once. */
static inline void classify(const uint16_t* restrict row, uint32_t id, uint8_t* restrict seen) {
    const uint16_t own = body_of(id, DIRECTIONS - 1);
    for (int i = 0; i < LANES; i++) {
        const uint16_t kind = row[i] < OTHER ? row[i] : OTHER;
        seen[i] = (uint8_t)(kind + ((row[i] | (DIRECTIONS - 1)) == own));
    }
}

static void observe(const field* world, uint32_t id, uint8_t* restrict seen) {
    const uint16_t* row = world->cells + world->snakes[id].head - VISION * WIDTH - VISION;
    /* What a vector writes too much, the next one replaces; the last must not write it. */
    for (int r = 0; r < SIDE - 1; r++) classify(row + r * WIDTH, id, seen + r * SIDE);
    uint8_t last[LANES];
    classify(row + (SIDE - 1) * WIDTH, id, last);
    memcpy(seen + (SIDE - 1) * SIDE, last, SIDE);
}

static void observe_all(const field* world, const puff_io* io) {
    for (uint32_t id = 0; id < SNAKES; id++) {
        observe(world, id, (uint8_t*)io->observations + id * SEEN);
    }
}

static void snake_reset(void* state, const puff_io* io) {
    field* world = state;
    for (int cell = 0; cell < CELLS + LANES; cell++) {
        const int row = cell / WIDTH, column = cell % WIDTH;
        const int inside =
            row >= VISION && row < HEIGHT - VISION && column >= VISION && column < WIDTH - VISION;
        world->cells[cell] = inside ? EMPTY : WALL;
    }
    for (uint32_t id = 0; id < SNAKES; id++) be_born(world, id);
    for (int i = 0; i < FOODS; i++) world->cells[free_cell(world)] = FOOD;
    observe_all(world, io);
}

static void die(field* world, uint32_t id, uint16_t obstacle, const puff_io* io) {
    const snake* dead = &world->snakes[id];
    float* statistics = io->statistics + id * STATISTICS;
    io->rewards[id] = -1;
    io->terminals[id] = 1;
    io->scores[id] = (float)dead->length;
    statistics[STAT_FOOD] = (float)dead->food;
    statistics[STAT_CORPSES] = (float)dead->corpses;
    statistics[STAT_AT_WALL] = obstacle == WALL;
    statistics[STAT_AT_ITSELF] = belongs_to(obstacle, id);
    leave_corpses(world, dead);
    be_born(world, id);
}

static void move(field* world, uint32_t id, const puff_io* io) {
    snake* self = &world->snakes[id];
    uint16_t* cells = world->cells;
    const uint32_t heading = direction_of(cells[self->head]);
    uint32_t direction = (uint32_t)io->actions[id] % DIRECTIONS;
    /* Nobody turns into its own neck. */
    if (self->length > 1 && direction == (heading ^ 1)) direction = heading;
    const int32_t target = self->head + steps_to[direction];
    const uint16_t found = cells[target];
    if (found >= WALL) {
        die(world, id, found, io);
        return;
    }
    self->born = 0;
    self->ate = found;
    self->last_head = self->head;
    self->last_tail = self->tail;
    cells[self->head] = cells[target] = body_of(id, direction);
    self->head = target;
    if (found == EMPTY || self->length == LONGEST) {
        const int32_t next = self->tail + steps_to[direction_of(cells[self->tail])];
        cells[self->tail] = EMPTY;
        self->tail = next;
    } else {
        self->length++;
    }
    if (found == EMPTY) return;
    io->rewards[id] = 0.1f;
    self->food += found == FOOD;
    self->corpses += found == CORPSE;
    if (found == FOOD) cells[free_cell(world)] = FOOD;
}

static void snake_step(void* state, const puff_io* io) {
    field* world = state;
    for (uint32_t id = 0; id < SNAKES; id++) move(world, id, io);
    observe_all(world, io);
}

/* Drawing. One cell is one unit, and its middle is at + 0.5. */

typedef struct {
    float x, y;
} point;

static point middle_of(int32_t cell) {
    return (point){(float)(cell % WIDTH) + 0.5f, (float)(cell / WIDTH) + 0.5f};
}

static point between(int32_t from, int32_t to, float phase) {
    const point a = middle_of(from), b = middle_of(to);
    return (point){a.x + phase * (b.x - a.x), a.y + phase * (b.y - a.y)};
}

/* A window of about 24 x 24 cells around a place, in whole pixels, inside the field. */
static puff_view window_around(puff_canvas* canvas, point place) {
    const float width = (float)canvas->width, height = (float)canvas->height;
    const float scale = fmaxf(roundf(sqrtf(width * height) / 24), 1);
    const float left = roundf(place.x * scale - width / 2);
    const float top = roundf(place.y * scale - height / 2);
    return (puff_view){
        .canvas = canvas,
        .left = fmaxf(fminf(left, WIDTH * scale - width), 0) / scale,
        .top = fmaxf(fminf(top, HEIGHT * scale - height), 0) / scale,
        .scale = scale,
    };
}

static void draw_food(const puff_view* view, int32_t cell, int32_t kind, float size) {
    const point at = middle_of(cell);
    if (kind == FOOD) {
        puff_disc(view, at.x, at.y, 0.38f * size, 0x3fd07f);
    } else {
        const float half = 0.22f * size;
        puff_rectangle(view, at.x - half, at.y - half, 2 * half, 2 * half, 0xb0605a);
    }
}

static void draw_ground(const puff_view* view, int32_t cell, uint16_t holds) {
    const int32_t row = cell / WIDTH, column = cell % WIDTH;
    const float x = (float)column, y = (float)row;
    if (holds == WALL) {
        puff_rectangle(view, x, y, 1, 1, 0x2b3340);
        puff_tile(view, x, y, 1, 1, 0x46505f);
    } else {
        puff_rectangle(view, x, y, 1, 1, (row + column) % 2 ? 0x0f141c : 0x131923);
    }
    if (holds == FOOD || holds == CORPSE) draw_food(view, cell, holds, 1);
}

static uint32_t colour_of(uint32_t id, uint32_t agent) {
    static const uint32_t others[] = {0x3f78c0, 0x8a63c9, 0x2f9aa8, 0x6b7fd6};
    return id == agent ? 0xffd23f : others[id % PUFF_COUNT(others)];
}

/* The part of a body that lies in one cell: from its middle to the next segment's. The ends move:
 * the head comes from where it was, the tail leaves the cell behind it. */
static void draw_body(const puff_view* view, const field* world, int32_t cell, uint32_t agent,
                      float phase) {
    const uint16_t holds = world->cells[cell];
    const uint32_t id = (uint32_t)(holds - BODY) / DIRECTIONS;
    const snake* self = &world->snakes[id];
    const uint32_t colour = colour_of(id, agent);
    const float width = 0.74f;
    const point head = between(self->last_head, self->head, phase), here = middle_of(cell);
    if (cell == self->tail && self->length > 1 && self->last_tail != self->tail) {
        const point end = between(self->last_tail, self->tail, phase);
        puff_line(view, end.x, end.y, here.x, here.y, width, colour);
    }
    if (cell != self->head) {
        const int32_t next = cell + steps_to[direction_of(holds)];
        const point to = next == self->head ? head : middle_of(next);
        puff_line(view, here.x, here.y, to.x, to.y, width, colour);
        return;
    }
    if (self->ate != EMPTY) draw_food(view, cell, self->ate, 1 - phase);
}

/* Heads come last, over everything, with eyes where there is room for them. */
static void draw_head(const puff_view* view, const field* world, uint32_t id, uint32_t agent,
                      float phase) {
    const snake* self = &world->snakes[id];
    const point head = between(self->last_head, self->head, phase);
    const uint32_t direction = direction_of(world->cells[self->head]);
    const float ahead_x = (float)(direction == RIGHT) - (float)(direction == LEFT);
    const float ahead_y = (float)(direction == DOWN) - (float)(direction == UP);
    puff_disc(view, head.x, head.y, id == agent ? 0.5f : 0.44f, colour_of(id, agent));
    if (id == agent) puff_disc(view, head.x, head.y, 0.34f, 0xfff4c8);
    for (int side = -1; side <= 1 && view->scale >= 4; side += 2) {
        const float x = head.x + 0.18f * ahead_x + 0.2f * (float)side * ahead_y;
        const float y = head.y + 0.18f * ahead_y + 0.2f * (float)side * ahead_x;
        puff_disc(view, x, y, 0.11f, 0x0b0e14);
    }
}

static void snake_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const field* world = state;
    const snake* self = &world->snakes[agent];
    const puff_view view = window_around(canvas, between(self->last_head, self->head, phase));
    /* One cell more on each side, for what reaches into the picture. */
    const int top = (int)fmaxf(view.top - 1, 0), left = (int)fmaxf(view.left - 1, 0);
    const int bottom = (int)fminf(view.top + (float)canvas->height / view.scale + 2, HEIGHT);
    const int right = (int)fminf(view.left + (float)canvas->width / view.scale + 2, WIDTH);
    puff_clear(canvas, 0x0b0e14);
    for (int layer = 0; layer < 2; layer++) {
        for (int row = top; row < bottom; row++) {
            for (int cell = row * WIDTH + left; cell < row * WIDTH + right; cell++) {
                if (layer == 0) draw_ground(&view, cell, world->cells[cell]);
                if (layer == 1 && world->cells[cell] >= BODY) {
                    draw_body(&view, world, cell, agent, phase);
                }
            }
        }
    }
    for (uint32_t id = 0; id < SNAKES; id++) {
        const int row = world->snakes[id].head / WIDTH, column = world->snakes[id].head % WIDTH;
        if (row >= top && row < bottom && column >= left && column < right) {
            draw_head(&view, world, id, agent, phase);
        }
    }
    /* A death is a flash, and then another place. */
    if (self->born) {
        const puff_view whole = {.canvas = canvas, .scale = 1};
        for (int y = 0; y < (int)canvas->height; y++) {
            for (int x = 0; x < (int)canvas->width; x++) {
                puff_blend(whole.canvas, x, y, 0xd55e00, 0.7f * (1 - phase));
            }
        }
    }
}

/* Whose body is at a pixel, or whose head close to it. */
static uint32_t snake_locate(const void* state, uint32_t agent, float phase, puff_canvas* canvas,
                             float x, float y) {
    const field* world = state;
    const snake* self = &world->snakes[agent];
    const puff_view view = window_around(canvas, between(self->last_head, self->head, phase));
    const float column = view.left + x / view.scale, row = view.top + y / view.scale;
    if (!(row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH)) return PUFF_NOBODY;
    const uint16_t holds = world->cells[(int)row * WIDTH + (int)column];
    if (holds >= BODY) return (uint32_t)(holds - BODY) / DIRECTIONS;
    uint32_t nearest = PUFF_NOBODY;
    float reach = 1.5f;
    for (uint32_t id = 0; id < SNAKES; id++) {
        const snake* other = &world->snakes[id];
        const point head = between(other->last_head, other->head, phase);
        const float distance = hypotf(head.x - column, head.y - row);
        if (distance < reach) {
            reach = distance;
            nearest = id;
        }
    }
    return nearest;
}

static const puff_field snake_fields[] = {
    {.name = "cells", .count = SEEN, .dtype = PUFF_UINT8, .classes = CLASSES},
};

static const puff_choice snake_choices[] = {
    {"up", "up w"},
    {"down", "down s"},
    {"left", "left a"},
    {"right", "right d"},
};

static const puff_action snake_actions[] = {
    {.name = "turn",
     .choice_count = PUFF_COUNT(snake_choices),
     .neutral = UP,
     .choices = snake_choices},
};

static const char* const snake_statistics[STATISTICS] = {"food", "corpses", "at_wall", "at_itself"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "snake",
    .summary = "256 snakes grow in one field and get into each other's way",
    .observation_bytes = SEEN,
    .field_count = PUFF_COUNT(snake_fields),
    .fields = snake_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(snake_actions),
    .actions = snake_actions,
    .agents = SNAKES,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_low = 1,
    .score_high = 100,
    .picture_width = 1600,
    .picture_height = 900,
    .statistic_count = STATISTICS,
    .statistics = snake_statistics,
    .state_size = snake_state_size,
    .init = snake_init,
    .reset = snake_reset,
    .step = snake_step,
    .draw = snake_draw,
    .locate = snake_locate,
};

#include "vec.h"
