/* How the land of nmmo is made: ground from noise, seasons that spread over it, resources. */
#ifndef NMMO_TERRAIN_H
#define NMMO_TERRAIN_H

#include <math.h>

#include "nmmo_world.h"

#define NOISE_CELLS 64.0f /* tiles in a unit of the noise */
#define STONE_ABOVE 0.75f
#define WATER_BELOW 0.25f
#define RIDGE_LOW   0.35f /* between these no season begins */
#define RIDGE_HIGH  0.65f

enum { MOST_REGION = 4000 /* tiles that one season covers at once */, NO_SEASON = 0xff };

static inline uint32_t scramble(uint32_t bits) {
    bits = (bits ^ bits >> 16) * 0x7feb352du;
    bits = (bits ^ bits >> 15) * 0x846ca68bu;
    return bits ^ bits >> 16;
}

/* The part of a corner of the simplex grid in the noise at a distance from it. */
static inline float corner(uint32_t seed, int32_t i, int32_t j, float x, float y) {
    static const float slopes[8][2] = {{1, 0},       {-1, 0},       {0, 1},        {0, -1},
                                       {0.7f, 0.7f}, {-0.7f, 0.7f}, {0.7f, -0.7f}, {-0.7f, -0.7f}};
    float strength = 0.5f - x * x - y * y;
    if (strength <= 0) return 0;
    const float* slope =
        slopes[scramble(seed ^ scramble((uint32_t)i * 0x9e3779b9u + (uint32_t)j)) % 8];
    strength *= strength;
    return strength * strength * (slope[0] * x + slope[1] * y);
}

/* Smooth noise in two dimensions, after Perlin's simplex noise. */
static inline float noise(uint32_t seed, float x, float y) {
    const float skew = 0.36602540f, unskew = 0.21132487f;
    const float shift = (x + y) * skew;
    const float column = floorf(x + shift), row = floorf(y + shift);
    const float back = (column + row) * unskew;
    const float x0 = x - (column - back), y0 = y - (row - back);
    const int32_t i = (int32_t)column, j = (int32_t)row, right = x0 > y0;
    const float x1 = x0 - (float)right + unskew, y1 = y0 - (float)!right + unskew;
    const float x2 = x0 - 1 + 2 * unskew, y2 = y0 - 1 + 2 * unskew;
    return corner(seed, i, j, x0, y0) + corner(seed, i + right, j + !right, x1, y1) +
           corner(seed, i + 1, j + 1, x2, y2);
}

/* While the land is made, the memory of the records holds heights and a queue of tiles, that of
 * the ids holds kinds and seasons. */
typedef struct {
    int32_t side, width, cells;
    int32_t* line;
    float* heights;
    uint8_t *kinds, *seasons;
} sketch;

static inline int is_inside(const sketch* land, int32_t cell) {
    const int32_t row = cell / land->width, column = cell % land->width;
    return row >= SIGHT_ROWS && row < land->side - SIGHT_ROWS && column >= SIGHT_COLUMNS &&
           column < land->side - SIGHT_COLUMNS;
}

/* Heights from 0 to 1. */
static inline void raise_land(world* w, const sketch* land) {
    const uint32_t seed = (uint32_t)puff_random_bits(&w->random);
    float low = INFINITY, high = -INFINITY;
    for (int32_t cell = 0; cell < land->cells; cell++) {
        const float x = (float)(cell % land->width) / NOISE_CELLS;
        const float y = (float)(cell / land->width) / NOISE_CELLS;
        const float height = noise(seed, x, y);
        land->heights[cell] = height;
        low = height < low ? height : low;
        high = height > high ? height : high;
    }
    for (int32_t cell = 0; cell < land->cells; cell++) {
        const float height = (land->heights[cell] - low) / (high - low);
        land->heights[cell] = height;
        land->kinds[cell] = height > STONE_ABOVE ? STONE : height < WATER_BELOW ? WATER : GRASS;
        if (!is_inside(land, cell)) land->kinds[cell] = WATER;
    }
}

/* The neighbour of an inner tile in a direction; -1 outside. */
static inline int32_t neighbour(const sketch* land, int32_t cell, uint32_t direction) {
    const int32_t beside = cell + row_steps[direction] * land->width + column_steps[direction];
    return is_inside(land, beside) ? beside : -1;
}

static inline int begins_season(const sketch* land, int32_t cell) {
    const float height = land->heights[cell];
    return land->seasons[cell] == NO_SEASON && (height < RIDGE_LOW || height > RIDGE_HIGH);
}

/* One season from a tile on, as far as the ridges or as it may go. */
static inline void cover(const sketch* land, int32_t start, uint8_t season) {
    int32_t count = 0;
    land->line[count++] = start;
    land->seasons[start] = season;
    for (int32_t i = 0; i < count; i++) {
        for (uint32_t d = 0; d < DIRECTIONS && count < MOST_REGION; d++) {
            const int32_t beside = neighbour(land, land->line[i], d);
            if (beside < 0 || !begins_season(land, beside)) continue;
            land->seasons[beside] = season;
            land->line[count++] = beside;
        }
    }
}

/* Seasons begin off the ridges and spread over them, each tile in an order of its own, until they
 * meet. */
static inline void spread_seasons(world* w, const sketch* land) {
    memset(land->seasons, NO_SEASON, (uint32_t)land->cells);
    for (int32_t cell = 0; cell < land->cells; cell++) {
        if (!is_inside(land, cell)) {
            land->seasons[cell] = SPRING;
        } else if (begins_season(land, cell)) {
            cover(land, cell, (uint8_t)puff_random_below(&w->random, SEASONS));
        }
    }
    int32_t count = 0;
    for (int32_t cell = 0; cell < land->cells; cell++) {
        if (is_inside(land, cell) && land->seasons[cell] != NO_SEASON) {
            land->line[count++] = cell;
        }
    }
    /* The memory of heights is free now; without any season all is spring. */
    for (int32_t i = 0; i < count; i++) {
        const uint32_t first = (uint32_t)puff_random_bits(&w->random);
        for (uint32_t d = 0; d < DIRECTIONS; d++) {
            const int32_t beside = neighbour(land, land->line[i], (first + d) % DIRECTIONS);
            if (beside < 0 || land->seasons[beside] != NO_SEASON) continue;
            land->seasons[beside] = land->seasons[land->line[i]];
            land->line[count++] = beside;
        }
    }
}

/* Item `index` of a random order of 2^(2 half) numbers, by four rounds of a Feistel network. */
static inline uint32_t shuffled(uint32_t index, uint32_t half, const uint32_t* keys) {
    const uint32_t mask = (1u << half) - 1;
    uint32_t left = index >> half, right = index & mask;
    for (int round = 0; round < 4; round++) {
        const uint32_t next = left ^ (scramble(right ^ keys[round]) & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

/* A tier: 1 in half of all cases, and each further one half as often. */
static inline uint8_t random_tier(puff_random* random) {
    for (;;) {
        const uint64_t bits = puff_random_bits(random);
        for (uint8_t tier = 1; tier <= TIERS; tier++) {
            if (bits >> tier & 1) return tier;
        }
    }
}

static inline int is_beside(const world* w, int32_t cell, int kind) {
    for (int d = 0; d < DIRECTIONS; d++) {
        const int32_t beside = cell + row_steps[d] * w->width + column_steps[d];
        if (tile_at(w, beside)[TERRAIN] / SEASONS == kind) return 1;
    }
    return 0;
}

/* Which resource of those that are left lies on a grass tile. */
static inline uint8_t resource_for(const world* w, int32_t cell, const int32_t* left) {
    if (is_beside(w, cell, STONE)) return left[ORE] ? ORE : HILT;
    if (is_beside(w, cell, WATER)) return left[HERB] ? HERB : WOOD;
    return (uint8_t)(EARTH_GEM + tile_at(w, cell)[TERRAIN] % SEASONS);
}

static inline void lay_resources(world* w) {
    const int32_t n = w->players;
    int32_t left[ITEMS] = {[ORE] = 2 * n,     [HERB] = 2 * n,      [HILT] = n,
                           [WOOD] = n,        [EARTH_GEM] = n / 2, [FIRE_GEM] = n / 2,
                           [AIR_GEM] = n / 2, [WATER_GEM] = n / 2};
    const uint32_t cells = (uint32_t)cells_of(w);
    uint32_t half = 1, keys[4];
    while (1u << 2 * half < cells) half++;
    for (int i = 0; i < 4; i++) keys[i] = (uint32_t)puff_random_bits(&w->random);
    for (uint32_t index = 0; index < 1u << 2 * half; index++) {
        const uint32_t drawn = shuffled(index, half, keys);
        if (drawn >= cells) continue;
        const int32_t cell = (int32_t)drawn;
        uint8_t* tile = tile_at(w, cell);
        if (tile[TERRAIN] / SEASONS != GRASS) continue;
        const uint8_t resource = resource_for(w, cell, left);
        if (!left[resource]) continue;
        left[resource]--;
        tile[ITEM] = resource;
        tile[TIER] = random_tier(&w->random);
        set_bit(w, w->spots_at, cell / w->width, cell % w->width, 1);
    }
}

/* Writes the records of a land. `flood` makes all of it water. */
static inline void make_land(world* w, int flood) {
    const int32_t cells = cells_of(w);
    uint8_t* scratch = part(w, w->tiles_at);
    const sketch land = {
        .side = w->side,
        .width = w->width,
        .cells = cells,
        .line = (int32_t*)(void*)scratch,
        .heights = (float*)(void*)(scratch + sizeof(int32_t) * (size_t)cells),
        .kinds = part(w, w->ids_at),
        .seasons = part(w, w->ids_at) + cells,
    };
    raise_land(w, &land);
    spread_seasons(w, &land);
    memset(scratch, 0, RECORD * (size_t)(uint32_t)cells);
    w->passable = 0;
    for (int32_t cell = 0; cell < cells; cell++) {
        const uint32_t season = land.seasons[cell] == NO_SEASON ? SPRING : land.seasons[cell];
        const uint32_t kind = flood ? WATER : land.kinds[cell];
        tile_at(w, cell)[TERRAIN] = (uint8_t)(kind * SEASONS + season);
        w->passable += kind < STONE;
    }
    memset(part(w, w->ids_at), 0, sizeof(uint16_t) * (size_t)(uint32_t)cells);
    memset(part(w, w->spots_at), 0, (size_t)w->bit_stride * (size_t)w->side);
    lay_resources(w);
}

#endif
