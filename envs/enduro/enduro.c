/* enduro: race through traffic, curves and weather, and pass enough cars each day. Rules: README.md
 * beside this file. The road is in enduro_road.h, the other cars in enduro_traffic.h, the picture
 * in enduro_picture.h.
 */
#include <math.h>
#include <string.h>

#include "canvas.h"
#include "enduro_picture.h"
#include "enduro_road.h"
#include "enduro_traffic.h"
#include "puff_env.h"
#include "random.h"

enum { COAST, ACCELERATE, RIGHT, LEFT, BRAKE, BRAKE_RIGHT, BRAKE_LEFT, FAST_RIGHT, FAST_LEFT };
enum { OF_PLAYER = 8, OF_CAR = 5, OF_WORLD = 10 };
enum { OBSERVATION = OF_PLAYER + CARS * OF_CAR + OF_WORLD };
enum { SHORTEST_STAGE = 750, LONGEST_STAGE = 2650 };
enum { CRASH_TICKS = 90, TOUCH_TICKS = 20, GEARS = 4 };
enum { STAT_DAYS, STAT_PASSED, STAT_CRASHES, STAT_TOUCHES };

#define SNOW_STEER    0.3f
#define STEER         0.3f
#define BRAKING       0.01f
#define CURVE_PUSH    0.025f
#define CURVE_STEP    0.05f
#define CURVE_REACH   55.0f
#define CRASH_SPEED   (-1.5f)
#define CRASH_DRIFT   0.25f
#define TOUCH_SLOWER  1.25f
#define TOUCH_DRIFT   0.12f
#define HIT_COST      0.5f
#define HELPLESS_COST 0.01f
#define FREE_LANE     0.05f
#define DAY_REWARD    1.0f
#define SLOWEST_BUMP  5.8f /* seconds on its way down */
#define FASTEST_BUMP  0.3f
#define HILL_TURN     8.0f /* pixels for a stripe in a full curve */

/* Gears last 4, 2.5, 3.25 and 1.5 s and share the range of speeds in that proportion. */
static const float gear_top[GEARS] = {
    MIN_SPEED + SPEED_RANGE * 4 / 11.25f,
    MIN_SPEED + SPEED_RANGE * 6.5f / 11.25f,
    MIN_SPEED + SPEED_RANGE * 9.75f / 11.25f,
    MAX_SPEED,
};
static const float gear_gain[GEARS] = {
    SPEED_RANGE / 11.25f / TICKS * 4,
    SPEED_RANGE / 11.25f / TICKS * 2,
    SPEED_RANGE / 11.25f / TICKS * 2,
    SPEED_RANGE / 11.25f / TICKS * 2,
};

/* What each action does to the pedals and the wheel. */
static const int8_t pedal[] = {0, 1, 0, 0, -1, -1, -1, 1, 1};
static const int8_t wheel[] = {0, 0, 1, -1, 0, 1, -1, 1, -1};

static size_t enduro_state_size(const double* params) {
    (void)params;
    return sizeof(enduro);
}

static void enduro_init(void* state, const double* params, uint64_t seed) {
    (void)params;
    enduro* game = state;
    game->random = puff_random_stream(seed, 0);
    game->started = 0;
}

static inline void enduro_observe(const enduro* game, float* seen) {
    const float front = player_y(game->speed);
    *seen++ = game->place;
    *seen++ = (front - (SLOW_Y - FAST_GAIN)) * (1 / FAST_GAIN);
    *seen++ = speed_share(game->speed);
    *seen++ = game->left * (1 / FRAME_WIDTH);
    *seen++ = game->right * (1 / FRAME_WIDTH);
    *seen++ = game->last_left * (1 / FRAME_WIDTH);
    *seen++ = game->last_right * (1 / FRAME_WIDTH);
    *seen++ = (float)game->lane * (1.0f / (LANES - 1));
    for (int i = 0; i < game->car_count; i++, seen += OF_CAR) {
        const enduro_car* car = &game->cars[i];
        seen[0] = ((float)car->lane + 0.5f) * (1.0f / LANES);
        seen[1] = (BOTTOM - car->y) * (1 / DEPTH);
        seen[2] = seen[0] - game->place;
        seen[3] = (front - car->y) * (1 / DEPTH);
        seen[4] = car->lane == game->lane;
    }
    for (int i = game->car_count; i < CARS; i++, seen += OF_CAR) {
        seen[0] = seen[1] = 0.5f;
        seen[2] = seen[3] = seen[4] = 0;
    }
    *seen++ = (float)(game->direction + 1) * 0.5f;
    *seen++ = (float)((game->drift > 0) - (game->drift < 0));
    *seen++ = fabsf(game->drift) * (1 / CRASH_DRIFT);
    *seen++ = game->road.curve;
    *seen++ = (float)game->tick * (1.0f / DAY_TICKS);
    *seen++ = (float)game->to_pass * (1.0f / FIRST_QUOTA);
    for (int lane = 0; lane < LANES; lane++) *seen++ = game->free_way[lane];
    *seen++ = (float)game->helpless * (1.0f / CRASH_TICKS);
}

/* Where the player is between the edges of the road. */
static inline void locate(enduro* game) {
    const float y = player_y(game->speed), width = road_width(y);
    const float left = road_left(&game->road, y), bump = road_bump(&game->road, y);
    game->last_left = game->left;
    game->last_right = game->right;
    game->left = left + bump;
    game->right = left + width - bump;
    game->place = (game->x + CAR_WIDTH / 2 - left) / width;
    game->lane = (game->place >= 1.0f / LANES) + (game->place >= 2.0f / LANES);
}

static inline void remember(enduro* game) {
    game->last_road = game->road;
    game->last_x = game->x;
    game->last_speed = game->speed;
}

static inline int32_t next_stage(enduro* game) {
    return SHORTEST_STAGE +
           (int32_t)puff_random_below(&game->random, LONGEST_STAGE - SHORTEST_STAGE + 1);
}

/* The first episode begins at any time of the day, with as much of the quota as there is day left,
 * so that the games of many environments do not go in step. */
static void enduro_reset(void* state, const puff_io* io) {
    enduro* game = state;
    const int32_t tick = game->started ? 0 : (int32_t)puff_random_below(&game->random, DAY_TICKS);
    const int32_t quota = (FIRST_QUOTA * (DAY_TICKS - tick) + DAY_TICKS - 1) / DAY_TICKS;
    *game = (enduro){
        .random = game->random,
        .started = 1,
        .x = START_X,
        .speed = MIN_SPEED,
        .tick = tick,
        .quota = quota,
        .to_pass = quota,
        .road = {.base = road_base(START_X), .far = road_base(START_X), .bump = HORIZON},
    };
    game->stage_ticks = next_stage(game);
    locate(game);
    game->last_left = game->left;
    game->last_right = game->right;
    look_ahead(game);
    remember(game);
    enduro_observe(game, io->observations);
}

/* The player's pedals and wheel, the push of the curve, and the drift of who lost control. */
static inline void drive(enduro* game, int32_t action) {
    if (pedal[action] > 0) {
        const float speed = game->speed;
        const int gear = (speed >= gear_top[0]) + (speed >= gear_top[1]) + (speed >= gear_top[2]);
        game->speed = fminf(speed + gear_gain[gear], gear_top[gear]);
    } else if (pedal[action] < 0) {
        game->speed = fmaxf(game->speed - BRAKING, MIN_SPEED);
    }
    const float share = speed_share(game->speed);
    const float steer = snows(game->tick) ? SNOW_STEER : share + STEER;
    const float middle = (game->left + game->right - CAR_WIDTH) / 2 - game->x;
    const int side = (middle > 1) - (middle < -1);
    game->drift = game->helpless ? (float)side * game->drift_speed : 0;
    game->x += (float)wheel[action] * steer + game->drift -
               game->road.curve * CURVE_PUSH * fabsf(game->speed);
    game->x = clamped(game->x, MIN_X, MAX_X);
}

/* What only the picture shows: stripes driven over, and the turning of the landscape in curves. */
static inline void travel(enduro* game) {
    const float stripes = (game->speed - MIN_SPEED) * STRIPES;
    game->last_odometer = game->odometer;
    game->last_heading = game->heading;
    game->odometer += stripes;
    game->heading += game->road.curve * stripes * HILL_TURN;
    if (game->odometer >= ODOMETER_WRAP) {
        game->odometer -= ODOMETER_WRAP;
        game->last_odometer -= ODOMETER_WRAP;
    }
    if (fabsf(game->heading) >= HEADING_WRAP) {
        const float turn = game->heading > 0 ? HEADING_WRAP : -HEADING_WRAP;
        game->heading -= turn;
        game->last_heading -= turn;
    }
}

/* Curves and straights take turns. */
static inline void bend(enduro* game) {
    if (--game->stage_ticks == 0) {
        const int side = puff_random_below(&game->random, 2) ? 1 : -1;
        game->direction = game->direction ? 0 : side;
        game->stage_ticks = next_stage(game);
    }
    enduro_road* road = &game->road;
    const float target = (float)game->direction, share = speed_share(game->speed);
    road->curve = approach(road->curve, target, CURVE_STEP);
    road->base = road_base(game->x);
    road->far = approach(road->far, road->base + CURVE_REACH * target,
                         1.5f + 10 / MAX_SPEED * fabsf(game->speed));
    const float period =
        SLOWEST_BUMP - (SLOWEST_BUMP - FASTEST_BUMP) * sqrtf(sqrtf(fmaxf(share, 0)));
    road->bump += DEPTH / TICKS / period;
    if (road->bump >= BOTTOM) road->bump -= DEPTH;
}

/* Running into a car or off the road costs speed and control; returns the reward for it. */
static inline float collide(enduro* game) {
    if (game->helpless) {
        game->helpless--;
        return -HELPLESS_COST;
    }
    if (crashed(game)) {
        game->crashes++;
        game->bonus = 0;
        game->speed = CRASH_SPEED;
        game->helpless = CRASH_TICKS;
        game->drift_speed = CRASH_DRIFT;
        return -HIT_COST;
    }
    if (game->x < game->left || game->x + CAR_WIDTH > game->right) {
        game->touches++;
        game->speed = fmaxf(game->speed - TOUCH_SLOWER, MIN_SPEED);
        game->helpless = TOUCH_TICKS;
        game->drift_speed = TOUCH_DRIFT;
        return -HIT_COST;
    }
    return 0;
}

/* The day is over: on to the next if the quota is met. Returns whether the episode goes on. */
static int next_day(enduro* game, const puff_io* io) {
    const int met = game->to_pass == 0;
    game->day += met;
    if (met && game->day < DAYS) {
        game->tick = 0;
        game->quota = game->to_pass = LATER_QUOTA;
        return 1;
    }
    const float share = (float)(game->quota - game->to_pass) / (float)game->quota;
    io->scores[0] = (float)game->day + (met ? 0 : share);
    io->statistics[STAT_DAYS] = (float)game->day;
    io->statistics[STAT_PASSED] = (float)game->passed;
    io->statistics[STAT_CRASHES] = (float)game->crashes;
    io->statistics[STAT_TOUCHES] = (float)game->touches;
    if (met) {
        io->truncations[0] = 1;
        game->tick = 0;
        game->quota = game->to_pass = LATER_QUOTA;
        enduro_observe(game, puff_final(io, 0));
    } else {
        io->terminals[0] = 1;
    }
    return 0;
}

static void enduro_step(void* state, const puff_io* io) {
    enduro* game = state;
    remember(game);
    drive(game, game->helpless ? COAST : io->actions[0]);
    bend(game);
    travel(game);
    locate(game);
    float reward = move_cars(game);
    reward += collide(game);
    clear_cars(game);
    spawn_cars(game);
    look_ahead(game);
    if (game->free_way[game->lane] == 1) reward += FREE_LANE;
    reward += game->bonus;
    if (++game->tick == DAY_TICKS) {
        if (game->to_pass == 0) reward += DAY_REWARD;
        if (!next_day(game, io)) {
            io->rewards[0] = reward;
            enduro_reset(state, io);
            return;
        }
    }
    io->rewards[0] = reward;
    enduro_observe(game, io->observations);
}

static const puff_field enduro_fields[] = {
    {.name = "player", .count = OF_PLAYER, .dtype = PUFF_FLOAT32},
    {.name = "cars",
     .offset = OF_PLAYER * sizeof(float),
     .count = CARS * OF_CAR,
     .dtype = PUFF_FLOAT32},
    {.name = "world",
     .offset = (OF_PLAYER + CARS * OF_CAR) * sizeof(float),
     .count = OF_WORLD,
     .dtype = PUFF_FLOAT32},
};

/* Q and E lie beside W, Z and C beside S: a driver's diagonals, for terminals in which only one key
 * counts at a time. */
static const puff_choice enduro_choices[] = {
    {"coast", ""},
    {"accelerate", "up w space"},
    {"right", "right d"},
    {"left", "left a"},
    {"brake", "down s"},
    {"brake right", "c down+right s+d"},
    {"brake left", "z down+left s+a"},
    {"accelerate right", "e up+right w+d space+right space+d"},
    {"accelerate left", "q up+left w+a space+left space+a"},
};

static const puff_action enduro_actions[] = {
    {.name = "drive",
     .choice_count = PUFF_COUNT(enduro_choices),
     .neutral = COAST,
     .choices = enduro_choices},
};

static const char* const enduro_statistics[] = {"days", "passed", "crashes", "touches"};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "enduro",
    .summary = "pass 200 cars a day, then 300, through curves, snow, night and fog",
    .observation_bytes = OBSERVATION * sizeof(float),
    .field_count = PUFF_COUNT(enduro_fields),
    .fields = enduro_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(enduro_actions),
    .actions = enduro_actions,
    .agents = 1,
    .frames_per_second = TICKS,
    .frames_per_step = 1,
    .score_low = 0,
    .score_high = DAYS,
    .picture_width = 2000,
    .picture_height = 1260,
    .statistic_count = PUFF_COUNT(enduro_statistics),
    .statistics = enduro_statistics,
    .state_size = enduro_state_size,
    .init = enduro_init,
    .reset = enduro_reset,
    .step = enduro_step,
    .draw = enduro_draw,
};

#include "vec.h"
