/* pairs: the game of memory with ten cards. A card is turned over, then a second; if they are equal
 * they stay open, else both are covered again at the next turn. */
#include "../world.h"

enum { AGENTS = 1, CARDS = 10, LIMIT = 60, FACES = CARDS / 2 };
/* What a card shows: its back, a face from 1 on, or that it was found. */
enum { BACK = 0, FOUND = FACES + 1, NONE = -1 };

typedef struct {
    puff_random random;
    int32_t steps, first, second, found;
    uint8_t faces[CARDS], open[CARDS];
} game;

typedef struct {
    uint8_t cards[CARDS], turned;
} seen;

static void begin(game* g) {
    for (int i = 0; i < CARDS; i++) {
        const int other = drawn_below(&g->random, i + 1);
        g->faces[i] = g->faces[other];
        g->faces[other] = (uint8_t)(1 + i / 2);
        g->open[i] = 0;
    }
    g->first = g->second = NONE;
    g->found = 0;
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    for (int i = 0; i < CARDS; i++) {
        const int shown = i == g->first || i == g->second;
        o->cards[i] = g->open[i] ? FOUND : shown ? g->faces[i] : BACK;
    }
    o->turned = g->first != NONE && g->second == NONE;
}

static ending act(game* g, const puff_io* io) {
    int32_t card = io->actions[0];
    if (g->second != NONE) g->first = g->second = NONE;
    while (g->open[card] || card == g->first) card = (card + 1) % CARDS; /* the next covered one */
    io->rewards[0] = -0.1f;
    if (g->first == NONE) {
        g->first = card;
    } else if (g->faces[card] == g->faces[g->first]) {
        g->open[card] = g->open[g->first] = 1;
        g->first = NONE;
        g->found++;
        io->rewards[0] += 1;
    } else {
        g->second = card;
    }
    if (g->found == FACES) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->found - 0.1f * (float)g->steps;
}

static void paint(const game* g, const puff_view* view) {
    for (int i = 0; i < CARDS; i++) {
        const int shown = i == g->first || i == g->second;
        puff_tile(view, 0.1f * (float)i, 0.4f, 0.1f, 0.2f, g->open[i] ? GROUND : PLAYER);
        if (shown) puff_number(view, 0.1f * (float)i + 0.08f, 0.45f, 0.1f, g->faces[i], 0);
    }
}

static const puff_field fields[] = {
    {.name = "cards", .offset = 0, .count = CARDS, .dtype = PUFF_UINT8, .classes = FOUND + 1},
    {.name = "turned", .offset = CARDS, .count = 1, .dtype = PUFF_UINT8, .classes = 2},
};

static const puff_choice choices[CARDS] = {{"1", "1"}, {"2", "2"}, {"3", "3"}, {"4", "4"},
                                           {"5", "5"}, {"6", "6"}, {"7", "7"}, {"8", "8"},
                                           {"9", "9"}, {"10", "0"}};

static const puff_action parts[] = {{.name = "turn", .choice_count = CARDS, .choices = choices}};

#define DECLARED                                                                                   \
    .name = "pairs", .summary = "find five pairs of cards", .action_kind = PUFF_DISCRETE,          \
    .turn_based = 1, .score_low = -6, .score_high = 5
#include "../wiring.h"
