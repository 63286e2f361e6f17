/* How the land of nmmo lies on a picture: whole pixels to a tile, so that nothing flickers when the
 * view moves.
 */
#ifndef NMMO_VIEW_H
#define NMMO_VIEW_H

#include "canvas.h"
#include "nmmo_world.h"

enum { LAND_VIEW, WORLD_VIEW, VIEWS };
enum { PICTURE_WIDTH = 1600, PICTURE_HEIGHT = 1000 };
enum { SHOWN = 14 /* tiles to a side of a square picture */, LEAST_PIXELS = 3 };

/* A picture of the land: the tile at row r, column c begins at pixel c * size - left,
 * r * size - top. */
typedef struct {
    puff_canvas* canvas;
    int size, left, top;
} land_view;

/* Tiles that a view touches, cut to the map. */
typedef struct {
    int top, bottom, left, right;
} frame;

/* Where a body is at a moment between two ticks, in tiles. */
static inline void body_at(const body* who, float phase, float* x, float* y) {
    *x = (float)who->last_column + phase * (float)(who->column - who->last_column) + 0.5f;
    *y = (float)who->last_row + phase * (float)(who->row - who->last_row) + 0.5f;
}

/* About SHOWN x SHOWN tiles around a player, or as many as such a picture has room for. */
static inline land_view view_on(const world* w, uint32_t agent, float phase, puff_canvas* canvas) {
    const float width = (float)canvas->width, height = (float)canvas->height;
    const int size = (int)fmaxf(roundf(sqrtf(width * height) / SHOWN), LEAST_PIXELS);
    float x, y;
    body_at(&bodies_of(w)[agent], phase, &x, &y);
    return (land_view){
        .canvas = canvas,
        .size = size,
        .left = (int)floorf(x * (float)size - width / 2 + 0.5f),
        .top = (int)floorf(y * (float)size - height / 2 + 0.5f),
    };
}

static inline int clamped(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

/* The tile of a pixel of the world. */
static inline int tile_of(int pixel, int size) {
    return pixel >= 0 ? pixel / size : (pixel + 1) / size - 1;
}

static inline frame frame_of(const world* w, const land_view* view) {
    const int right = view->left + (int)view->canvas->width;
    const int bottom = view->top + (int)view->canvas->height;
    return (frame){
        .top = clamped(tile_of(view->top, view->size) - 1, 0, w->side),
        .bottom = clamped(tile_of(bottom, view->size) + 2, 0, w->side),
        .left = clamped(tile_of(view->left, view->size) - 1, 0, w->side),
        .right = clamped(tile_of(right, view->size) + 2, 0, w->side),
    };
}

/* The same for the shapes of canvas.h, in tiles. */
static inline puff_view shapes_on(const land_view* view) {
    return (puff_view){
        .canvas = view->canvas,
        .left = (float)view->left / (float)view->size,
        .top = (float)view->top / (float)view->size,
        .scale = (float)view->size,
    };
}

/* A square of whole pixels. */
static inline void put_pixels(puff_canvas* canvas, int x, int y, int size, uint32_t colour) {
    for (int row = y; row < y + size; row++) {
        for (int column = x; column < x + size; column++) {
            puff_blend(canvas, column, row, colour, 1);
        }
    }
}

/* A colour with so many 32nds more of each channel, or less. */
static inline uint32_t shaded(uint32_t colour, int part) {
    uint32_t mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const int channel = (int)(colour >> shift & 0xff);
        mixed |= (uint32_t)clamped(channel + channel * part / 32, 0, 255) << shift;
    }
    return mixed;
}

static const uint32_t element_colours[ELEMENTS] = {0xc9ced6, 0x7fe06a, 0xff7a3d, 0xc9ecff,
                                                   0x4d8dff};
static const uint32_t team_colours[MOST_TEAMS] = {0x3f9fe6, 0xe6c33f, 0xb66be6, 0x48c78e,
                                                  0xe67fb0, 0x57d5e0, 0xd9d9e0, 0xa7c24a};
static const uint32_t tier_colours[TIER_CLASSES] = {0x5a6270, 0xd5dae2, 0x5fe05a,
                                                    0x4db5ff, 0xcf8bff, 0xffc83d};

/* Players are blue, or of the colour of their team. */
static inline uint32_t player_colour(const world* w, int32_t id) {
    return w->teams ? team_colours[team_of(w, id)] : team_colours[0];
}

#endif
