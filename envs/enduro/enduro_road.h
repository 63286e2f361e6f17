/* The state of a game of enduro and the shape of its road.
 *
 * Lengths are pixels of a frame 152 wide, y grows downwards. The horizon is at y = 52, the lower
 * edge of the play area at y = 154, and a place's depth is 0 at the horizon and 1 at that edge.
 * A car's place is its upper edge. Speed is relative to the other cars, per tick of 1/60 s.
 */
#ifndef ENDURO_ROAD_H
#define ENDURO_ROAD_H

#include <math.h>
#include <stdint.h>

#include "random.h"

enum { CARS = 10, LANES = 3, COLOURS = 6, DAYS = 10 };
/* What is driven and turned is counted modulo these, for the picture. */
enum { ODOMETER_WRAP = 1024, HEADING_WRAP = 512 };
enum { TICKS = 60, DAY_TICKS = 232 * TICKS };
enum { SNOW_BEGINS = 60 * TICKS, SNOW_ENDS = 100 * TICKS };
enum { FIRST_QUOTA = 200, LATER_QUOTA = 300 };

#define FRAME_WIDTH 152.0f
#define HORIZON     52.0f
#define BOTTOM      154.0f
#define DEPTH       (BOTTOM - HORIZON)
#define ROAD_LEFT   46.0f /* from the road's base to its edges at the bottom */
#define ROAD_WIDTH  93.0f
#define CAR_WIDTH   16.0f
#define CAR_HEIGHT  11.0f
#define START_X     69.0f
#define MIN_X       57.5f
#define MAX_X       83.5f
#define SLOW_Y      143.0f
#define FAST_GAIN   9.0f /* how far up the full speed carries the player */
#define MIN_SPEED   (-2.5f)
#define SPEED_RANGE 10.0f
#define MAX_SPEED   (MIN_SPEED + SPEED_RANGE)
#define BUMP_LENGTH 26.0f
#define CURVE_BEND  60.0f
#define STRIPES     (1 / 90.0f) /* driven over in a tick at a speed of 1 over the ground */

/* The road in perspective: straight up from `base` at the bottom, then bending to `far` at the
 * horizon. A bump narrows it from y = `bump` on, on its way down. */
typedef struct {
    float base;
    float far;
    float curve; /* -1 full left to 1 full right */
    float bump;
} enduro_road;

typedef struct {
    float y, last_y;
    uint8_t lane;
    uint8_t colour;
    uint8_t behind; /* the player is ahead of it */
    uint8_t paid;   /* the player has been rewarded for passing it */
} enduro_car;

typedef struct {
    puff_random random;
    enduro_car cars[CARS]; /* sorted, the lowest on the screen first */
    int32_t car_count;
    int32_t since_spawn; /* ticks */

    float x, speed;
    float left, right;           /* edges of the road at the player */
    float last_left, last_right; /* the same, a tick ago */
    float place;                 /* of the player's middle, 0 left edge to 1 right edge */
    float drift;                 /* sideways, while out of control */
    float drift_speed;
    int32_t helpless; /* ticks until control is back */
    int32_t lane;
    float free_way[LANES]; /* distance of the nearest car ahead, 1 for none */

    enduro_road road;
    int32_t direction;   /* of the curve: -1, 0, 1 */
    int32_t stage_ticks; /* until the next curve or straight */

    int32_t tick; /* of the day */
    int32_t day;  /* finished days */
    int32_t quota;
    int32_t to_pass;
    float bonus;
    int32_t passed, crashes, touches; /* in this episode */
    int32_t started;                  /* the first episode is under way */

    /* For drawing: what moved, before the last tick. */
    enduro_road last_road;
    float last_x, last_speed;
    float odometer, last_odometer; /* stripes of the road driven over */
    float heading, last_heading;   /* how far curves have turned the hills */
} enduro;

static inline float clamped(float value, float low, float high) {
    return fminf(fmaxf(value, low), high);
}

/* `value`, moved towards `target` by at most `by`. */
static inline float approach(float value, float target, float by) {
    return clamped(target, value - by, value + by);
}

static inline float depth_at(float y) {
    return (y - HORIZON) * (1 / DEPTH);
}

/* How large a car is at y, against one at the bottom. */
static inline float scale_at(float y) {
    return fmaxf(0.1f, 0.9f * depth_at(y) + 0.1f);
}

static inline float speed_share(float speed) {
    return (speed - MIN_SPEED) * (1 / SPEED_RANGE);
}

static inline float player_y(float speed) {
    return SLOW_Y - FAST_GAIN * speed_share(speed);
}

static inline int snows(int32_t tick) {
    return tick >= SNOW_BEGINS && tick < SNOW_ENDS;
}

static inline float road_width(float y) {
    return ROAD_WIDTH * depth_at(y);
}

/* The road's left edge without the bump: a quadratic Bezier curve whose middle point lies against
 * the curve's direction. */
static inline float road_left(const enduro_road* road, float y) {
    const float t = 1 - depth_at(y), left = road->base - ROAD_LEFT;
    return left + t * (road->far - left) - CURVE_BEND * t * (1 - t) * road->curve;
}

/* How much the bump narrows the road at y, on either side. */
static inline float road_bump(const enduro_road* road, float y) {
    const float along = (y - road->bump) * (2 / BUMP_LENGTH) - 1;
    const float shape = 1 - fabsf(along);
    return shape > 0 ? 10 * shape * clamped(depth_at(y), 0, 0.3f) : 0;
}

/* Where the road begins at the bottom. It moves against the player, who so sweeps all of it. */
static inline float road_base(float x) {
    return 102 - 48 * clamped((x - MIN_X) * (1 / (MAX_X - MIN_X)), 0, 1);
}

static inline float lane_middle(const enduro_road* road, float lane, float y) {
    return road_left(road, y) + road_width(y) * (lane + 0.5f) * (1.0f / LANES);
}

#endif
