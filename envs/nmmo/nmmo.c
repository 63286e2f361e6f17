/* nmmo: hundreds of players in one lasting world: they fight, gather, equip themselves and trade.
 * Rules: README.md beside this file. The tables are in nmmo_tables.h, the memory of a world in
 * nmmo_world.h, and each concern has a header of its own.
 */
#include "nmmo_actions.h"
#include "nmmo_observe.h"
#include "nmmo_picture.h"
#include "nmmo_sheet.h"
#include "nmmo_terrain.h"
#include "puff_env.h"
#include "random.h"

enum { PRESET, ITEM_REWARD, TRADE_REWARD, PLAYER_FIGHTS, TEAMS, PARAMETERS };

/* Sizes of worlds: cells to a side, and players. */
enum { SMALL, FULL, PRESETS };
static const struct {
    int32_t side, players;
} presets[PRESETS] = {[SMALL] = {192, 128}, [FULL] = {512, 1024}};

static int preset_of(const double* params) {
    return params[PRESET] >= FULL ? FULL : SMALL;
}

static uint32_t nmmo_agents_in(const double* params) {
    return (uint32_t)presets[preset_of(params)].players;
}

static size_t nmmo_state_size(const double* params) {
    const int preset = preset_of(params);
    world sized = {0};
    return lay_out(&sized, presets[preset].side, presets[preset].players);
}

static void nmmo_init(void* state, const double* params, uint64_t seed) {
    const int preset = preset_of(params);
    world* w = state;
    lay_out(w, presets[preset].side, presets[preset].players);
    w->random = puff_random_stream(seed, 0);
    w->item_reward = (float)params[ITEM_REWARD];
    w->trade_reward = (float)params[TRADE_REWARD];
    w->player_fights = params[PLAYER_FIGHTS] > 0;
    w->teams = (int32_t)params[TEAMS];
}

static void show_and_observe(world* w, const puff_io* io) {
    for (int32_t id = 0; id < w->entities; id++) show(w, id);
    observation_seen* seen = io->observations;
    uint8_t wares[WARES];
    const int count = list_wares(w, wares);
    for (int32_t id = 0; id < w->players; id++) {
        if (id + SOON < w->players) expect(w, id + SOON, &seen[id + SOON]);
        fill_shop(w, id, wares, count);
        observe(w, id, &seen[id]);
    }
}

/* Fills a land that was made with everybody who lives there. */
static void populate(world* w) {
    const size_t map = (size_t)w->bit_stride * (size_t)w->side;
    memset(part(w, w->occupied_at), 0, map);
    memset(part(w, w->by_players_at), 0, map);
    memset(bodies_of(w), 0, sizeof(body) * (size_t)w->entities);
    memset(w->prices, 0, sizeof w->prices);
    memset(w->offer_counts, 0, sizeof w->offer_counts);
    memset(w->offers, 0, sizeof w->offers);
    w->tick = 0;
    w->level_sum = 0;
    w->returns.first = w->returns.count = w->drops.first = w->drops.count = 0;
    for (int32_t id = 0; id < w->players; id++) begin_life(w, id);
    for (int32_t id = w->players; id < w->entities; id++) {
        bodies_of(w)[id].level = random_level(&w->random);
        enter_enemy(w, id);
    }
}

static void nmmo_reset(void* state, const puff_io* io) {
    world* w = state;
    make_land(w, 0);
    populate(w);
    show_and_observe(w, io);
}

enum { AHEAD = 6 /* how many turns ahead memory is asked for */ };

/* The tiles around somebody, whom no cache holds, will be looked at in its turn. */
static inline void ask_for(const world* w, int32_t id) {
    if (id >= w->entities) return;
    const uint8_t* tile = tile_at(w, cell_of(w, &bodies_of(w)[id]));
    const size_t row = (size_t)RECORD * (size_t)w->width;
    __builtin_prefetch(tile - row);
    __builtin_prefetch(tile);
    __builtin_prefetch(tile + row);
}

static void nmmo_step(void* state, const puff_io* io) {
    world* w = state;
    w->tick++;
    renew_items(w);
    for (int32_t id = 0; id < w->players; id++) {
        ask_for(w, id + AHEAD);
        turn_player(w, id, io->actions[id], io);
    }
    for (int32_t id = w->players; id < w->entities; id++) {
        ask_for(w, id + AHEAD);
        turn_enemy(w, id);
    }
    for (int32_t id = 0; id < w->players; id++) {
        if (players_of(w)[id].ended) end_life(w, id, io);
    }
    show_and_observe(w, io);
}

#define TILE_FACT(title, fact, count_of)                                                           \
    {.name = (title),                                                                              \
     .offset = (fact) * VIEW,                                                                      \
     .count = VIEW,                                                                                \
     .dtype = PUFF_UINT8,                                                                          \
     .classes = (count_of),                                                                        \
     .columns = VIEW_COLUMNS}
#define OWN_CLASS(title, member, many, count_of)                                                   \
    {.name = (title),                                                                              \
     .offset = RECORD * VIEW + offsetof(self_seen, member),                                        \
     .count = (many),                                                                              \
     .dtype = PUFF_UINT8,                                                                          \
     .classes = (count_of)}
#define OWN_NUMBER(title, member, least, most)                                                     \
    {.name = (title),                                                                              \
     .offset = RECORD * VIEW + offsetof(self_seen, member),                                        \
     .count = 1,                                                                                   \
     .dtype = PUFF_UINT8,                                                                          \
     .low = (least),                                                                               \
     .high = (most)}

static const puff_field nmmo_fields[] = {
    TILE_FACT("terrain", TERRAIN, TERRAINS),
    TILE_FACT("item", ITEM, ITEMS),
    TILE_FACT("tier", TIER, TIER_CLASSES),
    TILE_FACT("who", WHO_IS, WHO),
    TILE_FACT("level", LEVEL, LEVEL_CLASSES),
    TILE_FACT("health", HEALTH, HEALTH_CLASSES),
    TILE_FACT("deed", DEED, DEEDS),
    TILE_FACT("facing", FACING, DIRECTIONS),
    OWN_NUMBER("own combat", combat, 1, MOST_LEVEL),
    OWN_NUMBER("own profession", profession, 1, MOST_LEVEL),
    OWN_NUMBER("own hp", hp, 0, MOST_HP),
    OWN_NUMBER("own gold", gold, 0, MOST_GOLD),
    OWN_NUMBER("in combat", in_combat, 0, IN_COMBAT),
    OWN_NUMBER("stale", stale, 0, STALE_AFTER / 2),
    OWN_NUMBER("gear attack", attack, 0, 384 / 2),
    OWN_NUMBER("gear defence", defence, 0, 384 / 2),
    OWN_CLASS("own element", element, 1, ELEMENTS),
    OWN_CLASS("own facing", facing, 1, DIRECTIONS),
    OWN_CLASS("menu", menu, 1, MENUS),
    OWN_CLASS("menu slot", menu_slot, 1, SLOTS + 1),
    OWN_CLASS("held", held, 1, 4),
    OWN_CLASS("worn", worn, PLACES, TIER_CLASSES),
    OWN_CLASS("slot item", types, SLOTS, GOODS + 1),
    OWN_CLASS("slot tier", tiers, SLOTS, TIER_CLASSES),
    OWN_CLASS("slot worn", used, SLOTS, 2),
    OWN_CLASS("shop item", shop_types, SLOTS, GOODS + 1),
    OWN_CLASS("shop tier", shop_tiers, SLOTS, TIER_CLASSES),
    {.name = "prices",
     .offset = offsetof(observation_seen, prices),
     .count = WARES,
     .dtype = PUFF_UINT8,
     .low = 0,
     .high = SLOTS * TIERS},
};

static const puff_choice nmmo_choices[] = {
    {"down", "down s"},  {"up", "up w"},  {"right", "right d"}, {"left", "left a"}, {"stay", ""},
    {"attack", "space"}, {"key 1", "1"},  {"key 2", "2"},       {"key 3", "3"},     {"key 4", "4"},
    {"key 5", "5"},      {"key 6", "6"},  {"key 7", "7"},       {"key 8", "8"},     {"key 9", "9"},
    {"key 10", "0"},     {"key 11", "-"}, {"key 12", "="},      {"buy", "b"},       {"sell", "v"},
    {"run down", "k"},   {"run up", "i"}, {"run right", "l"},   {"run left", "j"},
};
_Static_assert(PUFF_COUNT(nmmo_choices) == ACTIONS, "each action has a name");

static const puff_action nmmo_actions[] = {
    {.name = "act",
     .choice_count = PUFF_COUNT(nmmo_choices),
     .neutral = STAY,
     .choices = nmmo_choices},
};

static const puff_parameter nmmo_parameters[PARAMETERS] = {
    {"preset", PUFF_INTEGER, SMALL, SMALL, PRESETS - 1,
     "size of the world: 0, 128 players on 192 x 192 cells; 1, 1024 on 512 x 512"},
    {"item_reward", PUFF_REAL, 1, 0, 1,
     "reward for wearing armour, a weapon or a tool of the best tier; less is for less"},
    {"trade_reward", PUFF_REAL, 0, 0, 1, "reward for a trade, for who buys and who sells"},
    {"player_fights", PUFF_INTEGER, 0, 0, 1,
     "1: players can hit each other, but not those of their own team"},
    {"teams", PUFF_INTEGER, 0, 0, MOST_TEAMS,
     "teams of players, who see who belongs to them; 0, none"},
};

static const char* const nmmo_views[VIEWS] = {"land", "world"};

static const char* const nmmo_statistics[STATISTICS] = {
    "combat",         "profession", "level_of_the_living",
    "struck",         "shot",       "stale",
    "kills",          "tools",      "armour",
    "swords",         "bows",       "gems",
    "herbs",          "tier_1",     "tier_2",
    "tier_3",         "tier_4",     "tier_5",
    "best_tier",      "offered",    "sold",
    "gold_for_sales", "bought",     "gold_spent"};

#define OF_TIER "Things of this tier, tools included, that a player found in its life."

static const char* const nmmo_meanings[STATISTICS] = {
    "The combat level at the end of a life, 1 to 40. Killing an enemy whose level is not below "
    "one's own raises it.",
    "The profession level at the end of a life, 1 to 40. Gathering with a tool raises it.",
    "The mean of the lesser level over all who were alive when a life ended: what a short look "
    "shows without a bias, since only those who die young end early.",
    "The share of lives that a blow ended.",
    "The share of lives that an arrow ended: enemies shoot from level 15 on, and players with bows "
    "where players fight.",
    "The share of lives that ended because the lesser level had not risen for 500 ticks.",
    "Enemies killed in a life, and players where players fight.",
    "Tools picked up in a life; dead enemies leave them.",
    "Helms, chests and legs made from ore in a life.",
    "Swords made from hilts in a life.",
    "Bows made from wood in a life.",
    "Gems gathered in a life.",
    "Herbs gathered in a life.",
    OF_TIER,
    OF_TIER,
    OF_TIER,
    OF_TIER,
    OF_TIER,
    "The best tier of anything that a player wore in its life, 0 to 5.",
    "Things offered on the market in a life.",
    "Things that others bought of a player in its life. Where it stays at 0 the market is not "
    "used.",
    "Gold earned on the market in a life. Divided by what was sold, it is the mean price.",
    "Things bought of others in a life.",
    "Gold spent on the market in a life. Divided by what was bought, it is the mean price.",
};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "nmmo",
    .summary = "a lasting world of many players: fight, gather, equip, trade",
    .observation_bytes = sizeof(observation_seen),
    .field_count = PUFF_COUNT(nmmo_fields),
    .fields = nmmo_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = PUFF_COUNT(nmmo_actions),
    .actions = nmmo_actions,
    .agents = 128,
    .frames_per_second = 5.0f / 3, /* a tick takes 0.6 s */
    .frames_per_step = 1,
    .score_low = 1,
    .score_high = MOST_LEVEL,
    .picture_width = PICTURE_WIDTH,
    .picture_height = PICTURE_HEIGHT,
    .parameter_count = PARAMETERS,
    .parameters = nmmo_parameters,
    .statistic_count = STATISTICS,
    .statistics = nmmo_statistics,
    .state_size = nmmo_state_size,
    .init = nmmo_init,
    .reset = nmmo_reset,
    .step = nmmo_step,
    .draw = nmmo_draw,
    .locate = nmmo_locate,
    .agents_in = nmmo_agents_in,
    .statistic_meanings = nmmo_meanings,
    .view_count = PUFF_COUNT(nmmo_views),
    .views = nmmo_views,
    .fills_any_shape = 1,
    .describe = nmmo_describe,
    .tapped_keys = "1 2 3 4 5 6 7 8 9 0 - = b v",
};

#include "vec.h"
