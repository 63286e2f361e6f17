/* The picture of nmmo: the land around a player, from above, with who walks there. One tile is one
 * unit, and its middle is at + 0.5.
 */
#ifndef NMMO_PICTURE_H
#define NMMO_PICTURE_H

#include "canvas.h"
#include "nmmo_market.h"
#include "nmmo_world.h"

enum { PICTURE_WIDTH = 1600, PICTURE_HEIGHT = 1000 };
enum { SHOWN = 20 /* tiles to a side of a square picture */ };

static const uint32_t ground_colours[TERRAINS] = {
    0x2f6b3c, 0x6f8f34, 0x8a6a2c, 0x7f95a0, /* grass */
    0x6b5a40, 0x7d6a40, 0x6d5236, 0x77736c, /* dirt */
    0x565c63, 0x6a6657, 0x5d5048, 0x8e99a6, /* stone */
    0x1d4f7a, 0x1f6a8c, 0x24506a, 0x5f8fb0, /* water */
};
static const uint32_t element_colours[ELEMENTS] = {0xc9ced6, 0x6fd06a, 0xff7a3d, 0xbfe6ff,
                                                   0x4d8dff};
static const uint32_t tier_colours[TIER_CLASSES] = {0,        0xb7bec8, 0x6fd06a,
                                                    0x56b4e9, 0xc78bff, 0xffc83d};

/* Where a body is at a moment between two ticks. */
static void body_at(const body* who, float phase, float* x, float* y) {
    *x = (float)who->last_column + phase * (float)(who->column - who->last_column) + 0.5f;
    *y = (float)who->last_row + phase * (float)(who->row - who->last_row) + 0.5f;
}

/* About SHOWN x SHOWN tiles around a player, each of whole pixels. */
static puff_view view_on(const world* w, uint32_t agent, float phase, puff_canvas* canvas) {
    const float width = (float)canvas->width, height = (float)canvas->height;
    const float scale = fmaxf(roundf(sqrtf(width * height) / SHOWN), 1);
    float x, y;
    body_at(&bodies_of(w)[agent], phase, &x, &y);
    return (puff_view){
        .canvas = canvas,
        .left = roundf(x * scale - width / 2) / scale,
        .top = roundf(y * scale - height / 2) / scale,
        .scale = scale,
    };
}

/* Tiles that a view touches, cut to the map. */
typedef struct {
    int top, bottom, left, right;
} frame;

static frame frame_of(const world* w, const puff_view* view) {
    const float side = (float)w->side;
    const float right = view->left + (float)view->canvas->width / view->scale;
    const float bottom = view->top + (float)view->canvas->height / view->scale;
    return (frame){
        .top = (int)fminf(fmaxf(floorf(view->top) - 1, 0), side),
        .bottom = (int)fminf(fmaxf(ceilf(bottom) + 1, 0), side),
        .left = (int)fminf(fmaxf(floorf(view->left) - 1, 0), side),
        .right = (int)fminf(fmaxf(ceilf(right) + 1, 0), side),
    };
}

static uint32_t shaded(uint32_t colour, int part) {
    uint32_t mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const int channel = (int)(colour >> shift & 0xff);
        const int shade = channel + channel * part / 32;
        mixed |= (uint32_t)(shade > 255 ? 255 : shade) << shift;
    }
    return mixed;
}

static int kind_at(const world* w, int row, int column) {
    if (row < 0 || row >= w->side) return WATER;
    return tile_at(w, cell_at(w, row, column))[TERRAIN] / SEASONS;
}

/* Each tile has a shade of its own. Rocks and shores have an upper and a lower edge, lit from
 * above; water has waves. */
static void draw_ground(const world* w, const puff_view* view, int row, int column) {
    const int terrain = tile_at(w, cell_at(w, row, column))[TERRAIN], kind = terrain / SEASONS;
    const uint32_t grain = ((uint32_t)row * 0x9e3779b9u ^ (uint32_t)column * 0x85ebca6bu) >> 7;
    const uint32_t colour = shaded(ground_colours[terrain], (int)(grain % 5) - 2);
    const float x = (float)column, y = (float)row;
    puff_rectangle(view, x, y, 1, 1, colour);
    const int above = kind_at(w, row - 1, column), below = kind_at(w, row + 1, column);
    if (kind == STONE) {
        if (above != STONE) puff_rectangle(view, x, y, 1, 0.3f, shaded(colour, 10));
        if (below != STONE) puff_rectangle(view, x, y + 0.6f, 1, 0.4f, shaded(colour, -14));
        if (grain % 3 == 1) {
            puff_rectangle(view, x + 0.25f, y + 0.3f, 0.4f, 0.3f, shaded(colour, 4));
        }
    } else if (kind == WATER) {
        if (above != WATER) puff_rectangle(view, x, y, 1, 0.25f, shaded(colour, -10));
        if (grain % 3 == 0) {
            puff_rectangle(view, x + 0.2f, y + 0.45f, 0.6f, 0.16f, shaded(colour, 7));
        }
    }
}

/* Shapes for kinds of items, colours for what they are of; the tier is a frame of its colour. */
static void draw_item(const puff_view* view, int item, int tier, float x, float y, float size) {
    const uint32_t edge = tier_colours[tier];
    const float half = 0.32f * size;
    if (item >= EARTH_GEM && item <= WATER_GEM) {
        puff_disc(view, x, y, half, edge);
        puff_disc(view, x, y, 0.65f * half, element_colours[item - EARTH_GEM + EARTH]);
    } else if (item == HERB || item == WOOD) {
        const uint32_t leaf = item == HERB ? 0xf26dab : 0x7a4a23;
        puff_rectangle(view, x - 0.08f * size, y - half, 0.16f * size, 2 * half, edge);
        puff_disc(view, x, y - 0.3f * half, 0.62f * half, leaf);
    } else if (item == ORE || (item >= HELM && item <= LEGS)) {
        puff_rectangle(view, x - half, y - 0.7f * half, 2 * half, 1.6f * half, edge);
        puff_rectangle(view, x - 0.55f * half, y - 0.35f * half, 1.1f * half, 0.9f * half,
                       0x39414d);
    } else {
        const float thick = 0.18f * size;
        puff_line(view, x - half, y + half, x + half, y - half, thick, edge);
        if (item == TOOL) puff_line(view, x, y - half, x + half, y, thick, 0x39414d);
    }
}

static uint32_t health_colour(int hp) {
    return hp > 60 ? 0x5bd75b : hp > 30 ? 0xf0c63f : 0xe5484d;
}

/* A body with what it faces, its health above it, and its level where there is room. */
static void draw_body(const world* w, const puff_view* view, int32_t id, uint32_t agent,
                      float phase) {
    const body* who = &bodies_of(w)[id];
    const int own = id == (int32_t)agent, human = is_player(w, id);
    float x, y;
    body_at(who, phase, &x, &y);
    if (who->deed == STRIKING) { /* a thrust and back */
        const float far = 0.35f * (phase < 0.5f ? phase : 1 - phase) * 2;
        x += far * (float)column_steps[who->facing];
        y += far * (float)row_steps[who->facing];
    }
    const uint32_t colour = own ? 0xffffff : human ? 0x56b4e9 : 0xd2453b;
    if (own) puff_disc(view, x, y, 0.5f, 0x10141b);
    if (human) {
        puff_disc(view, x, y, own ? 0.42f : 0.38f, colour);
    } else {
        puff_rectangle(view, x - 0.36f, y - 0.32f, 0.72f, 0.68f, colour);
    }
    if (who->element) puff_disc(view, x, y, 0.2f, element_colours[who->element]);
    const float eye_x = x + 0.24f * (float)column_steps[who->facing];
    const float eye_y = y + 0.24f * (float)row_steps[who->facing];
    puff_disc(view, eye_x, eye_y, 0.1f, 0x10141b);
    if (who->hp < MOST_HP) {
        const float part_of = (float)who->hp / MOST_HP;
        puff_rectangle(view, x - 0.42f, y - 0.6f, 0.84f, 0.16f, 0x10141b);
        puff_rectangle(view, x - 0.42f, y - 0.6f, 0.84f * part_of, 0.16f, health_colour(who->hp));
    }
    if (view->scale >= 12) {
        puff_number(view, x + 0.48f, y + 0.1f, 0.4f, who->level, own ? 0x10141b : 0xffffff);
    }
}

/* An arrow on its way, to the end of its reach. */
static void draw_arrow(const puff_view* view, const body* who, float phase) {
    if (who->deed != SHOOTING) return;
    const float far = 0.5f + 3 * phase, down = row_steps[who->facing];
    const float right = column_steps[who->facing];
    const float x = (float)who->column + 0.5f + far * right;
    const float y = (float)who->row + 0.5f + far * down;
    puff_line(view, x, y, x + 0.5f * right, y + 0.5f * down, 0.14f, 0xffe08a);
}

/* Ends of lives in the last tick: crosses where players fell. */
static void draw_fallen(const world* w, const puff_view* view, const frame* seen) {
    for (int32_t id = 0; id < w->players; id++) {
        const player* who = &players_of(w)[id];
        if (!who->ended) continue;
        const int row = who->fallen_row, column = who->fallen_column;
        if (row < seen->top || row >= seen->bottom) continue;
        if (column < seen->left || column >= seen->right) continue;
        const float x = (float)column + 0.5f, y = (float)row + 0.5f;
        puff_line(view, x - 0.3f, y - 0.3f, x + 0.3f, y + 0.3f, 0.16f, 0xf2f4f8);
        puff_line(view, x - 0.3f, y + 0.3f, x + 0.3f, y - 0.3f, 0.16f, 0xf2f4f8);
    }
}

static void draw_bar(const puff_view* view, float top, float width, int value, int most,
                     uint32_t colour) {
    puff_rectangle(view, 1, top, width, 1, 0x2a303a);
    puff_rectangle(view, 1, top, width * (float)value / (float)most, 1, colour);
}

/* In the upper left corner: health, the two levels, gold. */
static void draw_own(const world* w, uint32_t agent, puff_canvas* canvas) {
    const player* who = &players_of(w)[agent];
    const body* self = &bodies_of(w)[agent];
    const float pixels = fmaxf(floorf((float)canvas->height / 48), 1);
    const puff_view view = {.canvas = canvas, .scale = pixels};
    const float width = fminf(floorf((float)canvas->width / pixels / 4), 16);
    puff_rectangle(&view, 0, 0, width + 2, 9, 0x10141b);
    draw_bar(&view, 1, width, self->hp, MOST_HP, health_colour(self->hp));
    draw_bar(&view, 3, width, self->level, MOST_LEVEL, 0xd2453b);
    draw_bar(&view, 5, width, who->seen.profession, MOST_LEVEL, 0x56b4e9);
    draw_bar(&view, 7, width, who->seen.gold, MOST_GOLD, 0xffc83d);
}

static void draw_bodies(const world* w, const puff_view* view, const frame* seen, uint32_t agent,
                        float phase) {
    const body* bodies = bodies_of(w);
    for (int row = seen->top; row < seen->bottom; row++) {
        for (int column = seen->left; column < seen->right; column++) {
            if (!is_set(w, w->occupied_at, row, column)) continue;
            const int32_t id = ids_of(w)[cell_at(w, row, column)];
            if (id != (int32_t)agent) draw_body(w, view, id, agent, phase);
        }
    }
    if (!bodies[agent].away) draw_body(w, view, (int32_t)agent, agent, phase);
    for (int row = seen->top; row < seen->bottom; row++) {
        for (int column = seen->left; column < seen->right; column++) {
            if (!is_set(w, w->occupied_at, row, column)) continue;
            draw_arrow(view, &bodies[ids_of(w)[cell_at(w, row, column)]], phase);
        }
    }
}

static void nmmo_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const world* w = state;
    const puff_view view = view_on(w, agent, phase, canvas);
    const frame seen = frame_of(w, &view);
    puff_clear(canvas, ground_colours[WATER * SEASONS]);
    for (int row = seen.top; row < seen.bottom; row++) {
        for (int column = seen.left; column < seen.right; column++) {
            draw_ground(w, &view, row, column);
        }
    }
    for (int row = seen.top; row < seen.bottom; row++) {
        for (int column = seen.left; column < seen.right; column++) {
            const uint8_t* tile = tile_at(w, cell_at(w, row, column));
            if (!tile[ITEM]) continue;
            draw_item(&view, tile[ITEM], tile[TIER], (float)column + 0.5f, (float)row + 0.5f, 1);
        }
    }
    draw_fallen(w, &view, &seen);
    draw_bodies(w, &view, &seen, agent, phase);
    draw_own(w, agent, canvas);
}

/* The player closest to a pixel, if one is near. */
static uint32_t nmmo_locate(const void* state, uint32_t agent, float phase, puff_canvas* canvas,
                            float x, float y) {
    const world* w = state;
    const puff_view view = view_on(w, agent, phase, canvas);
    uint32_t nearest = PUFF_NOBODY;
    float reach = 1.2f;
    for (int32_t id = 0; id < w->players; id++) {
        if (bodies_of(w)[id].away) continue;
        float column, row;
        body_at(&bodies_of(w)[id], phase, &column, &row);
        const float far =
            hypotf(column - view.left - x / view.scale, row - view.top - y / view.scale);
        if (far < reach) {
            reach = far;
            nearest = (uint32_t)id;
        }
    }
    return nearest;
}

#endif
