/* world.h: what the first lines of every world here need. A world declares
 *
 *   game             its state, with the members `random` and `steps`
 *   seen             one agent's observation
 *   AGENTS           how many agents it has
 *   begin            a new episode
 *   see              writes what one agent sees
 *   act              takes the actions, writes the rewards, and says how the step ends
 *   score            of one agent, read where an episode ends
 *   paint            the picture, in a square from 0 to 1
 *   fields, parts    the tables of the observation and of the actions
 *   DECLARED         the rest of the descriptor
 *
 * and ends with wiring.h, which makes an environment of it.
 */
#ifndef WORLDS_WORLD_H
#define WORLDS_WORLD_H

#include <math.h>
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "random.h"

enum { PLAYER = 0x56b4e9, GOAL = 0xe69f00, DANGER = 0xd55e00, GROUND = 0x2a303a };

#define PI 3.14159265f

/* How a step ends: not, with nothing more to earn, or cut by a time limit. */
typedef enum { GOES_ON, IS_OVER, IS_CUT } ending;

static inline float clipped(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

static inline int32_t drawn_below(puff_random* random, int32_t bound) {
    return (int32_t)puff_random_below(random, (uint32_t)bound);
}

/* -1 or 1. */
static inline float drawn_sign(puff_random* random) {
    return drawn_below(random, 2) ? 1.0f : -1.0f;
}

/* A number close to a normal one, of mean 0 and standard deviation 1. */
static inline float drawn_normal(puff_random* random) {
    float sum = 0;
    for (int i = 0; i < 4; i++) sum += puff_random_unit(random) - 0.5f;
    return sum * 1.7320508f;
}

/* An angle moved into [-pi, pi). */
static inline float wrapped(float angle) {
    return angle - 2 * PI * floorf((angle + PI) / (2 * PI));
}

/* A cell of a square grid with so many cells a side that fills the picture. */
static inline void paint_cell(const puff_view* view, int side, int cell, uint32_t colour) {
    const float size = 1.0f / (float)side;
    puff_tile(view, (float)(cell % side) * size, (float)(cell / side) * size, size, size, colour);
}

#endif
