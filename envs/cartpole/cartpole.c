/* cartpole: keep a pole upright by pushing the cart it stands on. Rules: README.md beside this
 * file.
 *
 * Computed in doubles with the equations of Gymnasium's CartPole-v1, so that the same start and
 * the same actions give the same episode in both. Metres, seconds, kilograms and radians.
 */
#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { LEFT, RIGHT };
enum { VALUES = 4, TIME_LIMIT = 200 };

#define GRAVITY     9.8
#define POLE_MASS   0.1
#define TOTAL_MASS  1.1
#define HALF_POLE   0.5
#define FORCE       10.0
#define STEP_TIME   0.02
#define X_LIMIT     2.4
#define ANGLE_LIMIT 0.20943951023931953 /* 12 degrees */

typedef struct {
    double x, x_speed, angle, angle_speed;
    puff_random random;
    double last_x, last_angle; /* before the last step, for drawing */
    int32_t tick;              /* steps of this episode */
} cartpole;

static size_t cartpole_state_size(const double* params) {
    (void)params;
    return sizeof(cartpole);
}

static void cartpole_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((cartpole*)state)->random = puff_random_stream(seed, 0);
}

static inline void cartpole_observe(const cartpole* world, float* seen) {
    seen[0] = (float)world->x;
    seen[1] = (float)world->x_speed;
    seen[2] = (float)world->angle;
    seen[3] = (float)world->angle_speed;
}

static inline double drawn(puff_random* random) {
    return puff_random_between(random, -0.05f, 0.05f);
}

static void cartpole_reset(void* state, const puff_io* io) {
    cartpole* world = state;
    world->x = drawn(&world->random);
    world->x_speed = drawn(&world->random);
    world->angle = drawn(&world->random);
    world->angle_speed = drawn(&world->random);
    world->last_x = world->x;
    world->last_angle = world->angle;
    world->tick = 0;
    cartpole_observe(world, io->observations);
}

/* Polynomials, since libraries differ in their last bit. The angle of a running episode is within
 * 0.21, where what these series leave out is below 1e-15. */
static inline double sine(double angle) {
    const double s = angle * angle, low = 1 - s * (1.0 / 6);
    const double high = 1.0 / 120 - s * (1.0 / 5040) + s * s * (1.0 / 362880);
    return angle * (low + s * s * high);
}

static inline double cosine(double angle) {
    const double s = angle * angle, low = 1 - s * (1.0 / 2);
    const double high = 1.0 / 24 - s * (1.0 / 720) + s * s * (1.0 / 40320 - s * (1.0 / 3628800));
    return low + s * s * high;
}

/* Changes the speeds by one step of force, from the angle and the speeds before it. */
static inline void accelerate(cartpole* world, double force) {
    const double sin_angle = sine(world->angle), cos_angle = cosine(world->angle);
    const double spin = world->angle_speed * world->angle_speed;
    const double push = (force + POLE_MASS * HALF_POLE * spin * sin_angle) * (1 / TOTAL_MASS);
    const double inertia = HALF_POLE * (4.0 / 3 - POLE_MASS / TOTAL_MASS * cos_angle * cos_angle);
    const double angle_gain = (GRAVITY * sin_angle - cos_angle * push) / inertia;
    const double x_gain = push - POLE_MASS * HALF_POLE / TOTAL_MASS * cos_angle * angle_gain;
    world->x_speed += STEP_TIME * x_gain;
    world->angle_speed += STEP_TIME * angle_gain;
}

static void cartpole_step(void* state, const puff_io* io) {
    cartpole* world = state;
    const double x = world->x + STEP_TIME * world->x_speed;
    const double angle = world->angle + STEP_TIME * world->angle_speed;
    io->rewards[0] = 1;
    world->tick++;
    /* Places move with the speeds before the step, so a fall is known without the physics. */
    if ((fabs(x) > X_LIMIT) | (fabs(angle) > ANGLE_LIMIT)) {
        io->scores[0] = (float)world->tick;
        io->terminals[0] = 1;
        cartpole_reset(state, io);
        return;
    }
    accelerate(world, io->actions[0] == RIGHT ? FORCE : -FORCE);
    world->last_x = world->x;
    world->last_angle = world->angle;
    world->x = x;
    world->angle = angle;
    if (world->tick == TIME_LIMIT) {
        io->scores[0] = TIME_LIMIT;
        io->truncations[0] = 1;
        cartpole_observe(world, puff_final(io, 0));
        cartpole_reset(state, io);
        return;
    }
    cartpole_observe(world, io->observations);
}

/* One colour on the way to another, share 0 to 1. */
static uint32_t mixed(uint32_t from, uint32_t to, float share) {
    uint32_t colour = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const float a = (float)(from >> shift & 0xff), b = (float)(to >> shift & 0xff);
        colour |= (uint32_t)(a + (b - a) * share) << shift;
    }
    return colour;
}

/* The pole is drawn twice as long as it is, so that its lean is seen in a small terminal, and turns
 * from blue to orange on its way to an end of the episode. */
static void cartpole_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent;
    const cartpole* world = state;
    const float track = (float)X_LIMIT, side = track + 0.4f, wide = 100;
    const float pole = 4 * (float)HALF_POLE, top = pole + 0.4f, ground = 0.5f;
    const puff_view view = puff_view_fit(canvas, -side, -top, 2 * side, top + ground + 0.5f);
    const float x = (float)(world->last_x + phase * (world->x - world->last_x));
    const float angle = (float)(world->last_angle + phase * (world->angle - world->last_angle));
    const float danger = fmaxf(fabsf(angle) / (float)ANGLE_LIMIT, fabsf(x) / track);
    const float tip_x = x + pole * (float)sine(angle), tip_y = -pole * (float)cosine(angle);
    const float line = fmaxf(0.05f, 1 / view.scale);
    const float time = fmaxf((float)world->tick + phase - 1, 0) / TIME_LIMIT;

    puff_clear(canvas, 0x0b0e14);
    puff_rectangle(&view, -wide, ground, 2 * wide, wide, 0x141a24);
    puff_rectangle(&view, -wide, ground, 2 * wide, line, 0x3a4453);
    for (float end = -track; end <= track; end += 2 * track) {
        puff_rectangle(&view, end - line / 2, ground - 0.3f, line, 0.3f, 0xd55e00);
    }
    /* How much of the time limit is over. */
    puff_rectangle(&view, -track, ground + 0.22f, 2 * track, 0.1f, 0x232b38);
    puff_rectangle(&view, -track, ground + 0.22f, 2 * track * time, 0.1f, 0x2fb488);

    for (float wheel = -0.25f; wheel <= 0.25f; wheel += 0.5f) {
        puff_disc(&view, x + wheel, ground - 0.12f, 0.12f, 0x8b95a5);
    }
    puff_rectangle(&view, x - 0.4f, 0, 0.8f, ground - 0.18f, 0xe6edf3);
    puff_line(&view, x, 0, tip_x, tip_y, 0.14f, mixed(0x56b4e9, 0xe6821e, fminf(danger, 1)));
    puff_disc(&view, x, 0, 0.1f, 0x3a4453);
}

static const puff_field cartpole_fields[] = {
    {.name = "state", .count = VALUES, .dtype = PUFF_FLOAT32},
};

static const puff_choice cartpole_choices[] = {
    {"left", "left a"},
    {"right", "right d"},
};

static const puff_action cartpole_actions[] = {
    {.name = "push",
     .choice_count = PUFF_COUNT(cartpole_choices),
     .neutral = LEFT,
     .choices = cartpole_choices},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "cartpole",
    .summary = "keep a pole upright on a cart for 200 steps",
    .observation_bytes = VALUES * sizeof(float),
    .field_count = PUFF_COUNT(cartpole_fields),
    .fields = cartpole_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(cartpole_actions),
    .actions = cartpole_actions,
    .agents = 1,
    .frames_per_second = 15, /* physics would want 50, too fast for a person */
    .frames_per_step = 1,
    .score_low = 0,
    .score_high = TIME_LIMIT,
    .picture_width = 5.6f,
    .picture_height = 3.4f,
    .state_size = cartpole_state_size,
    .init = cartpole_init,
    .reset = cartpole_reset,
    .step = cartpole_step,
    .draw = cartpole_draw,
};

#include "vec.h"
