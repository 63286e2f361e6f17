/* pong: first to 21 points against an opponent who follows the ball. Rules: README.md beside this
 * file.
 *
 * Lengths are whole pixels of a 500 x 640 field, y grows downwards, a place is the upper left
 * corner, and velocities are pixels per substep (a sixtieth of a second). Whole numbers keep all of
 * it exact. The paddles stand just outside the field, the opponent's on the left.
 */
#include <stdlib.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { FIELD_WIDTH = 500, FIELD_HEIGHT = 640, BALL = 32, PADDLE_WIDTH = 20, PADDLE_HEIGHT = 70 };
enum { BALL_RIGHT = FIELD_WIDTH - BALL, BALL_LOW = FIELD_HEIGHT - BALL };
enum { BALL_MIDDLE = BALL / 2, PADDLE_MIDDLE = PADDLE_HEIGHT / 2, FIELD_MIDDLE = FIELD_HEIGHT / 2 };
enum { SUBSTEPS = 8, PADDLE_SPEED = 8, BALL_SPEED = 10, SPIN = 3, MAX_RISE = 13, SERVE_X = 100 };
/* A ball is met if its middle is less than REACH from the paddle's, and turned beyond SPIN_FROM. */
enum { REACH = PADDLE_MIDDLE + BALL_MIDDLE, SPIN_FROM = REACH / 3 };
enum { GAME = 21, IDLE_LIMIT = 900, OBSERVATION = 8 };
enum { STAY, UP, DOWN };
enum { STAT_WON, STAT_LOST, STAT_BOUNCES };

typedef enum { NOTHING, BOUNCE, WON, LOST } event;

/* Everything that moves. Paddles are given by their middles. */
typedef struct {
    int32_t ball_x, ball_y, ball_vx, ball_vy;
    int32_t own, other;
} table;

typedef struct {
    table now;
    int32_t won, lost; /* points of this game */
    int32_t bounces;   /* off the own paddle, in this game */
    int32_t idle;      /* steps since the last point */
    puff_random random;

    /* For drawing, which plays the last step again: its start, the own paddle's speed, and how
     * many substeps it had. */
    table before;
    int32_t push;
    int32_t played;
} pong;

static size_t pong_state_size(const double* params) {
    (void)params;
    return sizeof(pong);
}

static void pong_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((pong*)state)->random = puff_random_stream(seed, 0);
}

static inline void pong_observe(const pong* game, float* seen) {
    const table* now = &game->now;
    seen[0] = (float)(now->other - FIELD_MIDDLE) * (1.0f / FIELD_MIDDLE);
    seen[1] = (float)(now->own - FIELD_MIDDLE) * (1.0f / FIELD_MIDDLE);
    seen[2] = (float)(now->ball_x - BALL_RIGHT / 2) * (2.0f / BALL_RIGHT);
    seen[3] = (float)(now->ball_y + BALL_MIDDLE - FIELD_MIDDLE) * (1.0f / FIELD_MIDDLE);
    seen[4] = (float)now->ball_vx * (1.0f / BALL_SPEED);
    seen[5] = (float)now->ball_vy * (1.0f / MAX_RISE);
    seen[6] = (float)game->lost * (1.0f / GAME);
    seen[7] = (float)game->won * (1.0f / GAME);
}

/* Paddles in the middle, and a ball that flies towards the player from a fifth of the field. */
static void serve(pong* game) {
    game->now = (table){
        .ball_x = SERVE_X,
        .ball_y = FIELD_MIDDLE - BALL_MIDDLE,
        .ball_vx = BALL_SPEED,
        .ball_vy = puff_random_below(&game->random, 2) ? 1 : -1,
        .own = FIELD_MIDDLE,
        .other = FIELD_MIDDLE,
    };
    game->idle = 0;
}

static void pong_reset(void* state, const puff_io* io) {
    pong* game = state;
    game->won = game->lost = game->bounces = 0;
    game->played = 0;
    serve(game);
    pong_observe(game, io->observations);
}

static inline int clamp(int value, int low, int high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* The opponent's paddle follows the ball, which never asks it to leave the field. */
static inline void follow(table* now) {
    const int gap = now->ball_y + BALL_MIDDLE - now->other;
    now->other += clamp(gap, -PADDLE_SPEED, PADDLE_SPEED);
}

static inline void push_paddle(table* now, int by) {
    now->own = clamp(now->own + by, 0, FIELD_HEIGHT);
}

static inline event substep(table* now, int push) {
    push_paddle(now, push);
    follow(now);
    now->ball_x += now->ball_vx;
    now->ball_y += now->ball_vy;
    if (now->ball_y < 0 || now->ball_y > BALL_LOW) {
        now->ball_y = (now->ball_y < 0 ? 0 : 2 * BALL_LOW) - now->ball_y;
        now->ball_vy = -now->ball_vy;
    }
    const int middle = now->ball_y + BALL_MIDDLE;
    if (now->ball_x < 0) {
        if (abs(middle - now->other) >= REACH) return WON;
        now->ball_x = -now->ball_x;
        now->ball_vx = BALL_SPEED;
    } else if (now->ball_x > BALL_RIGHT) {
        const int offset = middle - now->own;
        if (abs(offset) >= REACH) return LOST;
        now->ball_x = 2 * BALL_RIGHT - now->ball_x;
        now->ball_vx = -BALL_SPEED;
        now->ball_vy += SPIN * ((offset > SPIN_FROM) - (offset < -SPIN_FROM));
        now->ball_vy = clamp(now->ball_vy, -MAX_RISE, MAX_RISE);
        return BOUNCE;
    }
    return NOTHING;
}

/* Whether the ball flies freely for a whole step. */
static inline int in_the_open(const table* now) {
    const int x = now->ball_x + SUBSTEPS * now->ball_vx, y = now->ball_y + SUBSTEPS * now->ball_vy;
    return x >= 0 && x <= BALL_RIGHT && y >= 0 && y <= BALL_LOW;
}

/* All substeps of such a step. */
static inline void coast(table* now, int push) {
    push_paddle(now, SUBSTEPS * push);
    for (int i = 0; i < SUBSTEPS; i++) {
        follow(now);
        now->ball_y += now->ball_vy;
    }
    now->ball_x += SUBSTEPS * now->ball_vx;
}

static inline int is_over(const pong* game) {
    return game->won == GAME || game->lost == GAME;
}

static void pong_step(void* state, const puff_io* io) {
    pong* game = state;
    const int32_t action = io->actions[0];
    game->before = game->now;
    game->push = PADDLE_SPEED * ((action == DOWN) - (action == UP));
    game->played = SUBSTEPS;
    game->idle++;
    if (in_the_open(&game->now)) {
        coast(&game->now, game->push);
    } else {
        for (int i = 1; i <= SUBSTEPS; i++) {
            const event what = substep(&game->now, game->push);
            if (what == BOUNCE) {
                io->rewards[0] = 0.1f;
                game->bounces++;
            } else if (what != NOTHING) {
                io->rewards[0] = what == WON ? 1 : -1;
                game->won += what == WON;
                game->lost += what == LOST;
                game->played = i;
                if (!is_over(game)) serve(game);
                break;
            }
        }
    }
    const int over = is_over(game);
    if (over || game->idle == IDLE_LIMIT) {
        io->scores[0] = (float)(game->won - game->lost);
        io->statistics[STAT_WON] = (float)game->won;
        io->statistics[STAT_LOST] = (float)game->lost;
        io->statistics[STAT_BOUNCES] = (float)game->bounces;
        if (over) {
            io->terminals[0] = 1;
        } else {
            io->truncations[0] = 1;
            pong_observe(game, puff_final(io, 0));
        }
        pong_reset(state, io);
        return;
    }
    pong_observe(game, io->observations);
}

static inline float between(int from, int to, float share) {
    return (float)from + share * (float)(to - from);
}

static void draw_paddle(const puff_view* view, float left, float middle, uint32_t colour) {
    const float width = fmaxf(PADDLE_WIDTH, 1 / view->scale);
    puff_rectangle(view, left, middle - PADDLE_MIDDLE, width, PADDLE_HEIGHT, colour);
}

static void pong_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent;
    const pong* game = state;
    /* The substep that is under way: after a point, the next ball waits for the next step. */
    const int substeps = (int)(phase * SUBSTEPS);
    const float share = phase * SUBSTEPS - (float)substeps;
    table from = game->now, to = game->now;
    if (substeps < game->played) {
        from = game->before;
        for (int i = 0; i < substeps; i++) substep(&from, game->push);
        to = from;
        substep(&to, game->push);
    }

    const float side = 2 * PADDLE_WIDTH;
    const puff_view view = puff_view_fit(canvas, -side, 0, FIELD_WIDTH + 2 * side, FIELD_HEIGHT);
    puff_clear(canvas, 0x0b0e14);
    puff_rectangle(&view, -side, 0, FIELD_WIDTH + 2 * side, FIELD_HEIGHT, 0x141a24);
    for (int y = 10; y < FIELD_HEIGHT; y += 40) {
        puff_rectangle(&view, FIELD_WIDTH / 2 - 5, (float)y, 10, 20, 0x2c3543);
    }
    puff_number(&view, FIELD_WIDTH / 2 - 50, 30, 75, game->lost, 0x5d3a1e);
    puff_number(&view, FIELD_WIDTH / 2 + 140, 30, 75, game->won, 0x2b5875);
    draw_paddle(&view, -PADDLE_WIDTH, between(from.other, to.other, share), 0xe6821e);
    draw_paddle(&view, FIELD_WIDTH, between(from.own, to.own, share), 0x56b4e9);
    puff_disc(&view, between(from.ball_x, to.ball_x, share) + BALL_MIDDLE,
              between(from.ball_y, to.ball_y, share) + BALL_MIDDLE, BALL_MIDDLE, 0xffffff);
}

static const puff_field pong_fields[] = {
    {.name = "table", .count = OBSERVATION, .dtype = PUFF_FLOAT32},
};

static const puff_choice pong_choices[] = {
    {"stay", ""},
    {"up", "up w"},
    {"down", "down s"},
};

static const puff_action pong_actions[] = {
    {.name = "move",
     .choice_count = PUFF_COUNT(pong_choices),
     .neutral = STAY,
     .choices = pong_choices},
};

static const char* const pong_statistics[] = {"points_won", "points_lost", "bounces"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "pong",
    .summary = "first to 21 points against an opponent who follows the ball",
    .observation_bytes = OBSERVATION * sizeof(float),
    .field_count = PUFF_COUNT(pong_fields),
    .fields = pong_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(pong_actions),
    .actions = pong_actions,
    .agents = 1,
    .frames_per_second = 60,
    .frames_per_step = SUBSTEPS,
    .score_low = -GAME,
    .score_high = GAME,
    .picture_width = FIELD_WIDTH + 4 * PADDLE_WIDTH,
    .picture_height = FIELD_HEIGHT,
    .statistic_count = PUFF_COUNT(pong_statistics),
    .statistics = pong_statistics,
    .state_size = pong_state_size,
    .init = pong_init,
    .reset = pong_reset,
    .step = pong_step,
    .draw = pong_draw,
};

#include "vec.h"
