/* school_camera.h: a camera over the hills, and the landscape that it sees.
 *
 * The camera looks level; it only turns about the vertical. So each column of the picture sees one
 * straight line over the map, and is painted in one walk along it, from near to far and from the
 * lower edge of the picture up. Parts of pixels are summed, so that hills move smoothly.
 */
#ifndef SCHOOL_CAMERA_H
#define SCHOOL_CAMERA_H

#include <math.h>

#include "canvas.h"
#include "school_terrain.h"
#include "school_units.h"

#define NEAREST      0.03f
#define FARTHEST     4.5f
#define FIRST_SAMPLE 0.05f
#define SAMPLE_GROWTH                                                                              \
    1.017f            /* the distance between two looks at the ground grows with distance          \
                       */
#define HORIZON 0.36f /* of the picture's height, from above */
#define ZOOM    0.95f /* focal length, in heights of the picture */

typedef struct {
    float red, green, blue;
} tint;

typedef struct {
    puff_canvas* canvas;
    const terrain* ground;
    vector eye;
    float look_x, look_z; /* horizontal, length 1 */
    float focal, middle, horizon;
    float nearest; /* what is nearer would only be in the way */
} camera;

/* A point as the camera sees it: pixels, and how far ahead it is. */
typedef struct {
    float x, y, depth;
} image;

static inline tint tint_of(uint32_t colour) {
    return (tint){(float)(colour >> 16), (float)(colour >> 8 & 0xff), (float)(colour & 0xff)};
}

static inline tint tint_mix(tint a, tint b, float share) {
    return (tint){a.red + share * (b.red - a.red), a.green + share * (b.green - a.green),
                  a.blue + share * (b.blue - a.blue)};
}

static inline float limited(float value, float low, float high) {
    return fminf(fmaxf(value, low), high);
}

static inline uint32_t colour_of(tint a) {
    return (uint32_t)limited(a.red, 0, 255) << 16 | (uint32_t)limited(a.green, 0, 255) << 8 |
           (uint32_t)limited(a.blue, 0, 255);
}

static inline uint32_t colour_mix(uint32_t a, uint32_t b, float share) {
    return colour_of(tint_mix(tint_of(a), tint_of(b), share));
}

static const uint32_t haze_colour = 0x6f86a6, zenith_colour = 0x101a33;

/* How much of what is so far away is lost in the haze. */
static inline float haze_at(float depth) {
    const float share = limited(depth / FARTHEST, 0, 1);
    return 0.65f * share * (2 - share);
}

static inline image seen_from(const camera* camera, vector point) {
    const vector way = minus(point, camera->eye);
    const float depth = way.x * camera->look_x + way.z * camera->look_z;
    const float aside = way.z * camera->look_x - way.x * camera->look_z;
    const float scale = camera->focal / fmaxf(depth, NEAREST);
    return (image){camera->middle + aside * scale, camera->horizon - way.y * scale, depth};
}

static inline int inside_world(float x, float z) {
    return fabsf(x) <= EDGE && fabsf(z) <= EDGE;
}

/* The ground as it is drawn: beyond the world there is only sea. */
static inline float scenery_at(const terrain* ground, float x, float z) {
    return inside_world(x, z) ? ground_at(ground, x, z) : -EDGE;
}

/* Whether a point is neither too near nor hidden by a hill. */
static int in_sight(const camera* camera, vector point) {
    enum { LOOKS = 32 };
    const vector way = minus(point, camera->eye);
    if (seen_from(camera, point).depth < camera->nearest) return 0;
    for (int i = 1; i < LOOKS; i++) {
        const vector at = plus(camera->eye, times(way, (float)i / LOOKS));
        if (scenery_at(camera->ground, at.x, at.z) > at.y) return 0;
    }
    return 1;
}

/* Water, beach, meadow, forest, rock and snow, by height. */
static tint ground_tint(float height) {
    static const struct {
        float height;
        uint32_t colour;
    } stops[] = {
        {0, 0x1d4468},   {1.5f, 0x2b6080}, {4, 0xc2ad74},   {14, 0x6b9a4c},  {60, 0x47803f},
        {110, 0x37633a}, {145, 0x776d5c},  {185, 0x8f8a84}, {205, 0xe4eaf0}, {240, 0xffffff},
    };
    uint32_t i = 1;
    while (i + 1 < PUFF_COUNT(stops) && height > stops[i].height) i++;
    const float below = stops[i - 1].height, above = stops[i].height;
    return tint_mix(tint_of(stops[i - 1].colour), tint_of(stops[i].colour),
                    limited((height - below) / (above - below), 0, 1));
}

/* The colour of the ground at a place: lit from one side, chequered so that speed is seen, red
 * where the world ends, and hazy far away. */
static tint landscape_tint(const terrain* ground, float x, float z, float y, float depth) {
    const float reach = 0.02f + 0.01f * depth;
    tint colour = ground_tint((y + EDGE) * HEIGHT_SCALE);
    const float across = scenery_at(ground, x + reach, z) - scenery_at(ground, x - reach, z);
    const float along = scenery_at(ground, x, z + reach) - scenery_at(ground, x, z - reach);
    const int inside = inside_world(x, z);
    float light = inside ? limited(1 + (0.3f * across + 0.15f * along) / reach, 0.5f, 1.3f) : 0.75f;
    const int odd = ((int)floorf(x * 10) + (int)floorf(z * 10)) & 1;
    if (inside && odd) light *= 1 - 0.1f * limited(1.6f - depth, 0, 1);
    colour = (tint){colour.red * light, colour.green * light, colour.blue * light};
    if (inside && (fabsf(x) > 0.95f * EDGE || fabsf(z) > 0.95f * EDGE)) {
        colour = tint_mix(colour, tint_of(0xd03a4a), 0.6f);
    }
    return tint_mix(colour, tint_of(haze_colour), haze_at(depth));
}

/* A column of the picture that is filled from below. `y` is how far it has got, `sum` the colours
 * of the parts of the pixel there. */
typedef struct {
    puff_canvas* canvas;
    int x;
    float y;
    tint sum;
} column;

static void fill_up_to(column* filled, float top, tint colour) {
    top = fmaxf(top, 0);
    while (filled->y > top) {
        const int row = (int)ceilf(filled->y) - 1;
        const float next = fmaxf(top, (float)row), part = filled->y - next;
        filled->sum.red += part * colour.red;
        filled->sum.green += part * colour.green;
        filled->sum.blue += part * colour.blue;
        filled->y = next;
        if (next > (float)row) return;
        uint8_t* pixel =
            filled->canvas->pixels + 3 * ((size_t)row * filled->canvas->width + (size_t)filled->x);
        pixel[0] = (uint8_t)limited(filled->sum.red, 0, 255);
        pixel[1] = (uint8_t)limited(filled->sum.green, 0, 255);
        pixel[2] = (uint8_t)limited(filled->sum.blue, 0, 255);
        filled->sum = (tint){0, 0, 0};
    }
}

static void draw_landscape(const camera* camera) {
    puff_canvas* canvas = camera->canvas;
    for (int x = 0; x < (int)canvas->width; x++) {
        column filled = {.canvas = canvas, .x = x, .y = (float)canvas->height};
        const float slope = ((float)x + 0.5f - camera->middle) / camera->focal;
        const float way_x = camera->look_x - slope * camera->look_z;
        const float way_z = camera->look_z + slope * camera->look_x;
        for (float depth = FIRST_SAMPLE; depth < FARTHEST; depth *= SAMPLE_GROWTH) {
            const float at_x = camera->eye.x + way_x * depth, at_z = camera->eye.z + way_z * depth;
            const float y = scenery_at(camera->ground, at_x, at_z);
            const float top = camera->horizon + (camera->eye.y - y) / depth * camera->focal;
            if (top < filled.y) {
                fill_up_to(&filled, top, landscape_tint(camera->ground, at_x, at_z, y, depth));
            }
            if (filled.y <= 0) break;
        }
        while (filled.y > 0) { /* the sky, a pixel at a time */
            const float row = ceilf(filled.y) - 1;
            const float share = limited(row / fmaxf(camera->horizon, 1), 0, 1);
            fill_up_to(&filled, row,
                       tint_mix(tint_of(zenith_colour), tint_of(haze_colour), share * share));
        }
    }
}

/* A thick line between two points of the world, cut off where it passes the camera. */
static void draw_stroke(const camera* camera, vector from, vector to, float width,
                        uint32_t colour) {
    image a = seen_from(camera, from), b = seen_from(camera, to);
    if (a.depth <= NEAREST && b.depth <= NEAREST) return;
    if (a.depth <= NEAREST || b.depth <= NEAREST) {
        const float share = (NEAREST * 1.01f - a.depth) / (b.depth - a.depth);
        const image cut = seen_from(camera, plus(from, times(minus(to, from), share)));
        if (a.depth <= NEAREST) a = cut;
        if (b.depth <= NEAREST) b = cut;
    }
    const puff_view pixels = {.canvas = camera->canvas, .scale = 1};
    const float depth = fmaxf((a.depth + b.depth) / 2, NEAREST);
    puff_line(&pixels, a.x, a.y, b.x, b.y, width * camera->focal / depth,
              colour_mix(colour, haze_colour, haze_at(depth)));
}

#endif
