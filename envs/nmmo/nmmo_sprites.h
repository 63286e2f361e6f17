/* The figures of nmmo in three sizes: things that lie on the land, players, enemies.
 *
 * A figure is rows of letters, each a pixel:
 *   .  nothing    k  outline    a  its colour, b darker, c brighter    e  element    t  tier
 *   s  skin       h  hair       m  metal     n  wood     g  leaves or grey     w  white   y  eyes
 */
#ifndef NMMO_SPRITES_H
#define NMMO_SPRITES_H

#include "nmmo_view.h"

enum { SMALL_FIGURE = 3, MIDDLE_FIGURE = 5, LARGE_FIGURE = 8 };

typedef struct {
    const char *small, *middle, *large;
} figure;

typedef struct {
    uint32_t main, element, tier, hair, grey, eyes;
} paints;

static const figure item_figures[ITEMS] = {
    [TOOL] = {"ttt"
              ".nt"
              "n.t",
              ".ttt."
              "t..tt"
              "..n.t"
              ".n..t"
              "n....",
              ".kkkkk.."
              "kttttttk"
              ".kkknttk"
              "...nnktk"
              "..nnk.tk"
              ".nnk..k."
              "nnk....."
              "nk......"},
    [EARTH_GEM] = {".t."
                   "tet"
                   ".t.",
                   "..t.."
                   ".tet."
                   "tewet"
                   ".tet."
                   "..t..",
                   "...kk..."
                   "..kttk.."
                   ".ktwetk."
                   "ktweeetk"
                   "kteeeetk"
                   ".kteetk."
                   "..kttk.."
                   "...kk..."},
    [HERB] = {".t."
              "tct"
              ".g.",
              ".t.t."
              "tctct"
              ".tgt."
              "g.g.g"
              ".ggg.",
              "..t..t.."
              ".tct.ct."
              "..tg.gt."
              ".t.gg..."
              "tctg.g.g"
              ".tgg.gg."
              "..gggg.."
              "...gg..."},
    [ORE] = {".t."
             "gtg"
             "ggg",
             "..t.."
             ".gtg."
             "gtggg"
             "gggtg"
             ".ggg.",
             "...kk..."
             "..kttk.."
             ".kgttkk."
             ".kggggtk"
             "kttggttk"
             "kgtggggk"
             "kggggtgk"
             ".kkkkkk."},
    [WOOD] = {"gtg"
              "ggg"
              ".n.",
              ".ggg."
              "gtggg"
              "gggtg"
              ".gng."
              "..n..",
              "..kggk.."
              ".kgggtk."
              "kgtggggk"
              "kggggtgk"
              ".kgtggk."
              "..knnk.."
              "..knnk.."
              "..nnnn.."},
    [HILT] = {".t."
              "ttt"
              ".m.",
              "..t.."
              ".ttt."
              "..m.."
              "..m.."
              "..m..",
              "...kk..."
              "...ttk.."
              ".ktttttk"
              "..kmmkk."
              "...mmk.."
              "...mmk.."
              "..gmmgk."
              ".gggggg."},
};
static const figure player_figure = {".s."
                                     "aaa"
                                     "a.a",
                                     ".hhh."
                                     ".sys."
                                     "aaeaa"
                                     ".aaa."
                                     ".b.b.",
                                     "..kkkk.."
                                     ".khhhhk."
                                     ".kyssyk."
                                     ".kssssk."
                                     "kaaaaaak"
                                     "ksaeeask"
                                     ".kabbak."
                                     ".kk..kk."};
/* Those that strike have horns, those that shoot a hood. */
static const figure beast_figure = {"a.a"
                                    "aaa"
                                    ".a.",
                                    "a...a"
                                    "aaaaa"
                                    "ayaya"
                                    ".aaa."
                                    ".b.b.",
                                    "kk....kk"
                                    "kck..kck"
                                    ".kaaaak."
                                    "kayaayak"
                                    "kaaaaaak"
                                    ".kawwak."
                                    ".kabbak."
                                    ".kk..kk."};
static const figure archer_figure = {".e."
                                     "eee"
                                     "aea",
                                     "..e.."
                                     ".eee."
                                     ".yky."
                                     "aeeea"
                                     ".b.b.",
                                     "...kk..."
                                     "..keek.."
                                     ".keeeek."
                                     "keykkyek"
                                     "keekkeek"
                                     ".kaeeak."
                                     "kaaeeaak"
                                     ".kk..kk."};

static inline uint32_t paint_of(char letter, const paints* with) {
    switch (letter) {
    case 'a':
        return with->main;
    case 'b':
        return shaded(with->main, -11);
    case 'c':
        return shaded(with->main, 10);
    case 'e':
        return with->element;
    case 't':
        return with->tier;
    case 'h':
        return with->hair;
    case 'g':
        return with->grey;
    case 'y':
        return with->eyes;
    case 's':
        return 0xf0c8a0;
    case 'm':
        return 0xcfd6df;
    case 'n':
        return 0x7a4a23;
    case 'w':
        return 0xffffff;
    default:
        return 0x10141b;
    }
}

/* How many pixels a figure has to a side on tiles of a size, and how large each of them is. */
static inline int figure_side(int size) {
    return size >= LARGE_FIGURE    ? LARGE_FIGURE
           : size >= MIDDLE_FIGURE ? MIDDLE_FIGURE
                                   : SMALL_FIGURE;
}

/* Draws a figure in the middle of a tile whose upper left corner is a pixel of the picture. */
static inline void draw_figure(const land_view* view, const figure* what, const paints* with, int x,
                               int y) {
    const int side = figure_side(view->size), dot = view->size / side;
    const char* letters = side == LARGE_FIGURE    ? what->large
                          : side == MIDDLE_FIGURE ? what->middle
                                                  : what->small;
    const int margin = (view->size - side * dot) / 2;
    for (int i = 0; i < side * side; i++) {
        if (letters[i] == '.') continue;
        put_pixels(view->canvas, x + margin + i % side * dot, y + margin + i / side * dot, dot,
                   paint_of(letters[i], with));
    }
}

static inline void draw_item(const land_view* view, int item, int tier, int x, int y) {
    const int is_gem = item >= EARTH_GEM && item <= WATER_GEM;
    const paints with = {
        .main = 0xf26dab,
        .tier = tier_colours[tier],
        .element = is_gem ? element_colours[item - EARTH_GEM + EARTH] : 0,
        .grey = item == ORE || item == HILT ? 0x59616c
                : item == WOOD              ? 0x255a2c
                                            : 0x4fa04a,
    };
    draw_figure(view, &item_figures[is_gem ? EARTH_GEM : item], &with, x, y);
}

#endif
