/* The picture of nmmo: the land around a player, from above, with who walks there; or the whole
 * world.
 */
#ifndef NMMO_PICTURE_H
#define NMMO_PICTURE_H

#include "nmmo_market.h"
#include "nmmo_minimap.h"
#include "nmmo_sprites.h"

enum { ROOM_FOR_MAP = 90, ROOM_FOR_LEVELS = 8 };

static uint32_t health_colour(int hp) {
    return hp > 60 ? 0x5bd75b : hp > 30 ? 0xf0c63f : 0xe5484d;
}

/* Enemies are the darker the more dangerous they are to who looks. */
static uint32_t danger_colour(const body* enemy, const body* self) {
    const int above = enemy->level - self->level;
    return above <= 0 ? 0xd98e4a : above <= 3 ? 0xd2453b : 0xb0206a;
}

/* Four corners round a tile: this is the one that is watched. */
static void draw_marks(const land_view* view, int x, int y) {
    const int far = view->size, arm = view->size < 6 ? 1 : view->size / 4 + 1;
    for (int i = 0; i < arm; i++) {
        for (int corner = 0; corner < 4; corner++) {
            const int right = corner % 2, down = corner / 2;
            const int px = right ? x + far : x - 1, py = down ? y + far : y - 1;
            puff_blend(view->canvas, right ? px - i : px + i, py, 0xffd75e, 1);
            puff_blend(view->canvas, px, down ? py - i : py + i, 0xffd75e, 1);
        }
    }
}

/* What a player holds, at its side: a sword, a bow or a tool of a tier. */
static void draw_held(const land_view* view, const self_seen* seen, int x, int y) {
    const int dot = view->size / LARGE_FIGURE, tier = seen->worn[IN_HAND];
    if (!dot || !seen->held) return;
    const uint32_t colour = tier_colours[tier];
    const int right = x + 7 * dot;
    for (int i = 0; i < 5; i++) {
        const int is_bow = seen->held == BOW - SWORD + 1;
        const int bent = is_bow ? (i > 0 && i < 4) : 0;
        const int is_grip = !is_bow && i > 2;
        put_pixels(view->canvas, right + bent * dot, y + (1 + i) * dot, dot,
                   is_grip ? 0x7a4a23 : colour);
    }
    if (seen->held == TOOL - SWORD + 1) put_pixels(view->canvas, right - dot, y + dot, dot, colour);
    if (seen->held == 1) put_pixels(view->canvas, right - dot, y + 3 * dot, dot, colour);
}

static void draw_player(const world* w, const land_view* view, int32_t id, int own, int x, int y) {
    const body* who = &bodies_of(w)[id];
    const self_seen* seen = &players_of(w)[id].seen;
    const uint32_t hair = (uint32_t[]){0x4a3020, 0x8a5a2b, 0x20242c, 0xc98b3a}[id % 4];
    const uint32_t main = own ? 0xf4f6fa : player_colour(w, id);
    const int chest = seen->worn[ON_CHEST], head = seen->worn[ON_HEAD];
    const paints with = {
        .main = main,
        .element = who->element ? element_colours[who->element]
                   : chest      ? tier_colours[chest]
                                : shaded(main, -6),
        .hair = head ? tier_colours[head] : hair,
        .eyes = who->facing == UP ? 0xf0c8a0 : 0x10141b,
    };
    draw_figure(view, &player_figure, &with, x, y);
    draw_held(view, seen, x, y);
}

static void draw_enemy(const world* w, const land_view* view, const body* who, uint32_t agent,
                       int x, int y) {
    const uint32_t main = danger_colour(who, &bodies_of(w)[agent]);
    const paints with = {
        .main = main,
        .element = who->element ? element_colours[who->element] : main,
        .eyes = 0xffe08a,
    };
    draw_figure(view, who->ranged ? &archer_figure : &beast_figure, &with, x, y);
}

/* The level, on dark ground so that it can be read anywhere. */
static void draw_level(const land_view* view, int level, uint32_t colour, int x, int y) {
    const int wide = level > 9 ? 7 : 3;
    const puff_view pixels = {.canvas = view->canvas, .scale = 1};
    for (int i = 0; i < 7 * (wide + 2); i++) {
        puff_blend(view->canvas, x - 1 + i % (wide + 2), y - 1 + i / (wide + 2), 0x10141b, 0.7f);
    }
    puff_number(&pixels, (float)(x + wide + 1), (float)y, 5, level, colour);
}

/* A body with what it holds, its health above it where it is hurt, and its level. */
static void draw_body(const world* w, const land_view* view, int32_t id, uint32_t agent,
                      float phase) {
    const body* who = &bodies_of(w)[id];
    const int own = id == (int32_t)agent, size = view->size;
    float column, row;
    body_at(who, phase, &column, &row);
    if (who->deed == STRIKING) { /* a thrust and back */
        const float far = 0.8f * (phase < 0.5f ? phase : 1 - phase);
        column += far * (float)column_steps[who->facing];
        row += far * (float)row_steps[who->facing];
    }
    const int x = (int)lroundf((column - 0.5f) * (float)size) - view->left;
    int y = (int)lroundf((row - 0.5f) * (float)size) - view->top;
    const int moves = who->row != who->last_row || who->column != who->last_column;
    if (own) draw_marks(view, x, y);
    if (moves && size >= LARGE_FIGURE) y -= (int)(phase * 4) % 2; /* steps */
    if (is_player(w, id)) {
        draw_player(w, view, id, own, x, y);
    } else {
        draw_enemy(w, view, who, agent, x, y);
    }
    if (who->hp < MOST_HP) {
        const puff_view pixels = {.canvas = view->canvas, .scale = 1};
        const float full = (float)size * (float)who->hp / MOST_HP, thick = size < 12 ? 1 : 2;
        const float above = (float)y - (size < MIDDLE_FIGURE ? 1 : 2);
        puff_rectangle(&pixels, (float)x, above, (float)size, thick, 0x10141b);
        puff_rectangle(&pixels, (float)x, above, full, thick, health_colour(who->hp));
    }
    if (size >= ROOM_FOR_LEVELS && !own) {
        const int level = is_player(w, id) ? lesser_level(w, id) : who->level;
        const uint32_t colour =
            is_player(w, id) ? player_colour(w, id) : danger_colour(who, &bodies_of(w)[agent]);
        if (!is_player(w, id) || level > 1) {
            draw_level(view, level, shaded(colour, 14), x + size - (level > 9 ? 6 : 3),
                       y + size - 4);
        }
    }
}

/* An arrow on its way, to the end of its reach; a blow as an arc in front of who strikes. */
static void draw_deed(const land_view* view, const body* who, float phase) {
    const puff_view shapes = shapes_on(view);
    const float down = row_steps[who->facing], right = column_steps[who->facing];
    const float x = (float)who->column + 0.5f, y = (float)who->row + 0.5f;
    if (who->deed == SHOOTING) {
        const float far = 0.6f + 3 * phase;
        const float from_x = x + far * right, from_y = y + far * down;
        puff_line(&shapes, from_x, from_y, from_x + 0.6f * right, from_y + 0.6f * down, 0.14f,
                  0xffe08a);
        puff_disc(&shapes, from_x + 0.6f * right, from_y + 0.6f * down, 0.13f, 0xffffff);
    } else if (who->deed == STRIKING && phase > 0.1f && phase < 0.75f) {
        const float swing = 1.2f * (phase - 0.1f) / 0.65f - 0.6f;
        const float tip_x = x + 0.95f * right + swing * down;
        const float tip_y = y + 0.95f * down + swing * right;
        puff_line(&shapes, x + 0.5f * right + 0.5f * swing * down,
                  y + 0.5f * down + 0.5f * swing * right, tip_x, tip_y, 0.12f, 0xffffff);
    }
}

/* Ends of lives in the last tick: a cross where a player fell, which rises and fades. */
static void draw_fallen(const world* w, const land_view* view, const frame* seen, float phase) {
    const puff_view shapes = shapes_on(view);
    for (int32_t id = 0; id < w->players; id++) {
        const player* who = &players_of(w)[id];
        if (!who->ended) continue;
        const int row = who->fallen_row, column = who->fallen_column;
        if (row < seen->top || row >= seen->bottom) continue;
        if (column < seen->left || column >= seen->right) continue;
        const float x = (float)column + 0.5f, y = (float)row + 0.5f - 0.3f * phase;
        puff_line(&shapes, x, y - 0.45f, x, y + 0.45f, 0.2f, 0x10141b);
        puff_line(&shapes, x, y - 0.4f, x, y + 0.4f, 0.14f, 0xf2f4f8);
        puff_line(&shapes, x - 0.25f, y - 0.15f, x + 0.25f, y - 0.15f, 0.14f, 0xf2f4f8);
    }
}

static void draw_items(const world* w, const land_view* view, const frame* seen) {
    for (int row = seen->top; row < seen->bottom; row++) {
        for (int column = seen->left; column < seen->right; column++) {
            const uint8_t* tile = tile_at(w, cell_at(w, row, column));
            if (!tile[ITEM]) continue;
            draw_item(view, tile[ITEM], tile[TIER], column * view->size - view->left,
                      row * view->size - view->top);
        }
    }
}

static void draw_bodies(const world* w, const land_view* view, const frame* seen, uint32_t agent,
                        float phase) {
    const body* bodies = bodies_of(w);
    for (int deeds_only = 0; deeds_only < 2; deeds_only++) {
        for (int row = seen->top; row < seen->bottom; row++) {
            for (int column = seen->left; column < seen->right; column++) {
                if (!is_set(w, w->occupied_at, row, column)) continue;
                const int32_t id = ids_of(w)[cell_at(w, row, column)];
                if (deeds_only) {
                    draw_deed(view, &bodies[id], phase);
                } else if (id != (int32_t)agent) {
                    draw_body(w, view, id, agent, phase);
                }
            }
        }
        if (!deeds_only && !bodies[agent].away) draw_body(w, view, (int32_t)agent, agent, phase);
    }
}

/* In the upper right corner, where there is room, the whole world. */
static void draw_corner(const world* w, puff_canvas* canvas, uint32_t agent, float phase,
                        const frame* seen) {
    const int width = (int)canvas->width, height = (int)canvas->height;
    const int least = width < height ? width : height;
    if (least < ROOM_FOR_MAP) return;
    const int size = least / 4;
    const map_place place = {width - size - 3, 3, size};
    put_pixels(canvas, place.x - 1, place.y - 1, size + 2, 0x10141b);
    draw_map(w, &place, canvas, agent, phase, seen);
}

static void nmmo_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    const world* w = state;
    const land_view view = view_on(w, agent, phase, canvas);
    const frame seen = frame_of(w, &view);
    if (canvas->view == WORLD_VIEW) {
        const map_place place = world_place(canvas);
        puff_clear(canvas, shaded(ground_colours[WATER * SEASONS], -6));
        draw_map(w, &place, canvas, agent, phase, &seen);
        return;
    }
    draw_ground(w, &view, phase);
    draw_items(w, &view, &seen);
    draw_fallen(w, &view, &seen, phase);
    draw_bodies(w, &view, &seen, agent, phase);
    draw_corner(w, canvas, agent, phase, &seen);
}

/* The player closest to a pixel, if one is near. */
static uint32_t nmmo_locate(const void* state, uint32_t agent, float phase, puff_canvas* canvas,
                            float x, float y) {
    const world* w = state;
    const land_view view = view_on(w, agent, phase, canvas);
    const map_place place = world_place(canvas);
    const int on_map = canvas->view == WORLD_VIEW;
    uint32_t nearest = PUFF_NOBODY;
    float reach = on_map ? 3 : 1.2f * (float)view.size;
    for (int32_t id = 0; id < w->players; id++) {
        if (bodies_of(w)[id].away) continue;
        float column, row;
        body_at(&bodies_of(w)[id], phase, &column, &row);
        int px, py;
        pixel_on_map(w, &place, column, row, &px, &py);
        const float there_x = on_map ? (float)px : column * (float)view.size - (float)view.left;
        const float there_y = on_map ? (float)py : row * (float)view.size - (float)view.top;
        const float far = hypotf(there_x - x, there_y - y);
        if (far < reach) {
            reach = far;
            nearest = (uint32_t)id;
        }
    }
    return nearest;
}

#endif
