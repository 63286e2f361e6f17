/* Worlds for the tests of nmmo, and how they begin. */
#ifndef NMMO_TEST_WORLD_H
#define NMMO_TEST_WORLD_H

#include <assert.h>

#include "nmmo.c"

enum { MANY = 1024 };

static observation_seen seen[MANY];
static float rewards[MANY], scores[MANY], statistics[MANY][STATISTICS];
static uint8_t terminals[MANY], truncations[MANY], alive[MANY];
static int32_t actions[MANY];

static const puff_io io = {
    .actions = actions,
    .observations = seen,
    .rewards = rewards,
    .terminals = terminals,
    .truncations = truncations,
    .alive = alive,
    .scores = scores,
    .statistics = statistics[0],
    .observation_bytes = sizeof seen[0],
};

/* A world of any size, with a land of its own or all water. */
static world* new_world(int32_t side, int32_t players, uint64_t seed, int flood) {
    world sized = {0};
    const size_t size = lay_out(&sized, side, players);
    world* w = aligned_alloc(64, size);
    assert(w && players <= MANY);
    memset(w, 0, size);
    lay_out(w, side, players);
    w->random = puff_random_stream(seed, 0);
    w->item_reward = 1;
    make_land(w, flood);
    populate(w);
    show_and_observe(w, &io);
    return w;
}

static void step(world* w) {
    memset(rewards, 0, sizeof rewards);
    memset(terminals, 0, sizeof terminals);
    memset(truncations, 0, sizeof truncations);
    memset(alive, 1, sizeof alive);
    nmmo_step(w, &io);
}

static void step_at_random(world* w, puff_random* dice) {
    for (int32_t id = 0; id < w->players; id++) {
        actions[id] = (int32_t)puff_random_below(dice, ACTIONS);
    }
    step(w);
}

/* Grass everywhere inside, nothing on it, enemies gone for long, and one player that stays. */
static world* bare(void) {
    world* w = new_world(40, 2, 1, 0);
    memset(part(w, w->occupied_at), 0, (size_t)w->bit_stride * 40);
    memset(part(w, w->by_players_at), 0, (size_t)w->bit_stride * 40);
    memset(part(w, w->spots_at), 0, (size_t)w->bit_stride * 40);
    memset(tile_at(w, 0), 0, RECORD * (size_t)cells_of(w));
    for (int32_t id = 0; id < w->entities; id++) {
        bodies_of(w)[id].away = 200;
        bodies_of(w)[id].element = NEUTRAL;
        bodies_of(w)[id].level = 1;
        bodies_of(w)[id].ranged = 0;
    }
    for (int32_t id = 0; id < 2; id++) {
        bodies_of(w)[id].away = 0;
        put(w, id, 20, 20 + 10 * id);
        actions[id] = STAY;
    }
    w->random.state = 3;
    return w;
}

/* Puts an enemy somewhere, without a turn of its own before the players'. */
static body* enemy_at(world* w, int32_t id, int32_t row, int32_t column, int level) {
    body* enemy = &bodies_of(w)[id];
    enemy->away = 0;
    enemy->level = (uint8_t)level;
    enemy->hp = MOST_HP;
    enemy->element = NEUTRAL;
    enemy->ranged = 0;
    put(w, id, row, column);
    return enemy;
}

static void act_once(world* w, int32_t action) {
    actions[0] = action;
    step(w);
    actions[0] = STAY;
}

static void lay(world* w, int32_t row, int32_t column, int item, int tier) {
    tile_at(w, cell_at(w, row, column))[ITEM] = (uint8_t)item;
    tile_at(w, cell_at(w, row, column))[TIER] = (uint8_t)tier;
}

/* A world as it begins: its parts, and what lies where. */
static void test_beginning(void) {
    world* w = new_world(192, 128, 9, 0);
    int count[ITEMS] = {0}, tiers[TIER_CLASSES] = {0}, kinds[KINDS] = {0}, seasons[SEASONS] = {0};
    for (int32_t row = 0; row < 192; row++) {
        for (int32_t column = 0; column < 192; column++) {
            const uint8_t* tile = tile_at(w, cell_at(w, row, column));
            count[tile[ITEM]]++;
            if (tile[ITEM]) tiers[tile[TIER]]++;
            kinds[tile[TERRAIN] / SEASONS]++;
            seasons[tile[TERRAIN] % SEASONS]++;
            assert(!tile[ITEM] || tile[TERRAIN] / SEASONS == GRASS);
        }
    }
    assert(count[ORE] + count[HILT] <= 3 * 128 && count[ORE] > 0 && count[HERB] > 0);
    assert(count[TOOL] == 0 && tiers[1] > tiers[2] && tiers[2] > tiers[4] && tiers[0] == 0);
    for (int kind = 0; kind < KINDS; kind++) assert((kinds[kind] > 0) == (kind != DIRT));
    for (int season = 0; season < SEASONS; season++) assert(seasons[season] > 0);
    free(w);
}

static void test_levels_of_enemies(void) {
    int count[MOST_LEVEL + 1] = {0};
    puff_random dice = {8};
    for (int i = 0; i < 100000; i++) {
        const int level = random_level(&dice);
        assert(level >= 1 && level <= MOST_LEVEL);
        count[level]++;
    }
    /* One in eight, and 8.57 % of the others by the half-life of 8. */
    assert(count[1] > 19000 && count[1] < 21500 && count[9] > 3100 && count[9] < 4200);
}

#endif
