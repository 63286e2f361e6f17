/* The ground in the picture of nmmo: grass by season, rock that rises, water that moves. */
#ifndef NMMO_GROUND_H
#define NMMO_GROUND_H

#include "nmmo_view.h"

static const uint32_t ground_colours[TERRAINS] = {
    0x3c7a3f, 0x7c9a3a, 0x9a6b2b, 0xaebfc9, /* grass */
    0x7d6647, 0x927a4a, 0x7a5936, 0x9b9790, /* dirt */
    0x6b727b, 0x857d68, 0x74625a, 0x8d9aa9, /* stone */
    0x1f5a8c, 0x1c7a9e, 0x27597a, 0x5d93b8, /* water */
};
/* Flowers, dry blades, fallen leaves, and what the snow has not covered. */
static const uint32_t sprinkles[SEASONS][2] = {
    {0xf2d64b, 0xe88bc0}, {0xc9bd5a, 0x5f7f2c}, {0xd9772e, 0xb4452a}, {0xf4f8fc, 0x7f95a0}};

enum {
    WAVES = 4,   /* pictures of the water in a tick */
    SPARSE = 97, /* one pixel of so many is a flower, or what there is in that season */
};

static inline uint32_t grain_of(int x, int y) {
    uint32_t bits = (uint32_t)x * 0x9e3779b9u ^ (uint32_t)y * 0x85ebca6bu;
    bits = (bits ^ bits >> 15) * 0x2c1b3c6du;
    return bits ^ bits >> 13;
}

/* Smooth noise, -1 to 1, with a value at each corner of cells of `cell` pixels. The corners of the
 * cell asked for last are kept, for most pixels lie in the same one as those before them. */
typedef struct {
    int cell, salt, column, row;
    float corners[4];
} swell;

static inline swell new_swell(int cell, int salt) {
    return (swell){.cell = cell, .salt = salt, .column = INT32_MIN};
}

static inline float swell_at(swell* noise, int x, int y) {
    const int cell = noise->cell, column = tile_of(x, cell), row = tile_of(y, cell);
    if (column != noise->column || row != noise->row) {
        noise->column = column;
        noise->row = row;
        for (int i = 0; i < 4; i++) {
            const uint32_t bits = grain_of(column + i % 2 + noise->salt, row + i / 2 - noise->salt);
            noise->corners[i] = (float)(bits & 0xff) / 127.5f - 1;
        }
    }
    const float right = ((float)(x - column * cell) + 0.5f) / (float)cell;
    const float down = ((float)(y - row * cell) + 0.5f) / (float)cell;
    const float* corners = noise->corners;
    const float above = corners[0] + right * (corners[1] - corners[0]);
    const float below = corners[2] + right * (corners[3] - corners[2]);
    return above + down * (below - above);
}

static inline int terrain_at(const world* w, int row, int column) {
    const int inside = row >= 0 && row < w->side && column >= 0 && column < w->side;
    return inside ? tile_at(w, cell_at(w, row, column))[TERRAIN] : WATER * SEASONS;
}

/* What the ground of one picture is painted with. */
typedef struct {
    const world* w;
    int size, time;
    swell across, along, land, water;
} brush;

/* The terrain at a pixel of the world. Borders wander by up to a third of a tile, so that no
 * coast is made of squares. */
static inline int terrain_near(brush* with, int x, int y) {
    const int reach = (with->size + 1) / 3;
    if (reach) {
        const float far = (float)reach;
        const int right = (int)(swell_at(&with->across, x, y) * far + far + 0.5f) - reach;
        const int down = (int)(swell_at(&with->along, x, y) * far + far + 0.5f) - reach;
        x += right;
        y += down;
    }
    return terrain_at(with->w, tile_of(y, with->size), tile_of(x, with->size));
}

static inline uint32_t water_at(brush* with, uint32_t colour, int x, int y, int shore) {
    const int time = with->time;
    const uint32_t grain = grain_of(tile_of(x - time, 3), y * 7 + time / 6);
    int shade = (int)(3 * swell_at(&with->water, x + time, y - time / 2) + 3.5f) - 3;
    if (grain % 29 == 0) shade += 8;
    if (shore) shade += 11;
    return shaded(colour, shade);
}

static inline uint32_t land_at(brush* with, int terrain, int x, int y, int light) {
    const int kind = terrain / SEASONS, season = terrain % SEASONS;
    const uint32_t grain = grain_of(x, y), colour = ground_colours[terrain];
    const int shade = (int)(2.5f * swell_at(&with->land, x, y) + 3.5f) - 3;
    if (kind == GRASS && grain % SPARSE == 0) return sprinkles[season][grain / SPARSE % 2];
    return shaded(colour, shade + (int)(grain % 3) - 1 + light);
}

/* A part of the picture is painted at once: its terrains with one row above and some below, from
 * which shores and rocks are seen. */
enum { PART = 64, MOST_HIGH = 8 };

static inline int is_kind(uint8_t terrain, int kind) {
    return terrain / SEASONS == kind;
}

/* One pixel. Rock has a bright edge where it begins above, a dark face where it ends below, and
 * throws a shadow. `above`, `below` and `under` are of one row up, one and `high` rows down. */
static inline uint32_t ground_at(brush* with, uint8_t terrain, uint8_t above, uint8_t below,
                                 uint8_t under, int x, int y) {
    if (is_kind(terrain, WATER)) {
        const int shore = !is_kind(above, WATER) || !is_kind(below, WATER);
        return water_at(with, ground_colours[terrain], x, y, shore);
    }
    int light = 0;
    if (is_kind(terrain, STONE)) {
        light = !is_kind(under, STONE) ? -13 : !is_kind(above, STONE) ? 9 : 0;
    } else if (is_kind(above, STONE)) {
        light = -9;
    }
    return land_at(with, terrain, x, y, light);
}

static inline void paint_part(brush* with, const land_view* view, int left, int top) {
    puff_canvas* canvas = view->canvas;
    const int high = clamped(with->size < 6 ? 1 : with->size / 3, 1, MOST_HIGH);
    const int columns = clamped((int)canvas->width - left, 0, PART);
    const int rows = clamped((int)canvas->height - top, 0, PART);
    uint8_t terrains[PART + 1 + MOST_HIGH][PART];
    for (int row = 0; row < rows + 1 + high; row++) {
        for (int column = 0; column < columns; column++) {
            const int x = view->left + left + column, y = view->top + top + row - 1;
            terrains[row][column] = (uint8_t)terrain_near(with, x, y);
        }
    }
    for (int row = 0; row < rows; row++) {
        const size_t start = (size_t)(top + row) * canvas->width + (size_t)left;
        uint8_t* pixel = canvas->pixels + 3 * start;
        for (int column = 0; column < columns; column++, pixel += 3) {
            const uint32_t colour =
                ground_at(with, terrains[row + 1][column], terrains[row][column],
                          terrains[row + 2][column], terrains[row + 1 + high][column],
                          view->left + left + column, view->top + top + row);
            pixel[0] = (uint8_t)(colour >> 16);
            pixel[1] = (uint8_t)(colour >> 8);
            pixel[2] = (uint8_t)colour;
        }
    }
}

static inline void draw_ground(const world* w, const land_view* view, float phase) {
    const int size = view->size;
    brush with = {
        .w = w,
        .size = size,
        .time = (int)(w->tick % 4096) * WAVES + (int)(phase * WAVES),
        .across = new_swell(size, 17),
        .along = new_swell(size, 71),
        .land = new_swell(3 * size, 3),
        .water = new_swell(2 * size, 5),
    };
    for (int top = 0; top < (int)view->canvas->height; top += PART) {
        for (int left = 0; left < (int)view->canvas->width; left += PART) {
            paint_part(&with, view, left, top);
        }
    }
}

#endif
