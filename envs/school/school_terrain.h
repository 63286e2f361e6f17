/* school_terrain.h: the ground, made of eight octaves of simplex noise.
 *
 * The published game samples the noise on a map of 512 x 512, a megabyte for every environment. Its
 * finest octave has a wavelength of 16 of those cells, so every fourth sample, joined by straight
 * lines, is the same ground in a sixteenth of the memory: it stays in the processor's cache.
 */
#ifndef SCHOOL_TERRAIN_H
#define SCHOOL_TERRAIN_H

#include <math.h>
#include <stdint.h>

#include "random.h"

enum { MAP_CELLS = 512, MAP_STRIDE = 4, MAP_SIDE = MAP_CELLS / MAP_STRIDE + 1, OCTAVES = 8 };

#define EDGE           2.0f /* the world is [-2, 2] in all three directions */
#define BASE_FREQUENCY (1.0f / 2048)
#define HIGHEST        256.0f
#define SEA            16.0f /* what lies lower is under water */
#define HEIGHT_SCALE   128.0f

/* Heights of the ground in the world's units, y = 0 in the middle of the box. */
typedef struct {
    float heights[MAP_SIDE * MAP_SIDE];
} terrain;

/* The share of one corner of a simplex: a radial bump times one of eight slopes. */
static inline float simplex_corner(uint32_t seed, int32_t column, int32_t row, float x, float y) {
    static const float slopes[8][2] = {{1, 0},
                                       {-1, 0},
                                       {0, 1},
                                       {0, -1},
                                       {0.7071f, 0.7071f},
                                       {-0.7071f, 0.7071f},
                                       {0.7071f, -0.7071f},
                                       {-0.7071f, -0.7071f}};
    float bump = 0.5f - x * x - y * y;
    if (bump <= 0) return 0;
    uint32_t hash = seed ^ (uint32_t)column * 0x9e3779b1u ^ (uint32_t)row * 0x85ebca77u;
    hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
    hash = (hash ^ hash >> 12) * 0x297a2d39u;
    const float* slope = slopes[hash >> 29];
    bump *= bump;
    return bump * bump * (slope[0] * x + slope[1] * y);
}

/* Simplex noise in the plane (Perlin, 2001): the plane is cut into triangles, and each point gets
 * its share of the three corners around it. */
static inline float simplex_noise(uint32_t seed, float x, float y) {
    const float skew = 0.36602540f, unskew = 0.21132487f; /* (sqrt 3 - 1) / 2, (3 - sqrt 3) / 6 */
    const float skewed = (x + y) * skew;
    const float column = floorf(x + skewed), row = floorf(y + skewed);
    const float back = (column + row) * unskew;
    const float x0 = x - (column - back), y0 = y - (row - back);
    const int32_t right = x0 > y0, down = 1 - right;
    const int32_t i = (int32_t)column, j = (int32_t)row;
    return simplex_corner(seed, i, j, x0, y0) +
           simplex_corner(seed, i + right, j + down, x0 - (float)right + unskew,
                          y0 - (float)down + unskew) +
           simplex_corner(seed, i + 1, j + 1, x0 - 1 + 2 * unskew, y0 - 1 + 2 * unskew);
}

/* Makes new ground. The noise is stretched over 0..256, lowered by 16 and cut off at 0, the sea. */
static void make_terrain(terrain* ground, puff_random* random) {
    uint32_t seeds[OCTAVES];
    float offset_x[OCTAVES], offset_y[OCTAVES];
    for (int octave = 0; octave < OCTAVES; octave++) {
        seeds[octave] = (uint32_t)puff_random_bits(random);
        offset_x[octave] = puff_random_between(random, 0, 64);
        offset_y[octave] = puff_random_between(random, 0, 64);
    }
    float low = 1e9f, high = -1e9f;
    for (int row = 0; row < MAP_SIDE; row++) {
        for (int column = 0; column < MAP_SIDE; column++) {
            float sum = 0, share = 1, frequency = BASE_FREQUENCY * MAP_STRIDE;
            for (int octave = 0; octave < OCTAVES; octave++) {
                sum += share * simplex_noise(seeds[octave],
                                             offset_x[octave] + (float)column * frequency,
                                             offset_y[octave] + (float)row * frequency);
                share *= 0.5f;
                frequency *= 2;
            }
            ground->heights[row * MAP_SIDE + column] = sum;
            low = fminf(low, sum);
            high = fmaxf(high, sum);
        }
    }
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) {
        const float height = (ground->heights[i] - low) / (high - low) * HIGHEST - SEA;
        ground->heights[i] = fmaxf(height, 0) / HEIGHT_SCALE - EDGE;
    }
}

/* The ground's y at a place of the world. */
static inline float ground_at(const terrain* ground, float x, float z) {
    const float scale = (MAP_SIDE - 1) / (2 * EDGE), end = MAP_SIDE - 1;
    const float column = fminf(fmaxf((x + EDGE) * scale, 0), end);
    const float row = fminf(fmaxf((z + EDGE) * scale, 0), end);
    const int i = column < end ? (int)column : MAP_SIDE - 2;
    const int j = row < end ? (int)row : MAP_SIDE - 2;
    const float right = column - (float)i, down = row - (float)j;
    const float* at = ground->heights + j * MAP_SIDE + i;
    const float near = at[0] + right * (at[1] - at[0]);
    const float far = at[MAP_SIDE] + right * (at[MAP_SIDE + 1] - at[MAP_SIDE]);
    return near + down * (far - near);
}

#endif
