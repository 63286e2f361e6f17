/* dial: turn a dial of 64 places to the mark in one turn out of 64; ten marks in an episode. Every
 * reward has 5 added and noise on it. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 10, PLACES = 64, NEAR = 3 };

#define OFFSET 5.0f
#define NOISE  0.5f

typedef struct {
    puff_random random;
    int32_t steps, hand, mark;
    float sum;
} game;

typedef struct {
    float hand[2], mark[2];
} seen;

static void begin(game* g) {
    g->hand = drawn_below(&g->random, PLACES);
    g->mark = drawn_below(&g->random, PLACES);
    g->sum = 0;
}

static float angle_of(int32_t place) {
    return 2 * PI / PLACES * (float)place;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->hand[0] = cosf(angle_of(g->hand));
    o->hand[1] = sinf(angle_of(g->hand));
    o->mark[0] = cosf(angle_of(g->mark));
    o->mark[1] = sinf(angle_of(g->mark));
}

static ending act(game* g, const puff_io* io) {
    g->hand = (g->hand + io->actions[0]) % PLACES;
    const int32_t gap = (g->hand - g->mark + PLACES) % PLACES;
    const int32_t away = gap < PLACES - gap ? gap : PLACES - gap;
    const float hit = fmaxf(1 - (float)away / NEAR, 0);
    io->rewards[0] = OFFSET + hit + NOISE * drawn_normal(&g->random);
    g->sum += hit;
    g->mark = drawn_below(&g->random, PLACES);
    return g->steps == LIMIT ? IS_OVER : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return g->sum / LIMIT;
}

static void paint(const game* g, const puff_view* view) {
    const float hand = angle_of(g->hand), mark = angle_of(g->mark);
    puff_line(view, 0.5f, 0.5f, 0.5f + 0.35f * cosf(hand), 0.5f + 0.35f * sinf(hand), 0.04f,
              PLAYER);
    puff_disc(view, 0.5f + 0.42f * cosf(mark), 0.5f + 0.42f * sinf(mark), 0.05f, GOAL);
}

static const puff_field fields[] = {
    {.name = "hand", .offset = 0, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "mark", .offset = 8, .count = 2, .dtype = PUFF_FLOAT32},
};

static const puff_choice choices[PLACES] = {
    {"0", ""},    {"1", "a"},     {"2", "b"},      {"3", "c"},      {"4", "d"},     {"5", "e"},
    {"6", "f"},   {"7", "g"},     {"8", "h"},      {"9", "i"},      {"10", "j"},    {"11", "k"},
    {"12", "l"},  {"13", "m"},    {"14", "n"},     {"15", "o"},     {"16", "p"},    {"17", "q"},
    {"18", "r"},  {"19", "s"},    {"20", "t"},     {"21", "u"},     {"22", "v"},    {"23", "w"},
    {"24", "x"},  {"25", "y"},    {"26", "z"},     {"27", "0"},     {"28", "1"},    {"29", "2"},
    {"30", "3"},  {"31", "4"},    {"32", "5"},     {"33", "6"},     {"34", "7"},    {"35", "8"},
    {"36", "9"},  {"37", "-"},    {"38", "="},     {"39", "["},     {"40", "]"},    {"41", ";"},
    {"42", "'"},  {"43", ","},    {"44", "."},     {"45", "/"},     {"46", "f1"},   {"47", "f2"},
    {"48", "f3"}, {"49", "f4"},   {"50", "f5"},    {"51", "f6"},    {"52", "f7"},   {"53", "f8"},
    {"54", "f9"}, {"55", "f10"},  {"56", "f11"},   {"57", "f12"},   {"58", "left"}, {"59", "right"},
    {"60", "up"}, {"61", "down"}, {"62", "space"}, {"63", "enter"},
};

static const puff_action parts[] = {{.name = "turn", .choice_count = PLACES, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "dial", .summary = "turn a dial to the mark", .action_kind = PUFF_DISCRETE,            \
    .turn_based = 1, .score_low = 0, .score_high = 1
#include "../wiring.h"
