/* school_units.h: what kinds of units there are, what one unit is, and how units turn in space.
 *
 * The world's axes are x, y (up) and z. A unit's own axes are left (x), up (y) and forward (z).
 */
#ifndef SCHOOL_UNITS_H
#define SCHOOL_UNITS_H

#include <math.h>
#include <stdint.h>

enum { ARMIES = 2, AGENTS = 512, ARMY = AGENTS / ARMIES, SQUAD = 64 };

/* In the order of their one-hot code; the last class is free. */
enum { DRONE, FIGHTER, MOTHERSHIP, BOMBER, INFANTRY, TANK, ARTILLERY, KINDS, KIND_CLASSES = 8 };

/* Where a unit's weapon points: along its flight, along its heading over the ground, or straight
 * up. A bomb needs no pointing. */
typedef enum { AIM_FLIGHT, AIM_HEADING, AIM_UP, AIM_BOMB } aim;

/* What a weapon can hit, as bits. */
enum { GROUND_TARGETS = 1, AIR_TARGETS = 2 };

typedef struct {
    float health, damage, range, turn, speed;
    int flies;
    aim weapon;
    int targets;
} kind_figures;

static const kind_figures kinds[KINDS] = {
    [DRONE] = {0.4f, 0.1f, 0.15f, 2, 1, 1, AIM_FLIGHT, GROUND_TARGETS | AIR_TARGETS},
    [FIGHTER] = {1, 0.5f, 0.25f, 1, 0.75f, 1, AIM_FLIGHT, GROUND_TARGETS | AIR_TARGETS},
    [MOTHERSHIP] = {10, 2, 0.4f, 0.5f, 0.5f, 1, AIM_FLIGHT, GROUND_TARGETS | AIR_TARGETS},
    [BOMBER] = {1, 1, 0.1f, 0.5f, 0.5f, 1, AIM_BOMB, GROUND_TARGETS},
    [INFANTRY] = {0.2f, 0.2f, 0.2f, 2, 0.25f, 0, AIM_HEADING, GROUND_TARGETS},
    [TANK] = {2, 0.5f, 0.25f, 0.25f, 0.75f, 0, AIM_HEADING, GROUND_TARGETS},
    [ARTILLERY] = {2, 2, 0.7f, 0.5f, 0.25f, 0, AIM_UP, AIR_TARGETS},
};

typedef struct {
    float x, y, z;
} vector;

/* A unit quaternion. */
typedef struct {
    float w, x, y, z;
} rotation;

/* What of a unit is seen to move. `look` is where a camera behind it looks, a horizontal direction
 * that follows the flight slowly. */
typedef struct {
    vector place;
    rotation attitude;
    float look_x, look_z;
} pose;

typedef struct {
    pose now;
    vector velocity; /* per step */
    float health;
    float last_reward, last_terminal; /* of the last step, as observed */

    /* In this episode. */
    float earned;
    int32_t hits, kills;

    /* For drawing: before the last step, where it died last and how many steps ago, and whom it
     * shot in the last step, or -1. */
    pose before, wreck;
    int32_t wreck_age;
    int32_t target;
} unit;

static inline uint32_t army_of(uint32_t agent) {
    return agent / ARMY;
}

/* The kind of an agent, by its place in its squad of 64. */
static inline uint32_t kind_of(uint32_t agent) {
    const uint32_t place = agent % ARMY % SQUAD;
    if (place == 0) return MOTHERSHIP;
    if (place <= 4) return TANK;
    if (place <= 6) return ARTILLERY;
    if (place <= 10) return BOMBER;
    if (place <= 14) return FIGHTER;
    return place <= 32 ? INFANTRY : DRONE;
}

static inline uint32_t mothership_of(uint32_t agent) {
    return agent - agent % ARMY % SQUAD;
}

/* All damage is in tenths, which floats only nearly hold: four shots of .1 must end a health of .4.
 */
static inline int is_dead(float health) {
    return health < 0.01f;
}

static inline vector plus(vector a, vector b) {
    return (vector){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline vector minus(vector a, vector b) {
    return (vector){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline vector times(vector a, float factor) {
    return (vector){a.x * factor, a.y * factor, a.z * factor};
}

/* First b, then a; for a unit's attitude a, b is a turn about the unit's own axes. */
static inline rotation combined(rotation a, rotation b) {
    return (rotation){
        a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
        a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
    };
}

static inline rotation normalised(rotation a) {
    const float scale = 1 / sqrtf(a.w * a.w + a.x * a.x + a.y * a.y + a.z * a.z);
    return (rotation){a.w * scale, a.x * scale, a.y * scale, a.z * scale};
}

/* A unit's own axes in the world. */
static inline vector left_of(rotation a) {
    return (vector){1 - 2 * (a.y * a.y + a.z * a.z), 2 * (a.x * a.y + a.w * a.z),
                    2 * (a.x * a.z - a.w * a.y)};
}

static inline vector up_of(rotation a) {
    return (vector){2 * (a.x * a.y - a.w * a.z), 1 - 2 * (a.x * a.x + a.z * a.z),
                    2 * (a.y * a.z + a.w * a.x)};
}

static inline vector forward_of(rotation a) {
    return (vector){2 * (a.x * a.z + a.w * a.y), 2 * (a.y * a.z - a.w * a.x),
                    1 - 2 * (a.x * a.x + a.y * a.y)};
}

/* Sine and cosine of a small angle, here at most 0.1, to the last bit of a float. Libraries differ
 * in that bit, polynomials do not. */
static inline float small_sine(float angle) {
    const float square = angle * angle;
    return angle * (1 - square * (1.0f / 6) * (1 - square * (1.0f / 20)));
}

static inline float small_cosine(float angle) {
    const float square = angle * angle;
    return 1 - square * 0.5f * (1 - square * (1.0f / 12) * (1 - square * (1.0f / 30)));
}

#endif
