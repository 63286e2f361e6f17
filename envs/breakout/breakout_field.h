/* The field of breakout and the state of a game on it.
 *
 * Lengths are pixels of the game's own 576 x 330 field, y grows downwards, a place is the upper
 * left corner, and velocities are pixels per substep (a sixtieth of a second). The ball is a square
 * as wide as a brick.
 */
#ifndef BREAKOUT_FIELD_H
#define BREAKOUT_FIELD_H

#include <stdint.h>

#include "random.h"

enum { ROWS = 6, COLUMNS = 18, BRICKS = ROWS * COLUMNS, SCREENS = 2, BALLS = 5 };
enum { SUBSTEPS = 4, STANDING = 0, BROKEN = 255 };

#define FIELD_WIDTH  576.0f
#define FIELD_HEIGHT 330.0f
#define BRICK_WIDTH  32.0f
#define BRICK_HEIGHT 12.0f
#define BRICKS_TOP   50.0f
#define BALL         32.0f
#define PADDLE_WIDTH 62.0f
#define PADDLE_TOP   312.0f
#define LOST         320.0f /* the ball is gone when its upper edge is below the paddle */

typedef struct {
    float ball_x, ball_y, paddle_x;
} places;

typedef struct {
    uint8_t broken[BRICKS]; /* STANDING or BROKEN, as observed */
    float ball_x, ball_y, ball_vx, ball_vy;
    float paddle_x, paddle_width;
    float speed;
    int32_t hits; /* of the paddle, with this ball */
    int32_t lives;
    int32_t score;
    int32_t bricks;      /* broken in this episode */
    int32_t paddle_hits; /* in this episode */
    int32_t idle;        /* steps since the last brick */
    puff_random random;

    /* For drawing: where things were in the last step, and a brick that broke in each substep. */
    places path[SUBSTEPS + 1];
    int32_t latest[SUBSTEPS];
} breakout;

#endif
