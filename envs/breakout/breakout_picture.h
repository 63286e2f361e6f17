/* The picture of breakout, at any phase of the last step. */
#ifndef BREAKOUT_PICTURE_H
#define BREAKOUT_PICTURE_H

#include <math.h>
#include <stdint.h>

#include "breakout_field.h"
#include "canvas.h"

/* The places at a phase of the last step. A new ball appears, it does not fly in. */
static places places_at(const breakout* game, float phase) {
    const float at = phase * SUBSTEPS;
    const int before = at >= SUBSTEPS ? SUBSTEPS - 1 : (int)at;
    const places *a = &game->path[before], *b = a + 1;
    if (fabsf(b->ball_y - a->ball_y) > BALL) return *b;
    const float share = at - (float)before;
    return (places){
        a->ball_x + share * (b->ball_x - a->ball_x),
        a->ball_y + share * (b->ball_y - a->ball_y),
        a->paddle_x + share * (b->paddle_x - a->paddle_x),
    };
}

/* All rows are equally many pixels high. The lower edge of the wall, which the ball hits first, is
 * where it is in the world. */
static void draw_brick(const puff_view* view, int brick, uint32_t colour) {
    const float height = fmaxf(roundf(BRICK_HEIGHT * view->scale), 1) / view->scale;
    const float bottom = BRICKS_TOP + ROWS * BRICK_HEIGHT;
    const float lower = roundf((bottom - view->top) * view->scale) / view->scale + view->top;
    puff_tile(view, (float)(brick % COLUMNS) * BRICK_WIDTH,
              lower - (float)(ROWS - brick / COLUMNS) * height, BRICK_WIDTH, height, colour);
}

static void breakout_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent;
    static const uint32_t row_colours[ROWS] = {0xd55e00, 0xe69f00, 0xf0e442,
                                               0x2fb488, 0x56b4e9, 0x4a7fd6};
    const breakout* game = state;
    const puff_view view = puff_view_fit(canvas, 0, 0, FIELD_WIDTH, FIELD_HEIGHT);
    const places now = places_at(game, phase);
    const float middle = BALL / 2;
    puff_clear(canvas, 0x0b0e14);
    puff_rectangle(&view, 0, 0, FIELD_WIDTH, FIELD_HEIGHT, 0x141a24);
    for (int i = 0; i < game->lives; i++) {
        puff_disc(&view, FIELD_WIDTH - 22 - 30 * (float)i, 22, 7, 0x8b95a5);
    }
    for (int i = 0; i < BRICKS; i++) {
        if (game->broken[i] == STANDING) draw_brick(&view, i, row_colours[i / COLUMNS]);
    }
    /* What breaks later in this step still stands, and lights up where it is hit. */
    for (int i = (int)(phase * SUBSTEPS); i < SUBSTEPS; i++) {
        const int brick = game->latest[i], hit = i == (int)(phase * SUBSTEPS);
        if (brick >= 0) draw_brick(&view, brick, hit ? 0xffffff : row_colours[brick / COLUMNS]);
    }
    const float paddle_height = fmaxf(LOST - PADDLE_TOP, 1 / view.scale);
    puff_rectangle(&view, now.paddle_x, PADDLE_TOP, game->paddle_width, paddle_height, 0xe6edf3);
    puff_disc(&view, now.ball_x + middle, now.ball_y + middle, middle, 0xffffff);
}

#endif
