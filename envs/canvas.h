/* canvas.h: a small rasteriser for the pictures of environments.
 *
 * A terminal picture is tiny (120 x 60 pixels is a good one), so everything here is drawn with
 * partly covered edge pixels: a ball that moves a third of a pixel must be seen to move. Shapes are
 * given in the environment's own units through a `puff_view`; colours are 0xRRGGBB.
 */
#ifndef PUFF_CANVAS_H
#define PUFF_CANVAS_H

#include <math.h>
#include <stdint.h>

#include "puff_env.h"

/* Maps world units to pixels: pixel = (world - origin) * scale. */
typedef struct {
    puff_canvas* canvas;
    float left;
    float top;
    float scale;
} puff_view;

/* Mixes `colour` over a pixel; coverage 0 leaves it, 1 replaces it. */
static inline void puff_blend(puff_canvas* canvas, int x, int y, uint32_t colour, float coverage) {
    if (x < 0 || y < 0 || x >= (int)canvas->width || y >= (int)canvas->height) return;
    uint8_t* pixel = canvas->pixels + 3 * ((size_t)y * canvas->width + (size_t)x);
    const int weight = (int)(coverage * 256.0f + 0.5f);
    for (int channel = 0; channel < 3; channel++) {
        const int target = (int)(colour >> (16 - 8 * channel)) & 0xff;
        pixel[channel] = (uint8_t)(pixel[channel] + (target - pixel[channel]) * weight / 256);
    }
}

/* Fills the whole picture. */
static inline void puff_clear(puff_canvas* canvas, uint32_t colour) {
    const size_t pixels = (size_t)canvas->width * canvas->height;
    for (size_t i = 0; i < pixels; i++) {
        canvas->pixels[3 * i] = (uint8_t)(colour >> 16);
        canvas->pixels[3 * i + 1] = (uint8_t)(colour >> 8);
        canvas->pixels[3 * i + 2] = (uint8_t)colour;
    }
}

/* The view that shows the world rectangle as large as possible, undistorted and centred, with whole
 * pixels beside it. */
static inline puff_view puff_view_fit(puff_canvas* canvas, float left, float top, float width,
                                      float height) {
    const float scale = fminf((float)canvas->width / width, (float)canvas->height / height);
    return (puff_view){
        .canvas = canvas,
        .left = left - floorf(((float)canvas->width - width * scale) / 2) / scale,
        .top = top - floorf(((float)canvas->height - height * scale) / 2) / scale,
        .scale = scale,
    };
}

/* The share of the unit interval at `pixel` that [low, high] covers. */
static inline float puff_overlap(float low, float high, int pixel) {
    const float covered = fminf(high, (float)(pixel + 1)) - fmaxf(low, (float)pixel);
    return covered > 0 ? covered : 0;
}

/* First and last pixel that an interval touches, cut to the picture. */
static inline void puff_span(float low, float high, uint32_t size, int* first, int* last) {
    *first = low > 0 ? (int)fminf(low, (float)size) : 0;
    *last = high < (float)size ? (int)fmaxf(ceilf(high), 0) - 1 : (int)size - 1;
}

static inline void puff_rectangle(const puff_view* view, float left, float top, float width,
                                  float height, uint32_t colour) {
    const float x0 = (left - view->left) * view->scale, x1 = x0 + width * view->scale;
    const float y0 = (top - view->top) * view->scale, y1 = y0 + height * view->scale;
    int first_x, last_x, first_y, last_y;
    puff_span(x0, x1, view->canvas->width, &first_x, &last_x);
    puff_span(y0, y1, view->canvas->height, &first_y, &last_y);
    for (int y = first_y; y <= last_y; y++) {
        const float rows = puff_overlap(y0, y1, y);
        for (int x = first_x; x <= last_x; x++) {
            puff_blend(view->canvas, x, y, colour, rows * puff_overlap(x0, x1, x));
        }
    }
}

/* A cell of a grid, given by its whole place in the grid: its edges fall on whole pixels, and where
 * there is room a pixel stays free at its right and lower edge, so that a grid looks crisp and even
 * at any size. */
static inline void puff_tile(const puff_view* view, float left, float top, float width,
                             float height, uint32_t colour) {
    const float x0 = roundf((left - view->left) * view->scale);
    const float y0 = roundf((top - view->top) * view->scale);
    const float x1 = roundf((left + width - view->left) * view->scale);
    const float y1 = roundf((top + height - view->top) * view->scale);
    const float gap_x = width * view->scale >= 3, gap_y = height * view->scale >= 3;
    const puff_view pixels = {.canvas = view->canvas, .scale = 1};
    puff_rectangle(&pixels, x0, y0, x1 - gap_x - x0, y1 - gap_y - y0, colour);
}

/* A line with round ends, `width` thick. A line of no length is a disc. */
static inline void puff_line(const puff_view* view, float from_x, float from_y, float to_x,
                             float to_y, float width, uint32_t colour) {
    const float ax = (from_x - view->left) * view->scale, ay = (from_y - view->top) * view->scale;
    const float bx = (to_x - view->left) * view->scale, by = (to_y - view->top) * view->scale;
    const float radius = width * view->scale / 2;
    const float dx = bx - ax, dy = by - ay, length2 = dx * dx + dy * dy;
    /* Something thinner than a pixel is drawn one pixel wide and fainter. */
    const float drawn = fmaxf(radius, 0.5f), strength = fminf(radius / 0.5f, 1);
    int first_x, last_x, first_y, last_y;
    puff_span(fminf(ax, bx) - drawn - 1, fmaxf(ax, bx) + drawn + 1, view->canvas->width, &first_x,
              &last_x);
    puff_span(fminf(ay, by) - drawn - 1, fmaxf(ay, by) + drawn + 1, view->canvas->height, &first_y,
              &last_y);
    for (int y = first_y; y <= last_y; y++) {
        for (int x = first_x; x <= last_x; x++) {
            const float px = (float)x + 0.5f - ax, py = (float)y + 0.5f - ay;
            float along = length2 > 0 ? (px * dx + py * dy) / length2 : 0;
            along = fminf(fmaxf(along, 0), 1);
            const float off_x = px - along * dx, off_y = py - along * dy;
            const float distance = sqrtf(off_x * off_x + off_y * off_y);
            const float coverage = fminf(fmaxf(drawn + 0.5f - distance, 0), 1);
            if (coverage > 0) puff_blend(view->canvas, x, y, colour, coverage * strength);
        }
    }
}

static inline void puff_disc(const puff_view* view, float x, float y, float radius,
                             uint32_t colour) {
    puff_line(view, x, y, x, y, 2 * radius, colour);
}

/* A picture of `columns` x `rows` cells scaled to a rectangle. A cell is a palette index;
 * 0 is transparent. */
static inline void puff_sprite(const puff_view* view, float left, float top, float width,
                               float height, const uint8_t* cells, int columns, int rows,
                               const uint32_t* palette) {
    const float cell_width = width / (float)columns, cell_height = height / (float)rows;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            const uint8_t cell = cells[row * columns + column];
            if (cell == 0) continue;
            puff_rectangle(view, left + (float)column * cell_width, top + (float)row * cell_height,
                           cell_width, cell_height, palette[cell]);
        }
    }
}

/* A whole number in 3 x 5 digits, `height` tall, its right edge at `right`. Negative numbers have
 * a minus sign. */
static inline void puff_number(const puff_view* view, float right, float top, float height,
                               int number, uint32_t colour) {
    /* Each digit is 5 rows of 3 bits, top row in the highest bits. */
    static const uint16_t digits[10] = {075557, 026227, 071747, 071717, 055711,
                                        074717, 074757, 071222, 075757, 075717};
    const float dot = height / 5;
    const int negative = number < 0;
    unsigned rest = negative ? 0u - (unsigned)number : (unsigned)number;
    float left = right;
    do {
        left -= 3 * dot;
        const uint16_t shape = digits[rest % 10];
        for (int bit = 0; bit < 15; bit++) {
            if (shape >> (14 - bit) & 1) {
                puff_rectangle(view, left + (float)(bit % 3) * dot, top + (float)(bit / 3) * dot,
                               dot, dot, colour);
            }
        }
        left -= dot;
        rest /= 10;
    } while (rest);
    if (negative) puff_rectangle(view, left - 2 * dot, top + 2 * dot, 2 * dot, dot, colour);
}

#endif
