/* The picture of enduro: sky and hills, the road in perspective, trees, cars by their depth. */
#ifndef ENDURO_PICTURE_H
#define ENDURO_PICTURE_H

#include <math.h>
#include <stdint.h>

#include "canvas.h"
#include "enduro_light.h"
#include "enduro_road.h"

enum { STARS = 40, FLAKES = 60, TREE_ROWS = 14 };

#define PICTURE_TOP    26.0f
#define PICTURE_HEIGHT 129.0f
#define PICTURE_WIDTH  118.0f /* the least that must be seen of the frame */
#define PICTURE_MIDDLE 78.5f
#define STRIPE         0.7f /* length of a stripe and its gap, in distances of the lower edge */

/* All that moves, between the last tick and the next. */
typedef struct {
    puff_view view;
    enduro_light light;
    enduro_road road;
    float x, y; /* of the player */
    float odometer;
    float heading;
    float seconds; /* of the day */
} enduro_scene;

static inline float fraction(float value) {
    return value - floorf(value);
}

/* A number in [0, 1) of its own for each `index`. */
static inline float scattered(uint32_t index) {
    uint32_t bits = index * 2654435761u;
    bits = (bits ^ bits >> 15) * 2246822519u;
    bits ^= bits >> 13;
    return (float)(bits >> 8) * 0x1p-24f;
}

/* Paints [x0, x1) of a row of pixels, x in pixels, with partly covered ends. */
static void paint_span(puff_canvas* canvas, int row, float x0, float x1, uint32_t colour,
                       float alpha) {
    int first, last;
    puff_span(x0, x1, canvas->width, &first, &last);
    for (int x = first; x <= last; x++) {
        puff_blend(canvas, x, row, colour, alpha * puff_overlap(x0, x1, x));
    }
}

static inline float to_pixel_x(const puff_view* view, float x) {
    return (x - view->left) * view->scale;
}

static inline float to_pixel_y(const puff_view* view, float y) {
    return (y - view->top) * view->scale;
}

/* How much fog lies over a place at this depth. */
static inline float fog_over(const enduro_scene* scene, float depth) {
    const float share = clamped(1.1f - 1.9f * depth, 0, 1);
    return scene->light.fog * share * (2 - share);
}

/* The height of the hills over the horizon; repeats every 256. */
static inline float hill_height(float x) {
    static const float peaks[16] = {3, 6, 4, 9, 13, 8, 4, 5, 9, 6, 3, 7, 11, 15, 9, 5};
    const float at = fraction(x * (1 / 256.0f)) * 16;
    const int before = (int)at & 15;
    const float share = at - floorf(at);
    const float rough = fabsf(fraction(x * (3 / 64.0f)) - 0.5f) * 2.4f;
    return between(peaks[before], peaks[(before + 1) & 15], share) + rough;
}

/* A light in the sky with its halo. */
static void draw_orb(const puff_view* view, float x, float y, float radius, uint32_t colour) {
    const float px = to_pixel_x(view, x), py = to_pixel_y(view, y), r = radius * view->scale;
    for (int row = 0; row < (int)view->canvas->height; row++) {
        for (int column = 0; column < (int)view->canvas->width; column++) {
            const float dx = (float)column + 0.5f - px, dy = (float)row + 0.5f - py;
            const float distance = sqrtf(dx * dx + dy * dy);
            const float halo = clamped(1 - (distance - r) / (3 * r), 0, 1);
            const float core = clamped(r + 0.5f - distance, 0, 1);
            puff_blend(view->canvas, column, row, colour, fmaxf(core, 0.25f * halo * halo));
        }
    }
}

static void draw_sky(const enduro_scene* scene) {
    const puff_view* view = &scene->view;
    puff_canvas* canvas = view->canvas;
    const enduro_light* light = &scene->light;
    const int width = (int)canvas->width;
    for (int row = 0; row < (int)canvas->height; row++) {
        const float y = view->top + ((float)row + 0.5f) / view->scale;
        const float share = clamped((y - PICTURE_TOP) / (HORIZON - PICTURE_TOP), 0, 1);
        paint_span(canvas, row, 0, (float)width, mixed(light->sky, light->low_sky, share), 1);
    }
    const float wide = (float)width / view->scale;
    const float stars = clamped(light->night * 2 - 1, 0, 1) * (1 - light->fog);
    for (uint32_t i = 0; i < STARS && stars > 0; i++) {
        const float x = fraction(scattered(i) - scene->heading * (1 / 512.0f)) * wide;
        const float y = PICTURE_TOP + scattered(i + 100) * (HORIZON - PICTURE_TOP);
        puff_blend(canvas, (int)(x * view->scale), (int)to_pixel_y(view, y), 0xdfe6ff,
                   stars * (0.25f + 0.7f * scattered(i + 200)));
    }
    /* The sun goes down until second 118; the moon shines from 134 to 170, and a new sun rises. */
    const float seconds = scene->seconds;
    const float sun = seconds < 150 ? 32 + 24 * seconds / 118 : 62 - 12 * (seconds - 205) / 27;
    if (light->snow + light->fog < 0.5f && sun < HORIZON + 4) {
        draw_orb(view, PICTURE_MIDDLE + 24, sun, 4, seconds < 100 ? 0xfff3c4 : 0xffc06a);
    }
    if (seconds > 128 && light->fog < 0.5f && seconds < 175) {
        const float moon = 36 + fmaxf(0, 134 - seconds) * 3;
        draw_orb(view, PICTURE_MIDDLE - 26, moon, 3, 0xe3e8f4);
    }
    /* Hills, one column of pixels after another. */
    for (int column = 0; column < width; column++) {
        const float x = view->left + ((float)column + 0.5f) / view->scale;
        const float height = hill_height(x + scene->heading);
        const puff_view pixels = {.canvas = canvas, .scale = 1};
        const float top = to_pixel_y(view, HORIZON - height);
        puff_rectangle(&pixels, (float)column, top, 1, to_pixel_y(view, HORIZON) - top,
                       mixed(light->hills, light->low_sky, 0.8f * light->fog));
    }
}

/* Whether a stripe or its gap lies at this depth: 1 or 0, and in between where the rows of the
 * picture are too coarse to tell. */
static float stripe_at(const enduro_scene* scene, float depth) {
    const float along = 1 / (depth * STRIPE) + scene->odometer;
    const float in_a_row = 1 / (depth * depth * STRIPE * DEPTH * scene->view.scale);
    const float wave = 4 * fabsf(fraction(along) - 0.5f) - 1; /* a triangle from -1 to 1 */
    const float sharp = clamped(wave * fmaxf(0.5f / in_a_row, 1), -1, 1);
    return 0.5f + 0.5f * sharp * clamped(1.6f - 2 * in_a_row, 0, 1);
}

/* The light of the player's own lamps on the road, wider and fainter the farther. */
static void draw_headlights(const enduro_scene* scene, int row, float y) {
    const float reach = (y - 84) / (scene->y - 84), night = scene->light.night;
    if (night < 0.25f || reach <= 0 || reach >= 1) return;
    const float middle = to_pixel_x(&scene->view, scene->x + CAR_WIDTH / 2);
    for (int layer = 1; layer <= 4; layer++) {
        const float half = (float)layer * (2.2f + 2.6f * (1 - reach)) * scene->view.scale;
        paint_span(scene->view.canvas, row, middle - half, middle + half, 0xffe9b0,
                   0.13f * night * reach * reach);
    }
}

static void draw_ground(const enduro_scene* scene) {
    const puff_view* view = &scene->view;
    const enduro_light* light = &scene->light;
    puff_canvas* canvas = view->canvas;
    const float horizon = to_pixel_y(view, HORIZON);
    const int first = horizon > 0 ? (int)horizon : 0;
    for (int row = first; row < (int)canvas->height; row++) {
        const float top = fmaxf((float)row, horizon), covered = (float)(row + 1) - top;
        const float y = view->top + (top + covered / 2) / view->scale, depth = depth_at(y);
        const float stripe = stripe_at(scene, depth), fog = fog_over(scene, depth);
        const uint32_t grass = mixed(light->grass, 0x000000, 0.16f * stripe);
        const uint32_t road = mixed(light->road, 0x000000, 0.07f * (1 - stripe));
        const uint32_t lane = mixed(road, light->line, 0.75f * stripe);
        const uint32_t kerb = mixed(light->line, 0xc8372d, stripe * (1 - 0.6f * light->night));
        const uint32_t edge = mixed(kerb, light->road, 0.3f * light->night);
        const float left = road_left(&scene->road, y), width = road_width(y);
        const float bump = road_bump(&scene->road, y);
        const float x0 = to_pixel_x(view, left + bump);
        const float x1 = to_pixel_x(view, left + width - bump);
        const float line = fmaxf(3 * depth * view->scale, 0.35f);
        paint_span(canvas, row, 0, (float)canvas->width, mixed(grass, light->low_sky, fog),
                   covered);
        paint_span(canvas, row, x0 - line, x1 + line, mixed(edge, light->low_sky, fog), covered);
        paint_span(canvas, row, x0, x1, mixed(road, light->low_sky, fog), covered);
        for (int i = 1; i < LANES; i++) {
            const float x = to_pixel_x(view, left + width * (float)i / LANES), half = line * 0.3f;
            paint_span(canvas, row, x - half, x + half, mixed(lane, light->low_sky, fog), covered);
        }
        draw_headlights(scene, row, y);
    }
}

/* A fir of `height` that stands on (x, y). */
static void draw_tree(const enduro_scene* scene, float x, float y, float height, float tint) {
    const enduro_light* light = &scene->light;
    const float depth = depth_at(y), fog = fog_over(scene, depth);
    const uint32_t green = mixed(mixed(0x14492a, 0x2c6b24, tint), light->grass, 0.12f);
    const uint32_t dark = mixed(green, light->hills, 0.15f + 0.75f * light->night);
    const uint32_t leaves = mixed(dark, light->low_sky, fog);
    const uint32_t tip = mixed(leaves, 0xffffff, 0.8f * light->snow);
    const uint32_t trunk = mixed(mixed(0x4a3524, light->hills, light->night), light->low_sky, fog);
    const float step = height * 0.86f / TREE_ROWS;
    puff_rectangle(&scene->view, x - height * 0.05f, y - height * 0.2f, height * 0.1f,
                   height * 0.2f, trunk);
    for (int i = 0; i < TREE_ROWS; i++) {
        const float layer = (float)(i % 5) / 4, down = (float)i / TREE_ROWS;
        const float half = height * (0.03f + 0.22f * down + 0.07f * layer);
        puff_rectangle(&scene->view, x - half, y - height + (float)i * step, 2 * half, step,
                       mixed(tip, leaves, clamped(layer + down - 0.2f, 0, 1)));
    }
}

/* Trees on both sides, the farthest first. */
static void draw_trees(const enduro_scene* scene) {
    const float spacing = 2 * STRIPE, travelled = scene->odometer / 2;
    const uint32_t passed = (uint32_t)floorf(travelled);
    for (uint32_t i = 16; i-- > 0;) {
        const float distance = ((float)i + 0.6f - fraction(travelled)) * spacing + 0.2f;
        const float depth = 1 / fmaxf(distance, 0.5f), y = HORIZON + DEPTH * depth;
        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t tree = (passed + i) % 512 * 2 + side;
            const float off = (9 + 46 * scattered(tree)) * depth, left = road_left(&scene->road, y);
            const float x = side ? left + road_width(y) + off : left - off;
            draw_tree(scene, x, y, (24 + 20 * scattered(tree + 4096)) * depth,
                      scattered(tree + 8192));
        }
    }
}

/* Paints a racing car from behind, its upper edge at y and its middle at x. `dark` hides all but
 * the lamps; `turning` swaps the stripes of the tyres. */
static void draw_car(const enduro_scene* scene, float x, float y, float scale, uint32_t body,
                     float dark, int turning) {
    enum { TYRE, TREAD, PAINT, SHADE, GLASS, LAMP, COLOUR_COUNT };
    /* Left half of the car, in its own 16 x 11 pixels; a part wider than 8 spans the middle. */
    static const struct {
        float left, top, width, height;
        int colour;
    } parts[] = {
        {4, 3, 8, 6.5f, PAINT}, {4, 8, 8, 1.5f, SHADE},    {0, 2.5f, 4.5f, 8.5f, TYRE},
        {0, 4, 4.5f, 1, TREAD}, {0, 6.5f, 4.5f, 1, TREAD}, {0, 9, 4.5f, 1, TREAD},
        {2, 0, 12, 2, PAINT},   {6, 2, 4, 2.5f, GLASS},    {4.5f, 5, 2, 2, LAMP},
    };
    const enduro_light* light = &scene->light;
    const float fog = fog_over(scene, depth_at(y + CAR_HEIGHT * scale)) * 0.85f;
    const float glow = clamped(light->night * 1.5f, 0, 1);
    const uint32_t colours[COLOUR_COUNT] = {
        [TYRE] = turning ? 0x17191d : 0x22252a,
        [TREAD] = turning ? 0x3a3f47 : 0x17191d,
        [PAINT] = body,
        [SHADE] = mixed(body, 0x000000, 0.45f),
        [GLASS] = mixed(body, 0x101820, 0.75f),
        [LAMP] = mixed(mixed(body, 0x701818, 0.6f), 0xff3b30, glow),
    };
    const float width = CAR_WIDTH * scale, height = CAR_HEIGHT * scale, left = x - width / 2;
    puff_rectangle(&scene->view, left, y + height * 0.9f, width, height * 0.18f,
                   mixed(light->road, 0x000000, 0.45f * (1 - fog)));
    for (size_t i = 0; i < PUFF_COUNT(parts); i++) {
        const int kind = parts[i].colour;
        const uint32_t shown = mixed(colours[kind], light->road, kind == LAMP ? 0 : dark);
        const uint32_t colour = mixed(shown, light->low_sky, kind == LAMP ? fog / 2 : fog);
        const float part = parts[i].width * scale, down = y + parts[i].top * scale;
        const float from = left + parts[i].left * scale;
        puff_rectangle(&scene->view, from, down, part, parts[i].height * scale, colour);
        if (parts[i].left + parts[i].width < CAR_WIDTH / 2) {
            puff_rectangle(&scene->view, 2 * x - from - part, down, part, parts[i].height * scale,
                           colour);
        }
    }
    for (int side = -1; side <= 1 && glow > 0.3f; side += 2) {
        const float radius = fmaxf(1.4f * scale, 0.55f / scene->view.scale);
        puff_disc(&scene->view, x + 2.8f * scale * (float)side, y + 6 * scale, radius,
                  mixed(0xff4538, light->low_sky, fog / 2));
    }
}

static void draw_traffic(const enduro_scene* scene, const enduro* game, float phase, int below) {
    static const uint32_t bodies[COLOURS] = {0xe04a3a, 0xf0a202, 0x3d8bfd,
                                             0x2fb488, 0xb56be0, 0xf2e34c};
    for (int i = game->car_count; i-- > 0;) {
        const enduro_car* car = &game->cars[i];
        const float y = between(car->last_y, car->y, phase);
        if (y < HORIZON || (y > scene->y) != below) continue;
        draw_car(scene, lane_middle(&scene->road, car->lane, y), y, scale_at(y),
                 bodies[car->colour], 0.85f * scene->light.night, (int)(scene->odometer * 2) & 1);
    }
}

static void draw_snow(const enduro_scene* scene) {
    const puff_canvas* canvas = scene->view.canvas;
    const puff_view pixels = {.canvas = scene->view.canvas, .scale = 1};
    const float width = (float)canvas->width, height = (float)canvas->height;
    const float falling = scene->seconds, size = fmaxf(height / 60, 1);
    for (uint32_t i = 0; i < (uint32_t)(FLAKES * scene->light.snow); i++) {
        const float pace = 0.35f + 0.5f * scattered(i);
        const float x = fraction(scattered(i + 300) + 0.05f * falling * scattered(i + 600));
        const float y = fraction(scattered(i + 900) + pace * falling);
        puff_disc(&pixels, x * width, y * height, size * (0.3f + 0.4f * scattered(i)), 0xffffff);
    }
}

/* How many cars are left to pass, top left, on green once there are none; the day, top right; and
 * how far the day is, along the top. */
static void draw_figures(const enduro_scene* scene, const enduro* game) {
    const puff_canvas* canvas = scene->view.canvas;
    const puff_view pixels = {.canvas = scene->view.canvas, .scale = 1};
    const float width = (float)canvas->width;
    const float dot = fmaxf(1, floorf((float)canvas->height / 60 + 0.25f));
    const int digits = 1 + (game->to_pass > 9) + (game->to_pass > 99);
    const float left = (float)(4 * digits + 1) * dot;
    const uint32_t plate = game->to_pass ? 0x12161e : 0x1d7a4c;
    puff_rectangle(&pixels, dot, 2 * dot, left, 7 * dot, plate);
    puff_number(&pixels, left, 3 * dot, 5 * dot, game->to_pass, 0xf4f6f8);
    const float right = width - dot, wide = (game->day > 8 ? 9 : 5) * dot;
    puff_rectangle(&pixels, right - wide, 2 * dot, wide, 7 * dot, 0x12161e);
    puff_number(&pixels, right - dot, 3 * dot, 5 * dot, game->day + 1, 0xf7c948);
    puff_rectangle(&pixels, 0, 0, width, dot, 0x12161e);
    puff_rectangle(&pixels, 0, 0, width * scene->seconds * TICKS / DAY_TICKS, dot, 0xf7c948);
}

static void enduro_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)agent;
    if (canvas->width == 0 || canvas->height == 0) return;
    const enduro* game = state;
    const enduro_road *a = &game->last_road, *b = &game->road;
    const float seconds = fmaxf((float)game->tick - 1 + phase, 0) / TICKS;
    puff_view view = puff_view_fit(canvas, PICTURE_MIDDLE - PICTURE_WIDTH / 2, PICTURE_TOP,
                                   PICTURE_WIDTH, PICTURE_HEIGHT);
    const enduro_scene scene = {
        .view = view,
        .light = light_at(seconds),
        .road =
            {
                .base = between(a->base, b->base, phase),
                .far = between(a->far, b->far, phase),
                .curve = between(a->curve, b->curve, phase),
                .bump = b->bump < a->bump ? b->bump : between(a->bump, b->bump, phase),
            },
        .x = between(game->last_x, game->x, phase),
        .y = player_y(between(game->last_speed, game->speed, phase)),
        .odometer = between(game->last_odometer, game->odometer, phase),
        .heading = between(game->last_heading, game->heading, phase),
        .seconds = seconds,
    };
    draw_sky(&scene);
    draw_ground(&scene);
    draw_trees(&scene);
    draw_traffic(&scene, game, phase, 0);
    /* Who has crashed shakes and glows. */
    const int shaking = game->helpless ? (game->helpless / 3) % 2 * 2 - 1 : 0;
    const float shake = (float)shaking * game->drift_speed * 4;
    const uint32_t body = shaking > 0 ? 0xff8a5c : 0xffffff;
    draw_car(&scene, scene.x + CAR_WIDTH / 2 + shake, scene.y, 1, body, 0.25f * scene.light.night,
             (int)(scene.odometer * 2) & 1);
    draw_traffic(&scene, game, phase, 1);
    draw_snow(&scene);
    draw_figures(&scene, game);
}

#endif
