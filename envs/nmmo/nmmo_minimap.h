/* The whole world of nmmo on a small picture: the land, everybody on it, and what the view shows.
 */
#ifndef NMMO_MINIMAP_H
#define NMMO_MINIMAP_H

#include "nmmo_ground.h"

enum { ROOM_FOR_PEOPLE = 60 };

/* A square of pixels in which the world lies. */
typedef struct {
    int x, y, size;
} map_place;

static inline map_place world_place(const puff_canvas* canvas) {
    const int width = (int)canvas->width, height = (int)canvas->height;
    const int size = width < height ? width : height;
    return (map_place){(width - size) / 2, (height - size) / 2, size};
}

/* The mean colour of the land that falls on a pixel, from four places of it. */
static inline uint32_t land_mean(const world* w, const map_place* place, int x, int y) {
    int sums[3] = {0, 0, 0};
    for (int i = 0; i < 4; i++) {
        const int column = (4 * x + 1 + 2 * (i % 2)) * w->side / (4 * place->size);
        const int row = (4 * y + 1 + 2 * (i / 2)) * w->side / (4 * place->size);
        const uint32_t colour = ground_colours[terrain_at(w, row, column)];
        for (int k = 0; k < 3; k++) sums[k] += (int)(colour >> (16 - 8 * k) & 0xff);
    }
    uint32_t mean = 0;
    for (int k = 0; k < 3; k++) mean = mean << 8 | (uint32_t)(sums[k] * 13 / 64); /* a bit dim */
    return mean;
}

static inline void pixel_on_map(const world* w, const map_place* place, float x, float y, int* px,
                                int* py) {
    *px = place->x + (int)(x * (float)place->size / (float)w->side);
    *py = place->y + (int)(y * (float)place->size / (float)w->side);
}

static inline void draw_map_frame(const world* w, const map_place* place, puff_canvas* canvas,
                                  const frame* seen) {
    int left, top, right, bottom;
    pixel_on_map(w, place, (float)seen->left + 1, (float)seen->top + 1, &left, &top);
    pixel_on_map(w, place, (float)seen->right - 1, (float)seen->bottom - 1, &right, &bottom);
    for (int x = left; x <= right; x++) {
        puff_blend(canvas, x, top, 0xffffff, 0.6f);
        puff_blend(canvas, x, bottom, 0xffffff, 0.6f);
    }
    for (int y = top + 1; y < bottom; y++) {
        puff_blend(canvas, left, y, 0xffffff, 0.6f);
        puff_blend(canvas, right, y, 0xffffff, 0.6f);
    }
}

/* Enemies are faint, players blue or of their team's colour, oneself gold. On a small map there
 * would be more people than land: players are faint there, and enemies left out. */
static inline void draw_people(const world* w, const map_place* place, puff_canvas* canvas,
                               uint32_t agent, float phase) {
    const int is_large = place->size >= ROOM_FOR_PEOPLE;
    for (int32_t id = (is_large ? w->entities : w->players) - 1; id >= 0; id--) {
        const body* who = &bodies_of(w)[id];
        if (who->away || id == (int32_t)agent) continue;
        float x, y;
        int px, py;
        body_at(who, phase, &x, &y);
        pixel_on_map(w, place, x, y, &px, &py);
        puff_blend(canvas, px, py, is_player(w, id) ? shaded(player_colour(w, id), 6) : 0xd2453b,
                   is_large && is_player(w, id) ? 0.95f
                   : is_large                   ? 0.55f
                                                : 0.4f);
    }
    float x, y;
    int px, py;
    body_at(&bodies_of(w)[agent], phase, &x, &y);
    pixel_on_map(w, place, x, y, &px, &py);
    put_pixels(canvas, px - is_large, py - is_large, 1 + 2 * is_large, 0x10141b);
    put_pixels(canvas, px, py, 1, 0xffd75e);
    if (!is_large) return;
    puff_blend(canvas, px - 1, py, 0xffd75e, 1);
    puff_blend(canvas, px + 1, py, 0xffd75e, 1);
    puff_blend(canvas, px, py - 1, 0xffd75e, 1);
    puff_blend(canvas, px, py + 1, 0xffd75e, 1);
}

static inline void draw_map(const world* w, const map_place* place, puff_canvas* canvas,
                            uint32_t agent, float phase, const frame* seen) {
    for (int y = 0; y < place->size; y++) {
        for (int x = 0; x < place->size; x++) {
            put_pixels(canvas, place->x + x, place->y + y, 1, land_mean(w, place, x, y));
        }
    }
    draw_map_frame(w, place, canvas, seen);
    draw_people(w, place, canvas, agent, phase);
}

#endif
