/* echo: name the symbol that was shown five steps ago. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 100, BACK = 5, SYMBOLS = 4 };

typedef struct {
    puff_random random;
    int32_t steps, right;
    uint8_t shown[BACK + 1]; /* the newest first */
} game;

typedef struct {
    uint8_t symbol;
} seen;

static void show(game* g) {
    memmove(g->shown + 1, g->shown, BACK);
    g->shown[0] = (uint8_t)drawn_below(&g->random, SYMBOLS);
}

static void begin(game* g) {
    g->right = 0;
    memset(g->shown, SYMBOLS, sizeof g->shown);
    show(g);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    o->symbol = g->shown[0];
}

static ending act(game* g, const puff_io* io) {
    const int right = io->actions[0] == g->shown[BACK];
    io->rewards[0] = (float)right;
    g->right += right;
    show(g);
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->right / (LIMIT - BACK);
}

static void paint(const game* g, const puff_view* view) {
    paint_cell(view, 2, g->shown[0], GOAL);
}

static const puff_field fields[] = {
    {.name = "symbol", .count = 1, .dtype = PUFF_UINT8, .classes = SYMBOLS}};

static const puff_choice choices[] = {
    {"first", "1"}, {"second", "2"}, {"third", "3"}, {"fourth", "4"}};

static const puff_action parts[] = {{.name = "name", .choice_count = SYMBOLS, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "echo", .summary = "name the symbol shown five steps ago",                             \
    .action_kind = PUFF_DISCRETE, .turn_based = 1, .score_low = 0, .score_high = 1
#include "../wiring.h"
