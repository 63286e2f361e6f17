/* coin: an environment for tests, of which all is known whoever plays it.
 *
 * At the start of every episode a coin is thrown, for all agents of a world alike: it is won with
 * the chance `share`, takes `long_steps` and has score 1, or it is lost, takes `short_steps` and
 * has score 0. Each step pays 0.5. With long_steps 0, what is won never ends. */
#include "puff_env.h"
#include "random.h"

#ifndef AGENTS
#define AGENTS 1
#endif

enum { SHARE, LONG, SHORT };

typedef struct {
    puff_random random;
    double share;
    uint32_t lengths[2]; /* of what is lost and what is won */
    uint32_t tick;
    uint32_t won;
} coin;

static size_t coin_state_size(const double* params) {
    (void)params;
    return sizeof(coin);
}

static void coin_init(void* state, const double* params, uint64_t seed) {
    coin* game = state;
    game->random = (puff_random){seed};
    game->share = params[SHARE];
    game->lengths[0] = (uint32_t)params[SHORT];
    game->lengths[1] = (uint32_t)params[LONG];
}

static void coin_reset(void* state, const puff_io* io) {
    coin* game = state;
    game->tick = 0;
    game->won = puff_random_unit(&game->random) < game->share;
    for (int a = 0; a < AGENTS; a++) ((uint8_t*)io->observations)[a] = 0;
}

static void coin_step(void* state, const puff_io* io) {
    coin* game = state;
    const int ends = ++game->tick == game->lengths[game->won];
    for (int a = 0; a < AGENTS; a++) {
        io->rewards[a] = 0.5f;
        io->terminals[a] = (uint8_t)ends;
        io->scores[a] = (float)game->won;
    }
    if (ends) coin_reset(state, io);
}

static void coin_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state, (void)agent, (void)phase, (void)canvas;
}

static const puff_field coin_fields[] = {{.name = "nothing", .count = 1, .dtype = PUFF_UINT8}};
static const puff_choice coin_choices[] = {{"heads", "h"}, {"tails", "t"}};
static const puff_action coin_actions[] = {
    {.name = "say", .choice_count = PUFF_COUNT(coin_choices), .choices = coin_choices},
};
static const puff_parameter coin_parameters[] = {
    {"share", PUFF_REAL, 0.5, 0, 1, "chance to win"},
    {"long_steps", PUFF_INTEGER, 200, 0, 100000, "steps of what is won"},
    {"short_steps", PUFF_INTEGER, 20, 1, 100000, "steps of what is lost"},
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "coin",
    .summary = "a coin of long and short games, for tests",
    .observation_bytes = 1,
    .field_count = PUFF_COUNT(coin_fields),
    .fields = coin_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(coin_actions),
    .actions = coin_actions,
    .agents = AGENTS,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_low = 0,
    .score_high = 1,
    .picture_width = 1,
    .picture_height = 1,
    .parameter_count = PUFF_COUNT(coin_parameters),
    .parameters = coin_parameters,
    .state_size = coin_state_size,
    .init = coin_init,
    .reset = coin_reset,
    .step = coin_step,
    .draw = coin_draw,
};

#include "vec.h"
