/* breakout: break two screens of bricks with five balls. Rules: README.md beside this file.
 *
 * The ball never moves more than 7.5 pixels in a substep, so it meets at most one boundary between
 * columns of bricks and one between rows.
 */
#include <math.h>
#include <string.h>

#include "breakout_field.h"
#include "breakout_picture.h"
#include "puff_env.h"
#include "random.h"

enum { BOUNCES = 8, HITS_TO_FASTER = 4, HARD_ROWS = 3, IDLE_LIMIT = 1800, SCALARS = 10 };
enum { SCREEN_SCORE = 432, MAX_SCORE = SCREENS * SCREEN_SCORE };
enum { STAY, LEFT, RIGHT };
enum { STAT_BRICKS, STAT_LIVES, STAT_PADDLE_HITS };

#define PADDLE_SPEED (620.0f / 60)
#define START_SPEED  (256.0f / 60)
#define FASTER       (64.0f / 60)
#define MAX_SPEED    (448.0f / 60)
#define FAR          1e9f

/* An edge this close to a boundary between bricks counts as not yet across it, so that a rounding
 * error cannot carry the ball past a brick. */
#define SKIN (1.0f / 1024)

/* What the policy sees: the bytes as 0 and 1. */
typedef struct {
    float scalars[SCALARS];
    uint8_t broken[BRICKS];
} breakout_seen;

typedef enum { NOTHING, WALL, CEILING, PADDLE, BRICK_SIDE, BRICK_FLAT } obstacle;

/* Where the ball's flight first ends: after `time` substeps, with x (at a side) or y (at a flat
 * face) exactly at `place`. */
typedef struct {
    float time;
    float place;
    obstacle kind;
    int brick;
} impact;

static const int row_points[ROWS] = {7, 7, 4, 4, 1, 1};

/* As fmaxf and fminf, which the compiler has to call for the sake of what is not a number. */
static inline float larger(float one, float other) {
    return one > other ? one : other;
}

static inline float smaller(float one, float other) {
    return one < other ? one : other;
}

static size_t breakout_state_size(const double* params) {
    (void)params;
    return sizeof(breakout);
}

static void breakout_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((breakout*)state)->random = puff_random_stream(seed, 0);
}

static inline void breakout_observe(const breakout* game, breakout_seen* view) {
    float* seen = view->scalars;
    seen[0] = game->paddle_x * (1 / FIELD_WIDTH);
    seen[1] = PADDLE_TOP / FIELD_HEIGHT;
    seen[2] = game->ball_x * (1 / FIELD_WIDTH);
    seen[3] = game->ball_y * (1 / FIELD_HEIGHT);
    seen[4] = game->ball_vx * (1 / MAX_SPEED);
    seen[5] = game->ball_vy * (1 / MAX_SPEED);
    seen[6] = (float)(BALLS + 1 - game->lives) * (1.0f / BALLS);
    seen[7] = (float)game->score * (1.0f / MAX_SCORE);
    seen[8] = (float)game->lives * (1.0f / BALLS);
    seen[9] = game->paddle_width * (1 / PADDLE_WIDTH);
    memcpy(view->broken, game->broken, sizeof game->broken);
}

static inline places places_now(const breakout* game) {
    return (places){game->ball_x, game->ball_y, game->paddle_x};
}

static inline void forget_latest(breakout* game) {
    for (int i = 0; i < SUBSTEPS; i++) game->latest[i] = -1;
}

/* A cleared screen is followed by a full one when the ball is out of the way. */
static void next_screen(breakout* game) {
    if (game->score == SCREEN_SCORE) memset(game->broken, STANDING, sizeof game->broken);
}

/* Puts the paddle in the middle and sends a ball down from above it, to either side. */
static void launch(breakout* game) {
    game->hits = 0;
    game->speed = START_SPEED;
    game->paddle_width = PADDLE_WIDTH;
    game->paddle_x = (FIELD_WIDTH - PADDLE_WIDTH) / 2;
    game->ball_x = (FIELD_WIDTH - BALL) / 2;
    game->ball_y = FIELD_HEIGHT / 2 - 30;
    const float side = puff_random_below(&game->random, 2) ? 1 : -1;
    game->ball_vx = side * START_SPEED * 0.82298387f; /* sine and cosine of pi / 3.25 */
    game->ball_vy = START_SPEED * 0.56806475f;
    next_screen(game);
}

static void breakout_reset(void* state, const puff_io* io) {
    breakout* game = state;
    memset(game->broken, STANDING, sizeof game->broken);
    game->lives = BALLS;
    game->score = game->bricks = game->paddle_hits = game->idle = 0;
    launch(game);
    for (int i = 0; i <= SUBSTEPS; i++) game->path[i] = places_now(game);
    forget_latest(game);
    breakout_observe(game, io->observations);
}

static inline int column_at(float x) {
    return (int)floorf(x * (1 / BRICK_WIDTH));
}

static inline int row_at(float y) {
    return (int)floorf((y - BRICKS_TOP) / BRICK_HEIGHT);
}

static inline int stands(const breakout* game, int row, int column) {
    return row >= 0 && row < ROWS && column >= 0 && column < COLUMNS &&
           game->broken[row * COLUMNS + column] == STANDING;
}

/* Columns or rows of bricks, from the first to the last. */
typedef struct {
    int first, last;
} range;

/* What the ball covers with its left edge at x, and with its upper edge at y. */
static inline range columns_under(float x) {
    return (range){column_at(x + SKIN), column_at(x + BALL - SKIN)};
}

static inline range rows_under(float y) {
    return (range){row_at(y + SKIN), row_at(y + BALL - SKIN)};
}

static inline range widened(range cells, int with) {
    return (range){with < cells.first ? with : cells.first, with > cells.last ? with : cells.last};
}

/* The standing brick nearest to the middle of a ball at (x, y), or -1. */
static int nearest_brick(const breakout* game, range rows, range columns, float x, float y) {
    int nearest = -1;
    float nearest_distance = FAR;
    for (int row = rows.first; row <= rows.last; row++) {
        for (int column = columns.first; column <= columns.last; column++) {
            const float dx = ((float)column + 0.5f) * BRICK_WIDTH - (x + BALL / 2);
            const float dy = ((float)row + 0.5f) * BRICK_HEIGHT + BRICKS_TOP - (y + BALL / 2);
            const float distance = dx * dx + dy * dy;
            if (stands(game, row, column) && distance < nearest_distance) {
                nearest = row * COLUMNS + column;
                nearest_distance = distance;
            }
        }
    }
    return nearest;
}

/* The ball flies into one new column and one new row of bricks at most. They are looked at in the
 * order in which it gets there; the one it has entered freely belongs to what it touches next. */
static void meet_bricks(const breakout* game, impact* first) {
    const float x = game->ball_x, y = game->ball_y, vx = game->ball_vx, vy = game->ball_vy;
    const range columns = columns_under(x), rows = rows_under(y);
    const int column = vx > 0 ? columns.last + 1 : columns.first - 1;
    const int row = vy > 0 ? rows.last + 1 : rows.first - 1;
    const float place_x =
        vx > 0 ? (float)column * BRICK_WIDTH - BALL : (float)(column + 1) * BRICK_WIDTH;
    const float place_y = vy > 0 ? (float)row * BRICK_HEIGHT + BRICKS_TOP - BALL
                                 : (float)(row + 1) * BRICK_HEIGHT + BRICKS_TOP;
    const float time_x = vx == 0 ? FAR : larger((place_x - x) / vx, 0);
    const float time_y = vy == 0 ? FAR : larger((place_y - y) / vy, 0);
    const int row_first = time_y <= time_x;

    for (int turn = 0; turn < 2; turn++) {
        const int flat = (turn == 0) == row_first;
        const float time = flat ? time_y : time_x;
        if (time >= first->time) return;
        const float at_x = x + vx * time, at_y = y + vy * time;
        range near_columns = flat ? columns_under(at_x) : (range){column, column};
        range near_rows = flat ? (range){row, row} : rows_under(at_y);
        if (turn == 1 && flat) near_columns = widened(near_columns, column);
        if (turn == 1 && !flat) near_rows = widened(near_rows, row);
        const int brick = nearest_brick(game, near_rows, near_columns, at_x, at_y);
        if (brick >= 0) {
            *first = flat ? (impact){time, place_y, BRICK_FLAT, brick}
                          : (impact){time, place_x, BRICK_SIDE, brick};
            return;
        }
    }
}

static void meet(impact* first, obstacle kind, float place, float from, float velocity) {
    const float time = larger((place - from) / velocity, 0);
    if (time < first->time) *first = (impact){time, place, kind, -1};
}

/* What the ball runs into within `time` substeps. */
static impact first_impact(const breakout* game, float time) {
    impact first = {.time = time, .kind = NOTHING};
    const float x = game->ball_x, y = game->ball_y, vx = game->ball_vx, vy = game->ball_vy;
    if (vx < 0) meet(&first, WALL, 0, x, vx);
    if (vx > 0) meet(&first, WALL, FIELD_WIDTH - BALL, x, vx);
    if (vy < 0) meet(&first, CEILING, 0, y, vy);
    if (vy > 0 && y <= PADDLE_TOP - BALL) {
        impact paddle = first;
        meet(&paddle, PADDLE, PADDLE_TOP - BALL, y, vy);
        const float left = x + vx * paddle.time;
        if (left + BALL > game->paddle_x && left < game->paddle_x + game->paddle_width) {
            first = paddle;
        }
    }
    if (y < BRICKS_TOP + ROWS * BRICK_HEIGHT + MAX_SPEED && y > BRICKS_TOP - BALL - MAX_SPEED) {
        meet_bricks(game, &first);
    }
    return first;
}

static void bounce_off_paddle(breakout* game) {
    game->paddle_hits++;
    game->hits++;
    if (game->hits % HITS_TO_FASTER == 0) game->speed = smaller(game->speed + FASTER, MAX_SPEED);
    /* From 45 degrees to the left at the left end to 45 to the right at the right end. The sine is
     * a polynomial, since libraries differ in their last bit. */
    const float middle = game->ball_x + BALL / 2 - game->paddle_x - game->paddle_width / 2;
    const float offset = smaller(larger(middle / (game->paddle_width / 2), -1), 1);
    const float angle = offset * 0.78539816f, square = angle * angle;
    const float sine =
        angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))));
    game->ball_vx = game->speed * sine;
    game->ball_vy = -game->speed * sqrtf(1 - sine * sine);
    next_screen(game);
}

static void break_brick(breakout* game, int brick, int substep) {
    const int row = brick / COLUMNS;
    game->broken[brick] = BROKEN;
    game->latest[substep] = brick;
    game->bricks++;
    game->score += row_points[row];
    game->idle = 0;
    if (row < HARD_ROWS && game->speed < MAX_SPEED) {
        game->ball_vx *= MAX_SPEED / game->speed;
        game->ball_vy *= MAX_SPEED / game->speed;
        game->speed = MAX_SPEED;
    }
}

/* One substep of the ball: to the nearest obstacle, bounce, and on with the time that is left. */
static void fly(breakout* game, int substep) {
    float left = 1;
    for (int bounce = 0; bounce < BOUNCES; bounce++) {
        const impact hit = first_impact(game, left);
        game->ball_x += game->ball_vx * hit.time;
        game->ball_y += game->ball_vy * hit.time;
        left -= hit.time;
        switch (hit.kind) {
        case NOTHING:
            return;
        case WALL:
        case BRICK_SIDE:
            game->ball_x = hit.place;
            game->ball_vx = -game->ball_vx;
            break;
        case CEILING:
        case BRICK_FLAT:
            game->ball_y = hit.place;
            game->ball_vy = -game->ball_vy;
            break;
        case PADDLE:
            game->ball_y = hit.place;
            bounce_off_paddle(game);
            break;
        }
        if (hit.kind == CEILING && game->paddle_width == PADDLE_WIDTH) {
            game->paddle_width = PADDLE_WIDTH / 2;
            game->paddle_x += PADDLE_WIDTH / 4;
        }
        if (hit.brick >= 0) break_brick(game, hit.brick, substep);
    }
}

/* Whether the ball is so far from everything that it just moves on in this substep. */
static inline int in_the_open(const breakout* game) {
    const float margin = MAX_SPEED + 0.1f;
    return game->ball_x > margin && game->ball_x < FIELD_WIDTH - BALL - margin &&
           game->ball_y > BRICKS_TOP + ROWS * BRICK_HEIGHT + margin &&
           game->ball_y < PADDLE_TOP - BALL - margin;
}

static void breakout_step(void* state, const puff_io* io) {
    breakout* game = state;
    const int32_t action = io->actions[0];
    const float push = PADDLE_SPEED * (float)((action == RIGHT) - (action == LEFT));
    const int32_t score = game->score;
    game->idle++;
    game->path[0] = places_now(game);
    forget_latest(game);
    for (int i = 0; i < SUBSTEPS && game->lives && game->score < MAX_SCORE; i++) {
        game->paddle_x =
            smaller(larger(game->paddle_x + push, 0), FIELD_WIDTH - game->paddle_width);
        if (in_the_open(game)) {
            game->ball_x += game->ball_vx;
            game->ball_y += game->ball_vy;
        } else {
            fly(game, i);
            if (game->ball_y >= LOST && --game->lives) launch(game);
        }
        game->path[i + 1] = places_now(game);
    }

    io->rewards[0] = (float)(game->score - score);
    const int over = game->lives == 0 || game->score == MAX_SCORE;
    if (over || game->idle >= IDLE_LIMIT) {
        io->scores[0] = (float)game->score;
        io->statistics[STAT_BRICKS] = (float)game->bricks;
        io->statistics[STAT_LIVES] = (float)game->lives;
        io->statistics[STAT_PADDLE_HITS] = (float)game->paddle_hits;
        if (over) {
            io->terminals[0] = 1;
        } else {
            io->truncations[0] = 1;
            breakout_observe(game, puff_final(io, 0));
        }
        breakout_reset(state, io);
        return;
    }
    breakout_observe(game, io->observations);
}

static const puff_field breakout_fields[] = {
    {.name = "scalars", .count = SCALARS, .dtype = PUFF_FLOAT32},
    {.name = "broken",
     .offset = offsetof(breakout_seen, broken),
     .count = BRICKS,
     .dtype = PUFF_UINT8},
};

static const puff_choice breakout_choices[] = {
    {"stay", "down s"},
    {"left", "left a"},
    {"right", "right d"},
};

static const puff_action breakout_actions[] = {
    {.name = "move",
     .choice_count = PUFF_COUNT(breakout_choices),
     .neutral = STAY,
     .choices = breakout_choices},
};

static const char* const breakout_statistics[] = {"bricks", "lives", "paddle_hits"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "breakout",
    .summary = "break two screens of 108 bricks with five balls",
    .observation_bytes = sizeof(breakout_seen),
    .field_count = PUFF_COUNT(breakout_fields),
    .fields = breakout_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(breakout_actions),
    .actions = breakout_actions,
    .agents = 1,
    .frames_per_second = 60,
    .frames_per_step = SUBSTEPS,
    .score_low = 0,
    .score_high = MAX_SCORE,
    .picture_width = COLUMNS,
    .picture_height = FIELD_HEIGHT / BRICK_WIDTH,
    .statistic_count = PUFF_COUNT(breakout_statistics),
    .statistics = breakout_statistics,
    .state_size = breakout_state_size,
    .init = breakout_init,
    .reset = breakout_reset,
    .step = breakout_step,
    .draw = breakout_draw,
};

#include "vec.h"
