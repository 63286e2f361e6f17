/* The colours of enduro's day: sixteen stages of light and weather that fade into each other. */
#ifndef ENDURO_LIGHT_H
#define ENDURO_LIGHT_H

#include <stdint.h>

#include "enduro_road.h"

enum { STAGES = 16 };

typedef struct {
    uint32_t sky, low_sky, hills, grass, road, line;
    float night; /* 1: cars are little more than their lights */
    float fog;
    float snow;
} enduro_light;

/* The second of the day at which each stage ends. */
static const int stage_ends[STAGES] = {20,  40,  60,  100, 108, 114, 116, 120,
                                       124, 130, 134, 138, 170, 198, 214, 232};

static const enduro_light stage_lights[STAGES] = {
    {0x3b7dd8, 0xa9d6f5, 0x56708f, 0x3f8f3a, 0x63676e, 0xe8ecf0, 0, 0, 0},
    {0x2f76d6, 0x8cc8f5, 0x4d6b8c, 0x47962f, 0x676b72, 0xf0f3f6, 0, 0, 0},
    {0x6f8fb0, 0xc3d2df, 0x7a8797, 0x5c8a55, 0x6a6e75, 0xe8ecf0, 0, 0, 0},
    {0x93a9c0, 0xdde6ee, 0xa9b8c8, 0xe6edf4, 0x868f9b, 0xffffff, 0, 0, 1},
    {0x4a7fc4, 0xf2d6a2, 0x6a6480, 0x5f8a3c, 0x666469, 0xf2e9d8, 0, 0, 0},
    {0x4f6cb3, 0xf7b267, 0x675a7a, 0x5b7a38, 0x615b60, 0xf0dcc0, 0.1f, 0, 0},
    {0x51559a, 0xf79055, 0x604c70, 0x546b36, 0x5a5158, 0xeacbaa, 0.15f, 0, 0},
    {0x463f83, 0xee6c4d, 0x523e63, 0x465a33, 0x4d454e, 0xd9b298, 0.3f, 0, 0},
    {0x3a3270, 0xd1495b, 0x403156, 0x374a30, 0x403a45, 0xbf9a8c, 0.45f, 0, 0},
    {0x2b2759, 0x9b3d63, 0x2f2547, 0x283a2a, 0x332f3b, 0x9c8382, 0.6f, 0, 0},
    {0x1d1d45, 0x5d3463, 0x201c38, 0x1a2a22, 0x282631, 0x7b6f78, 0.75f, 0, 0},
    {0x12142f, 0x2d2547, 0x15152b, 0x11201a, 0x201f29, 0x656370, 0.85f, 0, 0},
    {0x060914, 0x141c36, 0x0b1122, 0x0b1a14, 0x1b1e27, 0x5a6070, 1, 0, 0},
    {0x39424f, 0x56606e, 0x434c59, 0x26322f, 0x2b3038, 0x667080, 0.9f, 1, 0},
    {0x1f2b5a, 0x7a6590, 0x2a2c4e, 0x1f3a2b, 0x31343f, 0x8a8c9c, 0.6f, 0, 0},
    {0x5b7fc0, 0xf5c6a0, 0x5b6488, 0x37753a, 0x555861, 0xd8d4d0, 0.1f, 0, 0},
};

/* One colour on the way to another. */
static inline uint32_t mixed(uint32_t from, uint32_t to, float share) {
    uint32_t colour = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        const float a = (float)(from >> shift & 0xff), b = (float)(to >> shift & 0xff);
        colour |= (uint32_t)(a + (b - a) * share + 0.5f) << shift;
    }
    return colour;
}

static inline float between(float from, float to, float share) {
    return from + (to - from) * share;
}

/* The light at a time of the day in seconds. Each stage fades into the next at its end. */
static inline enduro_light light_at(float seconds) {
    int stage = 0;
    while (stage < STAGES - 1 && seconds >= (float)stage_ends[stage]) stage++;
    const float begin = stage ? (float)stage_ends[stage - 1] : 0, end = (float)stage_ends[stage];
    const float fade = fminf(4, end - begin), share = clamped(1 - (end - seconds) / fade, 0, 1);
    const enduro_light *a = &stage_lights[stage], *b = &stage_lights[(stage + 1) % STAGES];
    return (enduro_light){
        .sky = mixed(a->sky, b->sky, share),
        .low_sky = mixed(a->low_sky, b->low_sky, share),
        .hills = mixed(a->hills, b->hills, share),
        .grass = mixed(a->grass, b->grass, share),
        .road = mixed(a->road, b->road, share),
        .line = mixed(a->line, b->line, share),
        .night = between(a->night, b->night, share),
        .fog = between(a->fog, b->fog, share),
        .snow = between(a->snow, b->snow, share),
    };
}

#endif
