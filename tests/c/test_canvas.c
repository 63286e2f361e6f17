/* Tests of canvas.h; built with sanitizers, which see a write outside a picture. */
#include "canvas.h"
#include "random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WHITE = 0xffffff };

static puff_canvas new_canvas(uint32_t width, uint32_t height) {
    puff_canvas canvas = {
        .pixels = malloc((size_t)width * height * 3), .width = width, .height = height};
    assert(canvas.pixels || width == 0 || height == 0);
    puff_clear(&canvas, 0);
    return canvas;
}

/* The red channel; the tests draw in grey. */
static int at(const puff_canvas* canvas, int x, int y) {
    return canvas->pixels[3 * (y * (int)canvas->width + x)];
}

/* All light in the picture, in whole white pixels. */
static float light(const puff_canvas* canvas) {
    float sum = 0;
    for (uint32_t i = 0; i < canvas->width * canvas->height; i++) sum += canvas->pixels[3 * i];
    return sum / 255;
}

static void test_rectangle(void) {
    puff_canvas canvas = new_canvas(8, 6);
    const puff_view view = {.canvas = &canvas, .scale = 1};
    puff_rectangle(&view, 2, 1, 3, 2, WHITE);
    for (int y = 0; y < 6; y++) {
        for (int x = 0; x < 8; x++) {
            const int inside = x >= 2 && x < 5 && y >= 1 && y < 3;
            assert(at(&canvas, x, y) == (inside ? 255 : 0));
        }
    }
    puff_clear(&canvas, 0);
    puff_rectangle(&view, 1.25f, 2, 1.5f, 1, WHITE); /* three quarters of two pixels */
    assert(abs(at(&canvas, 1, 2) - 191) <= 1 && abs(at(&canvas, 2, 2) - 191) <= 1);
    assert(fabsf(light(&canvas) - 1.5f) < 0.02f);
    free(canvas.pixels);
}

static void test_colour(void) {
    puff_canvas canvas = new_canvas(2, 1);
    puff_clear(&canvas, 0x102030);
    const uint8_t want[] = {0x10, 0x20, 0x30, 0x10, 0x20, 0x30};
    assert(memcmp(canvas.pixels, want, sizeof want) == 0);
    puff_blend(&canvas, 1, 0, 0xff0080, 1);
    const uint8_t replaced[] = {0x10, 0x20, 0x30, 0xff, 0x00, 0x80};
    assert(memcmp(canvas.pixels, replaced, sizeof replaced) == 0);
    free(canvas.pixels);
}

/* The world rectangle fills one direction and is centred in the other. */
static void test_fit(void) {
    puff_canvas canvas = new_canvas(40, 20);
    const puff_view view = puff_view_fit(&canvas, 100, 50, 10, 10);
    assert(view.scale == 2);
    puff_rectangle(&view, 100, 50, 10, 10, WHITE);
    for (int x = 0; x < 40; x++) assert(at(&canvas, x, 7) == (x >= 10 && x < 30 ? 255 : 0));
    assert(light(&canvas) == 400);
    free(canvas.pixels);
}

static void test_disc(void) {
    puff_canvas canvas = new_canvas(40, 40);
    const puff_view view = {.canvas = &canvas, .scale = 1};
    for (int i = 0; i < 8; i++) { /* its area stays the same while it moves by eighths */
        puff_clear(&canvas, 0);
        puff_disc(&view, 20 + (float)i / 8, 20, 8, WHITE);
        assert(fabsf(light(&canvas) - 3.14159f * 64) < 2);
        assert(at(&canvas, 20, 20) == 255 && at(&canvas, 13, 13) < 255);
    }
    free(canvas.pixels);
}

static void test_line(void) {
    puff_canvas canvas = new_canvas(40, 20);
    const puff_view view = {.canvas = &canvas, .scale = 1};
    puff_line(&view, 10, 10, 30, 10, 4, WHITE);
    for (int x = 10; x < 30; x++) assert(at(&canvas, x, 9) == 255 && at(&canvas, x, 13) == 0);
    puff_clear(&canvas, 0);
    puff_line(&view, 5, 10.5f, 35, 10.5f, 0.2f, WHITE); /* thin: one pixel wide and faint */
    assert(at(&canvas, 20, 10) > 20 && at(&canvas, 20, 10) < 80 && at(&canvas, 20, 12) == 0);
    free(canvas.pixels);
}

/* Tiles of equal size never overlap and cover the same columns at any scale. */
static void test_tiles(void) {
    for (uint32_t width = 1; width < 80; width++) {
        puff_canvas canvas = new_canvas(width, 9);
        const puff_view view = {.canvas = &canvas, .scale = (float)width / 7};
        for (int i = 0; i < 7; i++) puff_tile(&view, (float)i, 0, 1, 100, 0x404040);
        for (int x = 0; x < (int)width; x++) {
            assert(at(&canvas, x, 0) == 0x40 || at(&canvas, x, 0) == 0);
        }
        const int gaps = 7 * (view.scale >= 3);
        int lit = 0;
        for (int x = 0; x < (int)width; x++) lit += at(&canvas, x, 0) == 0x40;
        assert(lit == (int)width - gaps);
        free(canvas.pixels);
    }
}

static void test_sprite(void) {
    const uint8_t cells[] = {1, 0, 2, 0, 1, 0};
    const uint32_t palette[] = {0, 0xffffff, 0x808080};
    puff_canvas canvas = new_canvas(6, 4);
    const puff_view view = {.canvas = &canvas, .scale = 2};
    puff_sprite(&view, 0, 0, 3, 2, cells, 3, 2, palette);
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 6; x++) {
            assert(at(&canvas, x, y) == (int)(palette[cells[y / 2 * 3 + x / 2]] & 0xff));
        }
    }
    free(canvas.pixels);
}

/* Every digit as it should look, in its last column's three pixels and right edge at x = 12. */
static void test_number(void) {
    static const char* const shapes[10] = {
        "###"
        "# #"
        "# #"
        "# #"
        "###",
        " # "
        "## "
        " # "
        " # "
        "###",
        "###"
        "  #"
        "###"
        "#  "
        "###",
        "###"
        "  #"
        "###"
        "  #"
        "###",
        "# #"
        "# #"
        "###"
        "  #"
        "  #",
        "###"
        "#  "
        "###"
        "  #"
        "###",
        "###"
        "#  "
        "###"
        "# #"
        "###",
        "###"
        "  #"
        " # "
        " # "
        " # ",
        "###"
        "# #"
        "###"
        "# #"
        "###",
        "###"
        "# #"
        "###"
        "  #"
        "###",
    };
    puff_canvas canvas = new_canvas(12, 5);
    const puff_view view = {.canvas = &canvas, .scale = 1};
    for (int number = -99; number <= 999; number++) {
        puff_clear(&canvas, 0);
        puff_number(&view, 12, 0, 5, number, WHITE);
        int rest = abs(number), left = 9;
        do {
            for (int i = 0; i < 15; i++) {
                const int lit = shapes[rest % 10][i] == '#';
                assert(at(&canvas, left + i % 3, i / 3) == (lit ? 255 : 0));
            }
            left -= 4;
            rest /= 10;
        } while (rest);
        if (number < 0) assert(at(&canvas, left + 2, 2) == 255 && at(&canvas, left + 2, 1) == 0);
    }
    free(canvas.pixels);
}

/* Shapes anywhere, also far outside, on pictures of any size: the sanitizer watches. */
static void test_clipping(void) {
    puff_random dice = {1};
    const uint8_t cells[] = {1, 1, 1, 1};
    const uint32_t palette[] = {0, WHITE};
    for (int round = 0; round < 3000; round++) {
        puff_canvas canvas = new_canvas(puff_random_below(&dice, 40), puff_random_below(&dice, 40));
        const puff_view view = puff_view_fit(&canvas, 0, 0, 10, 10);
        const float reach = round % 3 ? 20 : 1e8f;
        float p[5];
        for (int i = 0; i < 5; i++) p[i] = puff_random_between(&dice, -reach, reach);
        puff_rectangle(&view, p[0], p[1], p[2], p[3], WHITE);
        puff_tile(&view, p[0], p[1], fabsf(p[2]), fabsf(p[3]), WHITE);
        puff_line(&view, p[0], p[1], p[2], p[3], fabsf(p[4]), WHITE);
        puff_disc(&view, p[0], p[1], fabsf(p[2]), WHITE);
        puff_sprite(&view, p[0], p[1], p[2], p[3], cells, 2, 2, palette);
        puff_number(&view, p[0], p[1], fabsf(p[2]), (int)p[3], WHITE);
        free(canvas.pixels);
    }
}

int main(void) {
    test_rectangle();
    test_colour();
    test_fit();
    test_disc();
    test_line();
    test_tiles();
    test_sprite();
    test_number();
    test_clipping();
    return 0;
}
