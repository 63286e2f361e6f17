/* The other cars: how they move, are passed and overtake, and where new ones appear. */
#ifndef ENDURO_TRAFFIC_H
#define ENDURO_TRAFFIC_H

#include <string.h>

#include "enduro_road.h"

#define CAR_PACE        0.75f
#define AHEAD_Y         62.0f  /* where new cars appear in front */
#define BEHIND_Y        165.0f /* and behind the player */
#define CLUMP_GAP       33.0f
#define LOST_BEHIND_Y   209.0f
#define LOST_AHEAD_Y    64.0f
#define BLOCKED_LENGTH  66.0f /* within which one lane of three stays free */
#define PASS_REWARD     1.0f
#define OVERTAKEN       0.1f
#define BONUS_PER_PASS  0.001f
#define BONUS_LIMIT     0.1f
#define SHORTEST_PERIOD 0.1f /* seconds between spawns */

static inline int furthest_lane(const enduro* game) {
    return game->place < 0.5f ? LANES - 1 : 0;
}

/* Moves all cars; returns the rewards for cars passed and overtaking. Their order stays: none moves
 * faster than one nearer to the player. */
static inline float move_cars(enduro* game) {
    const float pace = game->speed * CAR_PACE, front = player_y(game->speed);
    float reward = 0;
    for (int i = 0; i < game->car_count; i++) {
        enduro_car* car = &game->cars[i];
        car->last_y = car->y;
        car->y += pace * fmaxf(0.1f, 0.9f * depth_at(car->y));
        if (!car->behind && car->y > front + CAR_HEIGHT && !game->helpless) {
            car->behind = 1;
            if (game->to_pass) game->to_pass--;
            if (!car->paid) {
                car->paid = 1;
                game->passed++;
                game->bonus = fminf(game->bonus + BONUS_PER_PASS, BONUS_LIMIT);
                reward += PASS_REWARD;
            }
        } else if (car->behind && car->y < front) {
            car->behind = 0;
            if (game->to_pass && game->to_pass < game->quota) game->to_pass++;
            reward -= OVERTAKEN;
        }
    }
    return reward;
}

/* Takes away cars far behind and, when the others are faster, those that have driven off; lets
 * faster ones behind the player choose the lane where they can overtake. */
static inline void clear_cars(enduro* game) {
    while (game->car_count && game->cars[0].y > LOST_BEHIND_Y) {
        game->car_count--;
        memmove(game->cars, game->cars + 1, (size_t)game->car_count * sizeof *game->cars);
    }
    if (game->speed < 0) {
        while (game->car_count && game->cars[game->car_count - 1].y <= LOST_AHEAD_Y) {
            game->car_count--;
        }
    }
    if (game->speed <= 0) {
        const float rear = player_y(game->speed) + CAR_HEIGHT;
        for (int i = 0; i < game->car_count && game->cars[i].y > rear; i++) {
            game->cars[i].lane = (uint8_t)furthest_lane(game);
        }
    }
}

/* Whether the player's box overlaps that of another car. */
static inline int crashed(const enduro* game) {
    const float front = player_y(game->speed), middle = game->x + CAR_WIDTH / 2;
    for (int i = 0; i < game->car_count; i++) {
        const enduro_car* car = &game->cars[i];
        const float scale = scale_at(car->y);
        if (car->y >= front + CAR_HEIGHT) continue;
        if (car->y + CAR_HEIGHT * scale <= front) break; /* and so are all others */
        const float apart = lane_middle(&game->road, car->lane, car->y) - middle;
        if (fabsf(apart) < CAR_WIDTH / 2 * (1 + scale)) return 1;
    }
    return 0;
}

/* Puts a car into a lane unless it would be too near to another or leave no lane free. */
static void place_car(enduro* game, int lane, float y, int behind) {
    const float lengths = puff_random_between(&game->random, 0.5f, 6.5f);
    const float gap = lengths * CAR_HEIGHT * scale_at(y);
    const int colour = (int)puff_random_below(&game->random, COLOURS);
    if (game->car_count == CARS) return;
    int taken = 1 << lane, at = 0;
    for (int i = 0; i < game->car_count; i++) {
        const enduro_car* other = &game->cars[i];
        const float apart = fabsf(other->y - y);
        if (other->lane == lane && apart < gap) return;
        if (apart < BLOCKED_LENGTH) taken |= 1 << other->lane;
        at += other->y > y;
    }
    if (taken == (1 << LANES) - 1) return;
    enduro_car* car = &game->cars[at];
    memmove(car + 1, car, (size_t)(game->car_count - at) * sizeof *car);
    game->car_count++;
    *car = (enduro_car){
        .y = y,
        .last_y = y,
        .lane = (uint8_t)lane,
        .colour = (uint8_t)colour,
        .behind = (uint8_t)behind,
    };
}

/* Seconds between spawns: fewer the faster the player and the later the day. */
static inline float spawn_period(const enduro* game) {
    static const float fastest[] = {0.5f, 0.25f, 0.4f, 0.3f, 0.2f};
    const float of_day = game->day < 5 ? fastest[game->day] : 0.1f;
    const float period = 0.5f - speed_share(game->speed) * (0.5f - of_day) * 1.5f;
    return fmaxf(period, SHORTEST_PERIOD);
}

/* New cars: one or two in front, or one behind where it can overtake. */
static inline void spawn_cars(enduro* game) {
    game->since_spawn++;
    if ((float)game->since_spawn < spawn_period(game) * TICKS) return;
    game->since_spawn = 0;
    if (game->speed <= 0) {
        place_car(game, furthest_lane(game), BEHIND_Y, 1);
        return;
    }
    const int lane = (int)puff_random_below(&game->random, LANES);
    const int clump = puff_random_unit(&game->random) < speed_share(game->speed);
    const int other = (lane + 1 + (int)puff_random_below(&game->random, LANES - 1)) % LANES;
    place_car(game, lane, AHEAD_Y, 0);
    if (clump && puff_random_below(&game->random, 2)) {
        place_car(game, other, AHEAD_Y - CLUMP_GAP, 0);
    }
}

/* How far the way is free in each lane: 0 beside the player, 1 up to the horizon. */
static inline void look_ahead(enduro* game) {
    const float front = player_y(game->speed), unit = 1 / (front - HORIZON);
    for (int lane = 0; lane < LANES; lane++) game->free_way[lane] = 1;
    for (int i = 0; i < game->car_count; i++) {
        const enduro_car* car = &game->cars[i];
        if (car->y > front + CAR_HEIGHT) continue;
        const float way = fmaxf((front - car->y) * unit, 0);
        game->free_way[car->lane] = fminf(game->free_way[car->lane], way);
    }
}

#endif
