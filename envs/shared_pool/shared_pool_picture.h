/* The picture of shared_pool. One cell is one unit; of the walls only the innermost cells are
 * shown.
 */
#ifndef SHARED_POOL_PICTURE_H
#define SHARED_POOL_PICTURE_H

#include <math.h>
#include <stdint.h>

#include "canvas.h"
#include "puff_env.h"
#include "shared_pool_world.h"

/* The colour `part` of the way from one to another. */
static uint32_t mix(uint32_t from, uint32_t to, float part) {
    uint32_t mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const float a = (float)(from >> shift & 0xff), b = (float)(to >> shift & 0xff);
        mixed |= (uint32_t)(a + part * (b - a)) << shift;
    }
    return mixed;
}

/* Bare ground where no food is near, and green where food may grow: the pool dies visibly. */
static void draw_ground(const puff_view* view, const pool* world, int row, int column) {
    const int cell = row * SIDE + column;
    if (world->cells[cell] == WALL) {
        puff_tile(view, (float)column, (float)row, 1, 1, 0x59626f);
        return;
    }
    int near = 0;
    for (int r = -1; r <= 1; r++) {
        for (int c = -1; c <= 1; c++) near += world->cells[cell + r * SIDE + c] == NORMAL;
    }
    const float green = fminf((float)near / 3, 1);
    puff_tile(view, (float)column, (float)row, 1, 1, mix(0x2a2320, 0x1d4a2a, green));
}

static void draw_food(const puff_view* view, const pool* world) {
    for (int k = 0; k < KINDS; k++) {
        const food* foods = &world->foods[k];
        for (int i = 0; i < foods->count; i++) {
            const float x = (float)(foods->places[i] % SIDE) + 0.5f;
            const float y = (float)(foods->places[i] / SIDE) + 0.5f;
            puff_disc(view, x, y, k == 0 ? 0.34f : 0.5f, k == 0 ? 0x7ddb5c : 0xe58a2b);
        }
    }
}

static float hp_at(const forager* self, float phase) {
    return (float)self->last_hp + phase * (float)(self->hp - self->last_hp);
}

static uint32_t colour_of(int a, uint32_t agent) {
    return a == (int)agent ? 0xffffff : 0x56b4e9;
}

static void place_at(const forager* self, float phase, float* x, float* y) {
    const float x0 = (float)(self->last_cell % SIDE), y0 = (float)(self->last_cell / SIDE);
    const float x1 = (float)(self->cell % SIDE), y1 = (float)(self->cell / SIDE);
    *x = x0 + phase * (x1 - x0) + 0.5f;
    *y = y0 + phase * (y1 - y0) + 0.5f;
}

/* The living turn red as they starve; a cross is left where somebody died. */
static void draw_agent(const puff_view* view, const pool* world, int a, uint32_t agent,
                       float phase) {
    const forager* self = &world->agents[a];
    float x, y;
    place_at(self, phase, &x, &y);
    const float hp = hp_at(self, phase);
    if (hp <= 0) {
        puff_line(view, x - 0.35f, y - 0.35f, x + 0.35f, y + 0.35f, 0.2f, 0x8b95a5);
        puff_line(view, x - 0.35f, y + 0.35f, x + 0.35f, y - 0.35f, 0.2f, 0x8b95a5);
        return;
    }
    if (a == (int)agent) puff_disc(view, x, y, 0.75f, 0x0b0e14);
    puff_disc(view, x, y, a == (int)agent ? 0.6f : 0.46f,
              mix(0xd5342a, colour_of(a, agent), fminf(hp / 60, 1)));
}

/* Below the field: how much normal food there is, and the health of each agent. */
static void draw_bars(const puff_view* view, const pool* world, uint32_t agent, float phase) {
    const float left = VISION, top = SIDE - VISION + 1.3f, width = INNER;
    const float stock = fminf((float)world->foods[0].count / (4 * FIRST_NORMAL), 1);
    puff_rectangle(view, left, top, width, 1, 0x1c222c);
    puff_rectangle(view, left, top, width * stock, 1, mix(0xd5342a, 0x7ddb5c, fminf(stock * 3, 1)));
    const float each = width / AGENTS;
    for (int a = 0; a < AGENTS; a++) {
        const float hp = hp_at(&world->agents[a], phase), x = left + each * (float)a;
        puff_rectangle(view, x, top + 1.4f, each - 0.5f, 1, 0x1c222c);
        puff_rectangle(view, x, top + 1.4f, (each - 0.5f) * hp / MOST_HP, 1,
                       mix(0xd5342a, colour_of(a, agent), fminf(hp / 60, 1)));
    }
}

enum { PICTURE_WIDTH = INNER + 2, PICTURE_HEIGHT = INNER + 5 };

static puff_view view_on(puff_canvas* canvas) {
    return puff_view_fit(canvas, VISION - 1, VISION - 1, PICTURE_WIDTH, PICTURE_HEIGHT);
}

static void shared_pool_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const pool* world = state;
    const puff_view view = view_on(canvas);
    puff_clear(canvas, 0x0b0e14);
    for (int row = VISION - 1; row <= SIDE - VISION; row++) {
        for (int column = VISION - 1; column <= SIDE - VISION; column++) {
            draw_ground(&view, world, row, column);
        }
    }
    for (int a = 0; a < AGENTS; a++) {
        if (!world->agents[a].hp) draw_agent(&view, world, a, agent, phase);
    }
    draw_food(&view, world);
    for (int a = 0; a < AGENTS; a++) {
        if (world->agents[a].hp && a != (int)agent) draw_agent(&view, world, a, agent, phase);
    }
    if (world->agents[agent].hp) draw_agent(&view, world, (int)agent, agent, phase);
    draw_bars(&view, world, agent, phase);
}

/* Who lives, or has died, close to a pixel. */
static uint32_t shared_pool_locate(const void* state, uint32_t agent, float phase,
                                   puff_canvas* canvas, float x, float y) {
    (void)agent;
    const pool* world = state;
    const puff_view view = view_on(canvas);
    uint32_t nearest = PUFF_NOBODY;
    float reach = 1.5f;
    for (uint32_t a = 0; a < AGENTS; a++) {
        float column, row;
        place_at(&world->agents[a], phase, &column, &row);
        const float across = column - (view.left + x / view.scale);
        const float down = row - (view.top + y / view.scale);
        if (hypotf(across, down) < reach) {
            reach = hypotf(across, down);
            nearest = a;
        }
    }
    return nearest;
}

#endif
