/* school_draw.h: the battle as one unit sees it, from behind and above. */
#ifndef SCHOOL_DRAW_H
#define SCHOOL_DRAW_H

#include "school_camera.h"

enum { WRECK_COLD = 16, MOST_STROKES = 6, RAYS = 9, MAP_PICTURE = 100 };

/* The watched unit is brighter than others. */
#define WATCHED_GLOW 0.3f

static const uint32_t army_colours[] = {0x4db5ff, 0xff9a1f, 0xf0e442, 0x2fd49a,
                                        0xe67fc0, 0xd55e00, 0xb09cff, 0xd0d4da};

/* A part of a unit's body: a thick line from one point to another in the unit's own axes (left, up,
 * forward), in sizes of the unit. Brightness is against the colour of its army. */
typedef struct {
    vector from, to;
    float width, brightness;
} stroke;

typedef struct {
    float size;
    stroke strokes[MOST_STROKES];
} body;

static const body bodies[KINDS] = {
    [DRONE] = {0.014f,
               {{{-1, 0, -1}, {1, 0, 1}, 0.4f, 0.8f},
                {{1, 0, -1}, {-1, 0, 1}, 0.4f, 0.8f},
                {{0, 0, 0}, {0, 0, 0.2f}, 1.0f, 1.2f}}},
    [FIGHTER] = {0.026f,
                 {{{0, 0, -1}, {0, 0.8f, -1.2f}, 0.2f, 1.3f},
                  {{-1.1f, 0, -0.8f}, {0, 0, 0.5f}, 0.4f, 0.8f},
                  {{1.1f, 0, -0.8f}, {0, 0, 0.5f}, 0.4f, 0.8f},
                  {{0, 0, -1}, {0, 0, 1.4f}, 0.4f, 1.1f}}},
    [MOTHERSHIP] = {0.062f,
                    {{{-0.7f, 0, -0.7f}, {0.7f, 0, 0.7f}, 0.4f, 0.6f},
                     {{0.7f, 0, -0.7f}, {-0.7f, 0, 0.7f}, 0.4f, 0.6f},
                     {{0, 0, -1}, {0, 0, 1}, 0.4f, 0.75f},
                     {{-1, 0, 0}, {1, 0, 0}, 0.45f, 0.9f},
                     {{0, 0.3f, 0}, {0, 0.3f, 0.05f}, 0.8f, 1.35f}}},
    [BOMBER] = {0.030f,
                {{{-1.5f, 0, -0.7f}, {0, 0, 0.3f}, 0.45f, 0.75f},
                 {{1.5f, 0, -0.7f}, {0, 0, 0.3f}, 0.45f, 0.75f},
                 {{0, 0, -0.9f}, {0, 0, 0.8f}, 0.7f, 1}}},
    [INFANTRY] = {0.010f,
                  {{{0, 0, 0}, {0, 1.2f, 0}, 0.7f, 0.8f},
                   {{0, 1.8f, 0}, {0, 1.8f, 0.1f}, 0.8f, 1.3f},
                   {{0.4f, 1, 0}, {0.2f, 1, 1.2f}, 0.25f, 0.5f}}},
    [TANK] = {0.021f,
              {{{-0.6f, 0.2f, -0.9f}, {-0.6f, 0.2f, 0.9f}, 0.5f, 0.4f},
               {{0.6f, 0.2f, -0.9f}, {0.6f, 0.2f, 0.9f}, 0.5f, 0.4f},
               {{0, 0.45f, -0.6f}, {0, 0.45f, 0.6f}, 0.9f, 0.8f},
               {{0, 1, 0}, {0, 1.1f, 1.6f}, 0.25f, 0.6f},
               {{0, 0.95f, -0.2f}, {0, 0.95f, 0.1f}, 0.7f, 1.15f}}},
    [ARTILLERY] = {0.022f,
                   {{{-0.6f, 0.2f, -0.8f}, {-0.6f, 0.2f, 0.6f}, 0.5f, 0.4f},
                    {{0.6f, 0.2f, -0.8f}, {0.6f, 0.2f, 0.6f}, 0.5f, 0.4f},
                    {{0, 0.4f, -0.7f}, {0, 0.4f, 0.5f}, 0.8f, 0.8f},
                    {{0, 0.6f, -0.5f}, {0, 2.4f, 0.9f}, 0.4f, 1.2f}}},
};

static inline uint32_t unit_colour(uint32_t agent, float brightness) {
    const uint32_t colour = army_colours[army_of(agent) % PUFF_COUNT(army_colours)];
    return brightness <= 1 ? colour_mix(0x05070a, colour, brightness)
                           : colour_mix(colour, 0xffffff, brightness - 1);
}

/* A unit's pose at a phase of the last step. Who died in it is seen on the way to where it died. */
static pose pose_at(const unit* one, float phase) {
    const pose *a = &one->before, *b = one->wreck_age == 0 ? &one->wreck : &one->now;
    const rotation p = a->attitude, q = b->attitude;
    const float same = p.w * q.w + p.x * q.x + p.y * q.y + p.z * q.z < 0 ? -1 : 1;
    const float x = a->look_x + phase * (b->look_x - a->look_x);
    const float z = a->look_z + phase * (b->look_z - a->look_z);
    const float length = fmaxf(sqrtf(x * x + z * z), 1e-6f);
    return (pose){
        .place = plus(a->place, times(minus(b->place, a->place), phase)),
        .attitude = normalised(
            (rotation){p.w + phase * (same * q.w - p.w), p.x + phase * (same * q.x - p.x),
                       p.y + phase * (same * q.y - p.y), p.z + phase * (same * q.z - p.z)}),
        .look_x = x / length,
        .look_z = z / length,
    };
}

static camera camera_behind(puff_canvas* canvas, const terrain* ground, pose watched,
                            uint32_t agent) {
    const float size = bodies[kind_of(agent)].size;
    const float back = 0.22f + 3 * size, rise = 0.05f + 1.4f * size;
    camera found = {
        .canvas = canvas,
        .ground = ground,
        .eye = {watched.place.x - back * watched.look_x, watched.place.y + rise,
                watched.place.z - back * watched.look_z},
        .look_x = watched.look_x,
        .look_z = watched.look_z,
        .focal = ZOOM * (float)canvas->height,
        .middle = (float)canvas->width / 2,
        .horizon = HORIZON * (float)canvas->height,
        .nearest = 0.75f * back,
    };
    const float least = scenery_at(ground, found.eye.x, found.eye.z) + 0.05f;
    found.eye.y = fmaxf(found.eye.y, least);
    return found;
}

static void draw_unit(const camera* camera, uint32_t agent, pose seen, float glow) {
    const body* shape = &bodies[kind_of(agent)];
    const vector left = times(left_of(seen.attitude), shape->size);
    const vector up = times(up_of(seen.attitude), shape->size);
    const vector forward = times(forward_of(seen.attitude), shape->size);
    if (kinds[kind_of(agent)].flies) {
        const vector place = seen.place;
        const vector below = {place.x, scenery_at(camera->ground, place.x, place.z), place.z};
        if (in_sight(camera, plus(below, (vector){0, 0.01f, 0}))) {
            draw_stroke(camera, plus(below, times((vector){left.x, 0, left.z}, 0.8f)),
                        minus(below, times((vector){left.x, 0, left.z}, 0.8f)), shape->size * 0.4f,
                        0x28323a);
        }
    }
    for (int i = 0; i < MOST_STROKES && shape->strokes[i].width > 0; i++) {
        const stroke* part = &shape->strokes[i];
        vector ends[2] = {part->from, part->to};
        for (int end = 0; end < 2; end++) {
            const vector at = ends[end];
            ends[end] = plus(plus(plus(seen.place, times(left, at.x)), times(up, at.y)),
                             times(forward, at.z));
        }
        draw_stroke(camera, ends[0], ends[1], part->width * shape->size,
                    unit_colour(agent, part->brightness + glow));
    }
}

/* A shaft of light over each base. */
static void draw_bases(const camera* camera, const vector* bases) {
    for (uint32_t army = 0; army < ARMIES; army++) {
        for (int part = 0; part < 6; part++) {
            const vector from = plus(bases[army], (vector){0, 0.1f * (float)part, 0});
            const vector to = plus(from, (vector){0, 0.1f, 0});
            if (!in_sight(camera, to)) continue;
            draw_stroke(camera, from, to, 0.014f * (1 - (float)part / 6),
                        unit_colour(army * ARMY, 1.5f));
        }
    }
}

/* A short flash from a unit to the one that it shoots, thinner as the step goes on. */
static void draw_laser(const camera* camera, uint32_t agent, vector from, vector to, float phase) {
    if (!in_sight(camera, from) || !in_sight(camera, to)) return;
    const float width = 0.009f * (1 - 0.6f * phase);
    draw_stroke(camera, from, to, width, unit_colour(agent, 1.25f));
    draw_stroke(camera, from, to, width * 0.4f, 0xffffff);
}

/* What is left of a unit flies apart, a flash first and then sparks. */
static void draw_wreck(const camera* camera, uint32_t agent, const unit* one, float phase) {
    const float age = ((float)one->wreck_age - 1 + phase) / (WRECK_COLD - 1);
    const float size = bodies[kind_of(agent)].size + 0.015f;
    vector middle = one->wreck.place;
    middle.y = fmaxf(middle.y, scenery_at(camera->ground, middle.x, middle.z)) + 0.01f;
    if (age < 0 || age >= 1 || !in_sight(camera, middle)) return;
    const uint32_t colour = age < 0.3f ? colour_mix(0xffffff, 0xffd24a, age / 0.3f)
                                       : colour_mix(0xffd24a, 0x8a2a10, (age - 0.3f) / 0.7f);
    const float spread = size * (0.6f + 3 * age * (2 - age)), rest = 1 - age;
    for (int i = 0; i < RAYS; i++) {
        const float angle = 6.2831853f * ((float)i + 0.37f * (float)(agent % 7)) / RAYS;
        const float climb = 0.3f + 0.7f * (float)(i * 4 % RAYS) / RAYS;
        const vector way = {cosf(angle), climb, sinf(angle)};
        draw_stroke(camera, plus(middle, times(way, spread * (1 - 0.5f * rest))),
                    plus(middle, times(way, spread)), 0.25f * size * rest, colour);
    }
    draw_stroke(camera, middle, middle, 2.2f * size * rest * rest, colour);
}

/* Where the map lies in a picture, in pixels; small pictures have none, of side 0. */
typedef struct {
    int left, top, side;
} map;

static map map_in(const puff_canvas* canvas) {
    if (canvas->width < MAP_PICTURE || canvas->height < MAP_PICTURE / 2) return (map){0};
    const int side = (int)(0.3f * (float)canvas->height);
    return (map){(int)canvas->width - side - 2, (int)canvas->height - side - 2, side};
}

static image on_map(map map, vector place) {
    const float scale = (float)map.side / (2 * EDGE);
    return (image){(float)map.left + (EDGE - place.x) * scale,
                   (float)map.top + (EDGE - place.z) * scale, 0};
}

/* The whole world from above in the corner of a large picture, with the camera's side up. */
static void draw_map(const camera* camera, const pose* poses, uint32_t watched) {
    puff_canvas* canvas = camera->canvas;
    const map map = map_in(canvas);
    const int side = map.side, left = map.left, top = map.top;
    if (side == 0) return;
    for (int row = -1; row <= side; row++) {
        for (int x = -1; x <= side; x++) {
            const int frame = row < 0 || x < 0 || row == side || x == side;
            const float world_x = EDGE - ((float)x + 0.5f) / (float)side * 2 * EDGE;
            const float world_z = EDGE - ((float)row + 0.5f) / (float)side * 2 * EDGE;
            const float y = ground_at(camera->ground, world_x, world_z);
            const tint ground = ground_tint((y + EDGE) * HEIGHT_SCALE);
            puff_blend(canvas, left + x, top + row,
                       frame ? 0x0b0e14 : colour_mix(0x05070a, colour_of(ground), 0.5f), 0.9f);
        }
    }
    const puff_view pixels = {.canvas = canvas, .scale = 1};
    for (uint32_t i = 0; i < AGENTS; i++) {
        const image at = on_map(map, poses[i].place);
        puff_disc(&pixels, at.x, at.y, 0.45f, unit_colour(i, 1));
    }
    const image own = on_map(map, poses[watched].place);
    puff_disc(&pixels, own.x, own.y, 1.3f, 0xffffff);
}

/* A bar over the watched unit: how much of its health is left. */
static void draw_health(const camera* camera, uint32_t agent, const unit* one, vector place) {
    const kind_figures* kind = &kinds[kind_of(agent)];
    const float size = bodies[kind_of(agent)].size;
    const image at = seen_from(camera, plus(place, (vector){0, 2.2f * size + 0.012f, 0}));
    const puff_view pixels = {.canvas = camera->canvas, .scale = 1};
    const float width = fmaxf(0.11f * (float)camera->canvas->height, 5);
    const float height = fmaxf(0.014f * (float)camera->canvas->height, 1);
    const float left = limited(one->health / kind->health, 0, 1);
    puff_rectangle(&pixels, at.x - width / 2, at.y, width, height, 0x1b2230);
    puff_rectangle(&pixels, at.x - width / 2, at.y, width * left, height,
                   left > 0.5f ? 0x7ee08a : 0xff5a4a);
}

static void draw_battle(const unit* units, const vector* bases, const terrain* ground,
                        uint32_t watched, float phase, puff_canvas* canvas) {
    pose poses[AGENTS];
    for (uint32_t i = 0; i < AGENTS; i++) poses[i] = pose_at(&units[i], phase);
    const camera camera = camera_behind(canvas, ground, poses[watched], watched);
    draw_landscape(&camera);
    draw_bases(&camera, bases);

    /* The units in sight, the farthest first. */
    uint32_t order[AGENTS], count = 0;
    float depths[AGENTS];
    for (uint32_t i = 0; i < AGENTS; i++) {
        const vector point = plus(poses[i].place, (vector){0, bodies[kind_of(i)].size, 0});
        const image at = seen_from(&camera, point);
        const float margin = 0.15f * camera.focal / fmaxf(at.depth, NEAREST);
        if (at.depth < NEAREST || at.x < -margin || at.x > (float)canvas->width + margin) continue;
        if (!in_sight(&camera, point) && i != watched) continue;
        uint32_t place = count++;
        for (; place > 0 && depths[place - 1] < at.depth; place--) {
            order[place] = order[place - 1];
            depths[place] = depths[place - 1];
        }
        order[place] = i;
        depths[place] = at.depth;
    }
    for (uint32_t i = 0; i < count; i++) {
        draw_unit(&camera, order[i], poses[order[i]], order[i] == watched ? WATCHED_GLOW : 0);
    }
    for (uint32_t i = 0; i < AGENTS; i++) {
        if (units[i].target >= 0) {
            draw_laser(&camera, i, poses[i].place, poses[units[i].target].place, phase);
        }
        if (units[i].wreck_age < WRECK_COLD) draw_wreck(&camera, i, &units[i], phase);
    }
    draw_health(&camera, watched, &units[watched], poses[watched].place);
    draw_map(&camera, poses, watched);
}

/* The unit that is seen at a pixel or close to it, on the map or in the landscape. */
static uint32_t unit_at(const unit* units, const terrain* ground, uint32_t watched, float phase,
                        puff_canvas* canvas, float x, float y) {
    const camera camera = camera_behind(canvas, ground, pose_at(&units[watched], phase), watched);
    const map map = map_in(canvas);
    const int mapped = map.side && x >= (float)map.left && y >= (float)map.top;
    uint32_t nearest = PUFF_NOBODY;
    float reach = mapped ? 4 : fmaxf(0.05f * (float)canvas->height, 2);
    for (uint32_t i = 0; i < AGENTS; i++) {
        const vector place = pose_at(&units[i], phase).place;
        const vector middle = plus(place, (vector){0, bodies[kind_of(i)].size, 0});
        const image at = mapped ? on_map(map, place) : seen_from(&camera, middle);
        const float distance = hypotf(at.x - x, at.y - y);
        if (distance >= reach || (!mapped && i != watched && !in_sight(&camera, middle))) continue;
        reach = distance;
        nearest = i;
    }
    return nearest;
}

#endif
