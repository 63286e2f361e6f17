/* school: a battle of two armies of 256 units each, of seven kinds, over hills and water.
 * Rules: README.md beside this file. Units and their turning are in school_units.h, the ground in
 * school_terrain.h, who shoots whom in school_attacks.h, the picture in school_draw.h.
 */
#include <math.h>
#include <string.h>

#include "puff_env.h"
#include "random.h"
#include "school_attacks.h"
#include "school_draw.h"
#include "school_terrain.h"
#include "school_units.h"

enum { CONTROLS = 3, PITCH = 0, ROLL = 1 };
enum { OBSERVATION = 6 * ARMIES + 27, RESET_ONE_IN = 9000 };
enum { STAT_HITS, STAT_KILLS, STAT_CRASHED, STAT_SHOT_DOWN };

#define STEP            0.01f /* what a speed of 1 covers in a step */
#define TURN            0.1f  /* what a turn of 1 turns in a step, in radians */
#define BORDER          (0.95f * EDGE)
#define BASE_MARGIN     0.5f /* of bases from the edge of the world */
#define BASE_DISTANCE   2.0f /* of bases from each other, at least */
#define SPAWN_HEIGHT    0.2f
#define CRASH_REWARD    (-1.0f)
#define CAMERA_PATIENCE 0.06f /* the part of the way that a camera turns in a step */

typedef struct {
    puff_random random;
    vector bases[ARMIES];
    vector centroids[ARMIES];
    unit units[AGENTS];
    terrain ground;
} school;

static size_t school_state_size(const double* params) {
    (void)params;
    return sizeof(school);
}

static void school_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    ((school*)state)->random = puff_random_stream(seed, 0);
}

/* Bases stand on the ground, away from the edge and from each other. */
static void place_bases(school* world) {
    const float limit = EDGE - BASE_MARGIN;
    for (int army = 0; army < ARMIES; army++) {
        vector* base = &world->bases[army];
        for (int free = 0; !free;) {
            base->x = puff_random_between(&world->random, -limit, limit);
            base->z = puff_random_between(&world->random, -limit, limit);
            free = 1;
            for (int other = 0; other < army; other++) {
                const vector way = minus(world->bases[other], *base);
                free &= way.x * way.x + way.z * way.z >= BASE_DISTANCE * BASE_DISTANCE;
            }
        }
        base->y = ground_at(&world->ground, base->x, base->z);
    }
}

/* Upright, towards a random side: half the angle is drawn as a point of the unit circle. */
static rotation random_heading(puff_random* random) {
    for (;;) {
        const float w = puff_random_between(random, -1, 1);
        const float y = puff_random_between(random, -1, 1);
        const float length = w * w + y * y;
        if (length > 0.01f && length <= 1) return normalised((rotation){w, 0, y, 0});
    }
}

static inline vector velocity_of(rotation attitude, const kind_figures* kind) {
    const float speed = kind->speed * STEP;
    const vector forward = forward_of(attitude);
    if (!kind->flies) return (vector){speed * forward.x, 0, speed * forward.z};
    const vector up = up_of(attitude);
    return (vector){speed * (forward.x + up.x), speed * (forward.y + up.y - 1),
                    speed * (forward.z + up.z)};
}

/* A whole unit at its base; drones come out of their mothership. */
static void spawn(school* world, uint32_t agent) {
    unit* one = &world->units[agent];
    const kind_figures* kind = &kinds[kind_of(agent)];
    one->now.place = world->bases[army_of(agent)];
    if (kind->flies) one->now.place.y += SPAWN_HEIGHT;
    if (kind_of(agent) == DRONE) one->now.place = world->units[mothership_of(agent)].now.place;
    one->now.attitude = random_heading(&world->random);
    one->velocity = velocity_of(one->now.attitude, kind);
    const vector forward = forward_of(one->now.attitude);
    one->now.look_x = forward.x;
    one->now.look_z = forward.z;
    one->health = kind->health;
    one->earned = 0;
    one->hits = one->kills = 0;
}

static void find_centroids(school* world) {
    for (uint32_t army = 0; army < ARMIES; army++) {
        vector sum = {0, 0, 0};
        for (uint32_t i = 0; i < ARMY; i++) {
            sum = plus(sum, world->units[army * ARMY + i].now.place);
        }
        world->centroids[army] = times(sum, 1.0f / ARMY);
    }
}

static inline float* write_vector(float* seen, vector value) {
    seen[0] = value.x;
    seen[1] = value.y;
    seen[2] = value.z;
    return seen + 3;
}

/* Armies are seen from the agent's own side: its own first, then the others in order. */
static inline void observe(const school* world, uint32_t agent, float* seen) {
    const unit* one = &world->units[agent];
    const uint32_t own = army_of(agent), kind = kind_of(agent);
    const kind_figures* figures = &kinds[kind];
    const vector place = one->now.place, velocity = times(one->velocity, 1 / STEP);
    const rotation attitude = one->now.attitude;
    for (uint32_t i = 0; i < ARMIES; i++) {
        seen = write_vector(seen, minus(world->bases[(own + i) % ARMIES], place));
    }
    for (uint32_t i = 0; i < ARMIES; i++) {
        seen = write_vector(seen, minus(place, world->centroids[(own + i) % ARMIES]));
    }
    seen = write_vector(seen, velocity);
    *seen++ = attitude.w;
    *seen++ = attitude.x;
    *seen++ = attitude.y;
    *seen++ = attitude.z;
    seen = write_vector(seen, place);
    *seen++ = place.y - ground_at(&world->ground, place.x, place.z);
    *seen++ = sqrtf(velocity.x * velocity.x + velocity.y * velocity.y + velocity.z * velocity.z);
    *seen++ = one->health;
    *seen++ = figures->turn;
    *seen++ = figures->speed;
    *seen++ = figures->damage;
    *seen++ = figures->range;
    *seen++ = one->last_reward;
    *seen++ = one->last_terminal;
    for (uint32_t i = 0; i < KIND_CLASSES; i++) *seen++ = i == kind ? 1.0f : 0.0f;
}

static void observe_all(school* world, const puff_io* io) {
    find_centroids(world);
    float* seen = io->observations;
    for (uint32_t agent = 0; agent < AGENTS; agent++) {
        observe(world, agent, seen + (size_t)agent * OBSERVATION);
    }
}

static void school_reset(void* state, const puff_io* io) {
    school* world = state;
    make_terrain(&world->ground, &world->random);
    place_bases(world);
    for (uint32_t agent = 0; agent < AGENTS; agent++) {
        unit* one = &world->units[agent];
        spawn(world, agent);
        one->before = one->wreck = one->now;
        one->wreck_age = WRECK_COLD;
        one->target = -1;
        one->last_reward = one->last_terminal = 0;
    }
    observe_all(world, io);
}

/* An action; what is outside of [-1, 1] counts as its end, what is no number as -1. */
static inline float control(const puff_io* io, uint32_t agent, uint32_t which) {
    return fminf(fmaxf(io->controls[agent * CONTROLS + which], -1), 1);
}

/* The camera's direction after a step with this velocity. */
static inline void turn_camera(pose* now, vector velocity) {
    const float length = sqrtf(velocity.x * velocity.x + velocity.z * velocity.z);
    const float pull = CAMERA_PATIENCE / fmaxf(length, 1e-6f);
    const float x = now->look_x + pull * velocity.x, z = now->look_z + pull * velocity.z;
    const float scale = 1 / sqrtf(x * x + z * z);
    now->look_x = x * scale;
    now->look_z = z * scale;
}

static inline void move(school* world, const puff_io* io, uint32_t agent) {
    unit* one = &world->units[agent];
    const kind_figures* kind = &kinds[kind_of(agent)];
    one->before = one->now;
    const float roll = control(io, agent, ROLL);
    rotation attitude = one->now.attitude;
    if (kind->flies) {
        /* The nose goes up about the right wing, against the left axis. */
        const float half_roll = roll * kind->turn * TURN * 0.5f;
        const float half_pitch = control(io, agent, PITCH) * kind->turn * TURN * 0.5f;
        attitude =
            combined(attitude, (rotation){small_cosine(half_roll), 0, 0, small_sine(half_roll)});
        attitude =
            combined(attitude, (rotation){small_cosine(half_pitch), -small_sine(half_pitch), 0, 0});
    } else {
        const float half_yaw = roll * -TURN * 0.5f;
        attitude =
            combined(attitude, (rotation){small_cosine(half_yaw), 0, small_sine(half_yaw), 0});
    }
    one->now.attitude = normalised(attitude);
    one->velocity = velocity_of(one->now.attitude, kind);
    one->now.place = plus(one->now.place, one->velocity);
    if (!kind->flies) {
        one->now.place.y = ground_at(&world->ground, one->now.place.x, one->now.place.z);
    }
    turn_camera(&one->now, one->velocity);
}

static inline int crashed(const school* world, uint32_t agent) {
    const vector place = world->units[agent].now.place;
    return fabsf(place.x) > BORDER || fabsf(place.z) > BORDER || place.y > BORDER ||
           (kinds[kind_of(agent)].flies && place.y < ground_at(&world->ground, place.x, place.z));
}

/* What an episode that ends now reports. */
static inline void report(const puff_io* io, const unit* one, uint32_t agent, int crash) {
    float* statistics = io->statistics + (size_t)agent * (STAT_SHOT_DOWN + 1);
    io->scores[agent] = one->earned;
    statistics[STAT_HITS] = (float)one->hits;
    statistics[STAT_KILLS] = (float)one->kills;
    statistics[STAT_CRASHED] = (float)crash;
    statistics[STAT_SHOT_DOWN] = (float)is_dead(one->health);
}

/* Ends the episodes of all that were shot down or crashed; they begin anew at once. */
static inline void judge(school* world, const puff_io* io, uint32_t agent) {
    unit* one = &world->units[agent];
    const int shot = is_dead(one->health), crash = !shot && crashed(world, agent);
    if (crash) io->rewards[agent] += CRASH_REWARD;
    one->earned += io->rewards[agent];
    one->last_reward = io->rewards[agent];
    one->last_terminal = (float)(shot | crash);
    one->wreck_age += one->wreck_age < WRECK_COLD;
    if (!(shot | crash)) return;
    io->terminals[agent] = 1;
    report(io, one, agent, crash);
    one->wreck = one->now;
    one->wreck_age = 0;
    spawn(world, agent);
}

/* A new world: for those who did not end by themselves in this step, a time limit. */
static void leave_world(school* world, const puff_io* io) {
    find_centroids(world);
    for (uint32_t agent = 0; agent < AGENTS; agent++) {
        if (io->terminals[agent]) continue;
        io->truncations[agent] = 1;
        report(io, &world->units[agent], agent, 0);
        observe(world, agent, puff_final(io, agent));
    }
    school_reset(world, io);
}

static inline int world_ends(puff_random* random) {
    return puff_random_below(random, RESET_ONE_IN) == 0;
}

static void school_step(void* state, const puff_io* io) {
    school* world = state;
    for (uint32_t agent = 0; agent < AGENTS; agent++) move(world, io, agent);
    attack(world->units, io->rewards);
    for (uint32_t agent = 0; agent < AGENTS; agent++) judge(world, io, agent);
    if (world_ends(&world->random)) {
        leave_world(world, io);
    } else {
        observe_all(world, io);
    }
}

static void school_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const school* world = state;
    draw_battle(world->units, world->bases, &world->ground, agent, phase, canvas);
}

static uint32_t school_locate(const void* state, uint32_t agent, float phase, puff_canvas* canvas,
                              float x, float y) {
    const school* world = state;
    return unit_at(world->units, &world->ground, agent, phase, canvas, x, y);
}

static const puff_field school_fields[] = {
    {.name = "unit", .count = OBSERVATION, .dtype = PUFF_FLOAT32},
};

static const puff_choice pitch_choices[] = {{"down", "down s"}, {"up", "up w"}};
static const puff_choice roll_choices[] = {{"left", "left a"}, {"right", "right d"}};
static const puff_choice spare_choices[] = {{"-", ""}, {"+", ""}};

static const puff_action school_actions[CONTROLS] = {
    {.name = "pitch", .choice_count = 2, .choices = pitch_choices},
    {.name = "roll", .choice_count = 2, .choices = roll_choices},
    {.name = "unused", .choice_count = 2, .choices = spare_choices},
};

static const char* const school_statistics[] = {"hits", "kills", "crashed", "shot_down"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "school",
    .summary = "two armies of 256 drones, ships and tanks battle over hills and water",
    .observation_bytes = OBSERVATION * sizeof(float),
    .field_count = PUFF_COUNT(school_fields),
    .fields = school_fields,
    .action_kind = PUFF_CONTINUOUS,
    .action_count = PUFF_COUNT(school_actions),
    .actions = school_actions,
    .agents = AGENTS,
    .frames_per_second = 30,
    .frames_per_step = 1,
    .turn_based = 0,
    .score_low = -1,
    .score_high = 1,
    .picture_width = 1600,
    .picture_height = 900,
    .statistic_count = PUFF_COUNT(school_statistics),
    .statistics = school_statistics,
    .state_size = school_state_size,
    .init = school_init,
    .reset = school_reset,
    .step = school_step,
    .draw = school_draw,
    .locate = school_locate,
};

#include "vec.h"
