/* Tests of nmmo's rules: build with the folder `envs` on the include path and run. */
#include "nmmo.c"

#include <assert.h>

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

static void test_moves(void) {
    static const int want[DIRECTIONS][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        for (int far = 1; far <= 2; far++) {
            world* w = bare();
            act_once(w, far == 1 ? direction : FIRST_RUN + direction);
            const body* self = bodies_of(w);
            assert(self->row == 20 + far * want[direction][0]);
            assert(self->column == 20 + far * want[direction][1]);
            assert(self->facing == direction && self->deed == (far == 1 ? WALKING : RUNNING));
            free(w);
        }
    }
    world* w = bare(); /* two tiles need both free */
    tile_at(w, cell_at(w, 22, 20))[TERRAIN] = STONE * SEASONS;
    act_once(w, FIRST_RUN + DOWN);
    assert(bodies_of(w)->row == 20 && bodies_of(w)->facing == DOWN);
    act_once(w, DOWN);
    assert(bodies_of(w)->row == 21);
    act_once(w, DOWN);
    assert(bodies_of(w)->row == 21);
    free(w);
}

static void test_tools_and_gathering(void) {
    world* w = bare();
    player* who = players_of(w);
    lay(w, 20, 21, HERB, 1);
    act_once(w, RIGHT); /* no tool: it stays */
    assert(!who->seen.types[0] && tile_at(w, cell_at(w, 20, 21))[ITEM] == HERB);
    lay(w, 20, 22, TOOL, 2);
    act_once(w, RIGHT);
    assert(who->seen.types[0] == TOOL && who->seen.tiers[0] == 2 && rewards[0] == 0);
    act_once(w, FIRST_KEY);
    assert(who->seen.used[0] && who->seen.held == TOOL - SWORD + 1 && who->seen.worn[IN_HAND] == 2);
    assert(rewards[0] == 0.4f);
    lay(w, 20, 23, ORE, 3); /* too good for the tool */
    act_once(w, RIGHT);
    assert(tile_at(w, cell_at(w, 20, 23))[ITEM] == ORE && rewards[0] == 0);
    lay(w, 20, 24, ORE, 2);
    act_once(w, RIGHT);
    assert(who->seen.types[1] >= HELM && who->seen.types[1] <= LEGS && who->seen.tiers[1] == 2);
    assert(rewards[0] == 1 && who->seen.profession == 2);
    assert(deeds_of(w)->gathered[ARMOUR] == 1 && deeds_of(w)->gathered[TOOLS] == 1);
    assert(deeds_of(w)->by_tier[1] == 2);
    assert(w->returns.count == 1);
    for (int i = 0; i < REGROWS_AFTER - 1; i++) step(w);
    assert(!tile_at(w, cell_at(w, 20, 24))[ITEM]);
    step(w);
    assert(tile_at(w, cell_at(w, 20, 24))[ITEM] == ORE && w->returns.count == 0);
    who->seen.profession = 16; /* tier 2 teaches up to 16 */
    lay(w, bodies_of(w)->row, bodies_of(w)->column + 1, WATER_GEM, 2);
    act_once(w, RIGHT);
    assert(who->seen.types[2] == WATER_GEM && who->seen.profession == 16 && rewards[0] == 0);
    free(w);
}

static void test_wearing(void) {
    world* w = bare();
    player* who = players_of(w);
    fill_slot(who, 0, SWORD, 3);
    fill_slot(who, 1, BOW, 1);
    fill_slot(who, 11, FIRE_GEM, 1);
    act_once(w, FIRST_KEY);
    assert(who->attack == 96 && rewards[0] == 0.6f && seen[0].self.attack == 48);
    act_once(w, FIRST_KEY + 1); /* the hand is full */
    assert(who->attack == 96 && !who->seen.used[1]);
    act_once(w, FIRST_KEY);
    assert(who->attack == 0 && rewards[0] == -0.6f);
    act_once(w, FIRST_KEY + 1);
    assert(who->attack == 16);
    act_once(w, FIRST_KEY + 11);
    assert(bodies_of(w)->element == FIRE && seen[0].self.element == FIRE && rewards[0] == 0);
    bodies_of(w)->in_combat = IN_COMBAT;
    act_once(w, FIRST_KEY + 11);
    assert(bodies_of(w)->element == FIRE);
    fill_slot(who, 5, HERB, 2); /* herbs help in a fight */
    bodies_of(w)->hp = 10;
    act_once(w, FIRST_KEY + 5);
    assert(bodies_of(w)->hp == 10 + 1 + 70 && !who->seen.types[5]);
    free(w);
}

static void test_blows(void) {
    world* w = bare();
    body* enemy = enemy_at(w, 2, 21, 20, 1);
    act_once(w, ATTACK); /* 42 - 5; it hits back with 20 - 2 */
    assert(enemy->hp == MOST_HP - 37 + 0 || enemy->hp == MOST_HP - 37 + 1);
    assert(bodies_of(w)->hp == MOST_HP - 18 && bodies_of(w)->facing == DOWN);
    assert(seen[0].self.in_combat == IN_COMBAT);
    act_once(w, ATTACK);
    act_once(w, ATTACK);
    assert(enemy->away && players_of(w)->seen.gold == 1 && deeds_of(w)->kills == 1);
    assert(bodies_of(w)->level == 2 && rewards[0] == 1);
    assert(tile_at(w, cell_at(w, 21, 20))[ITEM] == TOOL && w->drops.count == 1);
    step(w);
    assert(enemy->away);
    step(w);
    assert(!enemy->away && enemy->hp == MOST_HP);
    enemy->away = 200;
    lift(w, 2);
    for (int i = 2; i < DROP_LIES - 1; i++) step(w);
    assert(tile_at(w, cell_at(w, 21, 20))[ITEM] == TOOL);
    step(w);
    assert(!tile_at(w, cell_at(w, 21, 20))[ITEM] && w->drops.count == 0);
    free(w);
}

static void test_reach(void) {
    world* w = bare();
    player* who = players_of(w);
    enemy_at(w, 2, 24, 20, 40);
    assert(target_at(w, 0, DOWN) < 0);
    who->seen.held = BOW - SWORD + 1;
    assert(target_at(w, 0, DOWN) == 2 && target_at(w, 0, UP) < 0);
    tile_at(w, cell_at(w, 22, 20))[TERRAIN] = WATER * SEASONS;
    assert(target_at(w, 0, DOWN) == 2);
    tile_at(w, cell_at(w, 22, 20))[TERRAIN] = STONE * SEASONS;
    assert(target_at(w, 0, DOWN) < 0);
    enemy_at(w, 3, 21, 21, 1);
    assert(target_at(w, 0, RIGHT) < 0);
    who->seen.held = 0;
    assert(target_at(w, 0, RIGHT) < 0 && target_at(w, 0, DOWN) < 0);
    who->seen.held = 1; /* a sword reaches the three in front */
    assert(target_at(w, 0, RIGHT) == 3 && target_at(w, 0, DOWN) == 3 && target_at(w, 0, UP) < 0);
    free(w);
}

static void test_elements(void) {
    assert(effects[FIRE][AIR] == 2 && effects[FIRE][ICE] == 0 && effects[ICE][FIRE] == 2);
    assert(effects[ICE][EARTH] == 0 && effects[EARTH][ICE] == 2 && effects[EARTH][AIR] == 0);
    assert(effects[AIR][EARTH] == 2 && effects[AIR][FIRE] == 0);
    for (int e = 0; e < ELEMENTS; e++) assert(effects[NEUTRAL][e] == 1 && effects[e][NEUTRAL] == 1);
}

static void test_death(void) {
    world* w = bare();
    player* who = players_of(w);
    enemy_at(w, 2, 21, 20, 30)->element = NEUTRAL;
    fill_slot(who, 0, SWORD, 1);
    fill_slot(who, 1, HELM, 1);
    sell(w, 0, 1, 0, &io);
    who->seen.profession = 4;
    bodies_of(w)->level = 3;
    w->level_sum = 4;
    who->seen.gold = 50;
    assert(w->prices[ware_of(HELM, 1)] == 1);
    step(w); /* 165 - 6 */
    assert(terminals[0] && rewards[0] == -1 && scores[0] == 3 && !terminals[1]);
    assert(statistics[0][STAT_PROFESSION] == 4 && !statistics[0][STAT_STALE]);
    assert(statistics[0][STAT_OF_THE_LIVING] == 2);
    assert(w->prices[ware_of(HELM, 1)] == 0 && !who->offers && w->level_sum == 2);
    assert(seen[0].self.gold == 0 && seen[0].self.combat == 1 && !seen[0].self.types[0]);
    assert(seen[0].self.hp == MOST_HP && !bodies_of(w)->away);
    free(w);
}

static void test_stale(void) {
    world* w = bare();
    for (int i = 0; i < STALE_AFTER - 1; i++) {
        for (int32_t id = w->players; id < w->entities; id++) bodies_of(w)[id].away = 200;
        step(w);
        assert(!terminals[0]);
    }
    step(w);
    assert(terminals[0] && terminals[1] && rewards[0] == 0 && statistics[0][STAT_STALE] == 1);
    free(w);
}

/* Who is played by a person is not moved, and has all the time in the world. */
static void test_persons(void) {
    static const uint8_t persons[MANY] = {1, 0};
    puff_io with = io;
    with.persons = persons;
    world* w = bare();
    for (int i = 0; i < 20 * TELEPORT_ONE_IN; i++) {
        for (int id = 0; id < 2; id++) {
            if (players_of(w)[id].seen.profession < 30) players_of(w)[id].seen.profession = 30;
        }
        memset(rewards, 0, sizeof rewards);
        nmmo_step(w, &with);
        for (int id = 2; id < w->entities; id++) bodies_of(w)[id].away = 200;
        assert(bodies_of(w)->row == 20 && bodies_of(w)->column == 20);
        assert(!players_of(w)->ended && players_of(w)->stale == 0);
        if (i == STALE_AFTER - 1) assert(players_of(w)[1].ended == GONE_STALE);
    }
    step(w); /* given back, it counts on from where it was */
    assert(players_of(w)->stale == 1);
    free(w);
}

static const char* last_story(const puff_stories* told) {
    assert(told->told);
    return told->stories[(told->told - 1) % PUFF_STORIES].text;
}

static void test_stories(void) {
    static puff_stories told;
    puff_io with = io;
    with.stories = &told;
    world* w = bare();
    player* who = players_of(w);
    fill_slot(who, 0, SWORD, 4);
    actions[0] = FIRST_KEY;
    nmmo_step(w, &with);
    assert(!strcmp(last_story(&told), "equips a tier-4 sword"));
    assert(told.stories[0].agent == 0 && told.stories[0].weight == PUFF_NEWS);
    lay(w, 20, 21, ORE, 2);
    actions[0] = RIGHT;
    nmmo_step(w, &with);
    assert(!strcmp(last_story(&told), "needs a tool of tier 2 in the hand for that"));
    const uint64_t before = told.told;
    lay(w, 20, 31, ORE, 1); /* of no matter to who watches another */
    actions[1] = RIGHT;
    nmmo_step(w, &with);
    assert(told.told == before);
    offer* offered = w->offers[ware_of(BOW, 2)];
    offered[0] = (offer){.seller = 1, .price = 6};
    w->offer_counts[ware_of(BOW, 2)] = 1;
    w->prices[ware_of(BOW, 2)] = 6;
    players_of(w)[1].offers = 1;
    who->seen.gold = 7;
    buy(w, 0, BOW, 2, &with);
    assert(!strcmp(last_story(&told), "buys a tier-2 bow from agent 2 for 6 gold"));
    assert(deeds_of(w)[1].gold_for_sales == 6 && deeds_of(w)->gold_spent == 6);
    actions[0] = actions[1] = STAY;
    enemy_at(w, 2, 21, bodies_of(w)->column, 40);
    bodies_of(w)->hp = 1;
    nmmo_step(w, &with);
    assert(!strcmp(last_story(&told), "was slain at level 1 by a level-40 enemy"));
    assert(statistics[0][STAT_STRUCK] == 1 && statistics[0][STAT_BOUGHT] == 1);
    free(w);
}

/* The row of a sheet with such a label; fails if there is none. */
static const puff_row* row_of(const puff_sheet* sheet, const char* label) {
    for (uint32_t i = 0; i < sheet->count; i++) {
        if (!strcmp(sheet->rows[i].label, label)) return &sheet->rows[i];
    }
    assert(!label);
    return NULL;
}

/* What keys do now stands on the sheet, in every menu. */
static void test_sheet(void) {
    world* w = bare();
    player* who = players_of(w);
    puff_sheet sheet = {0};
    fill_slot(who, 2, HELM, 3);
    who->seen.gold = 8;
    w->offers[ware_of(SWORD, 2)][0] = (offer){.seller = 1, .price = 6};
    w->offer_counts[ware_of(SWORD, 2)] = 1;
    w->prices[ware_of(SWORD, 2)] = 6;
    players_of(w)[1].offers = 1;
    nmmo_describe(w, 0, &sheet);
    assert(row_of(&sheet, "helm 3")->choice == FIRST_KEY + 2);
    assert(!strcmp(row_of(&sheet, "helm 3")->value, "defence 32"));
    assert(row_of(&sheet, "buy")->choice == BUY && row_of(&sheet, "sell")->choice == SELL);
    assert(!strcmp(row_of(&sheet, "sword 2")->value, "6 gold"));
    static const struct {
        int action;
        const char *title, *row, *value;
        uint32_t kind;
    } path[] = {
        {BUY, "buy: which tier?", "tier 2", "1, from 6 gold", PUFF_FACT},
        {FIRST_KEY + 1, "buy of tier 2: what?", "sword", "6 gold, 1 there", PUFF_FACT},
        {SELL, "sell: which thing?", "helm 3", "", PUFF_FACT},
        {FIRST_KEY + 2, "sell helm 3 for what?", "9 gold", "", PUFF_FACT},
    };
    for (size_t i = 0; i < PUFF_COUNT(path); i++) {
        act_once(w, path[i].action);
        sheet = (puff_sheet){0};
        nmmo_describe(w, 0, &sheet);
        assert(row_of(&sheet, path[i].title)->kind == PUFF_TITLE);
        assert(!strcmp(row_of(&sheet, path[i].row)->value, path[i].value));
        assert(row_of(&sheet, path[i].row)->kind == path[i].kind);
        assert(row_of(&sheet, path[i].row)->choice >= FIRST_KEY);
    }
    for (int ware = 0; ware < WARES; ware++) { /* all there is at once does not overflow */
        w->offer_counts[ware] = 1;
        w->prices[ware] = 255;
    }
    act_once(w, ATTACK);
    sheet = (puff_sheet){0};
    nmmo_describe(w, 0, &sheet);
    assert(sheet.count <= PUFF_SHEET_ROWS && row_of(&sheet, "herb 5")->kind == PUFF_FAINT);
    free(w);
}

/* Of both views, in sizes without sense, from the edges of the world. */
static void test_pictures(void) {
    static uint8_t pixels[3 * 200 * 150];
    world* w = new_world(192, 128, 7, 0);
    puff_random dice = {1};
    for (int tick = 0; tick < 60; tick++) {
        step_at_random(w, &dice);
        puff_canvas canvas = {.pixels = pixels, .view = (uint32_t)tick % VIEWS};
        canvas.width = puff_random_below(&dice, 200);
        canvas.height = puff_random_below(&dice, 150);
        const uint32_t agent = puff_random_below(&dice, 128);
        if (tick % 5 == 0) {
            bodies_of(w)[agent].last_row = bodies_of(w)[agent].row = SIGHT_ROWS;
            bodies_of(w)[agent].last_column = (int16_t)(191 - SIGHT_COLUMNS);
        }
        nmmo_draw(w, agent, puff_random_unit(&dice), &canvas);
        const uint32_t found = nmmo_locate(w, agent, 0.5f, &canvas, 30, 30);
        assert(found < 128 || found == PUFF_NOBODY);
    }
    /* Who is in the middle of the picture is found there, and where the map shows it. */
    puff_canvas canvas = {.width = 160, .height = 100};
    assert(nmmo_locate(w, 3, 0.99f, &canvas, 80, 50) == 3);
    canvas.view = WORLD_VIEW;
    const map_place place = world_place(&canvas);
    int x, y;
    const body* self = &bodies_of(w)[3];
    pixel_on_map(w, &place, (float)self->column + 0.5f, (float)self->row + 0.5f, &x, &y);
    assert(nmmo_locate(w, 3, 0.99f, &canvas, (float)x, (float)y) == 3);
    free(w);
}

static void test_market(void) {
    world* w = bare();
    player* a = players_of(w);
    player* b = players_of(w) + 1;
    for (int slot = 0; slot < 3; slot++) fill_slot(a, slot, SWORD, 2);
    static const int keys[3] = {4, 2, 4};
    for (int slot = 0; slot < 3; slot++) {
        act_once(w, SELL);
        assert(seen[0].self.menu == SELL_SLOT);
        act_once(w, FIRST_KEY + slot);
        assert(seen[0].self.menu == SELL_PRICE && seen[0].self.menu_slot == slot + 1);
        act_once(w, FIRST_KEY + keys[slot]);
        assert(seen[0].self.menu == NO_MENU && !a->seen.types[slot]);
    }
    assert(seen[1].prices[ware_of(SWORD, 2)] == 6 && a->offers == 3);
    b->seen.gold = 15;
    static const int32_t buying[] = {BUY, FIRST_KEY + 1, FIRST_KEY + SWORD - 1};
    for (int i = 0; i < 6; i++) {
        actions[1] = buying[i % 3];
        step(w);
    }
    actions[1] = STAY;
    assert(b->seen.gold == 9 && a->seen.gold == 6 && deeds_of(w)->sold == 1 &&
           b->seen.types[0] == SWORD);
    assert(seen[0].prices[ware_of(SWORD, 2)] == 10 && !b->seen.types[1]); /* too dear */
    act_once(w, BUY);
    act_once(w, DOWN); /* leaves the menu, and walks */
    assert(seen[0].self.menu == NO_MENU && bodies_of(w)->row == 21);
    bodies_of(w)->in_combat = 3;
    act_once(w, BUY);
    assert(seen[0].self.menu == NO_MENU);
    free(w);
}

/* What everybody sees, built anew from the world as it is. */
static void compare_with_rebuild(const world* w) {
    static int16_t stands[200 * 200];
    const body* bodies = bodies_of(w);
    assert(cells_of(w) <= 200 * 200);
    memset(stands, -1, sizeof stands);
    for (int32_t id = 0; id < w->entities; id++) {
        if (bodies[id].away) continue;
        const int32_t cell = cell_of(w, &bodies[id]);
        assert(stands[cell] < 0 && is_passable(w, bodies[id].row, bodies[id].column));
        assert(is_set(w, w->occupied_at, bodies[id].row, bodies[id].column));
        assert(is_set(w, w->by_players_at, bodies[id].row, bodies[id].column) == is_player(w, id));
        assert(ids_of(w)[cell] == id);
        stands[cell] = (int16_t)id;
    }
    for (int32_t id = 0; id < w->players; id++) {
        const body* self = &bodies[id];
        for (int i = 0; i < VIEW; i++) {
            const int32_t row = self->row - SIGHT_ROWS + i / VIEW_COLUMNS;
            const int32_t column = self->column - SIGHT_COLUMNS + i % VIEW_COLUMNS;
            const int32_t there = stands[cell_at(w, row, column)];
            const uint8_t* tile = tile_at(w, cell_at(w, row, column));
            uint8_t want[RECORD] = {tile[TERRAIN], tile[ITEM], tile[TIER]};
            if (there >= 0) {
                const body* who = &bodies[there];
                const int above = (who->level - self->level) / 2;
                want[WHO_IS] = (uint8_t)((there < w->players ? PLAYER : ENEMY) + who->element);
                want[LEVEL] = (uint8_t)(above < 0 ? 0 : above > 4 ? 4 : above);
                want[HEALTH] = who->hp / 20;
                want[DEED] = who->deed;
                want[FACING] = who->facing;
            }
            for (int fact = 0; fact < RECORD; fact++) assert(seen[id].tiles[fact][i] == want[fact]);
        }
    }
}

static void test_observation(void) {
    puff_random dice = {5};
    for (uint64_t seed = 0; seed < 4; seed++) {
        static const int32_t sides[] = {LEAST_SIDE, 40, 100, 192};
        world* w = new_world(sides[seed], 32, seed, 0);
        for (int tick = 0; tick < 60; tick++) {
            step_at_random(w, &dice);
            compare_with_rebuild(w);
        }
        free(w);
    }
}

/* Worlds without room for all, or for anybody, go on. */
static void test_crowds_and_water(void) {
    puff_random dice = {6};
    for (int flood = 0; flood < 2; flood++) {
        world* w = new_world(LEAST_SIDE, 40, 3, flood);
        int ended = 0, absent = 0;
        for (int tick = 0; tick < 600; tick++) {
            step_at_random(w, &dice);
            if (tick % 16 == 0) compare_with_rebuild(w);
            for (int32_t id = 0; id < w->players; id++) {
                ended += terminals[id];
                absent += bodies_of(w)[id].away != 0;
            }
        }
        assert(ended > 0 && absent > 0 && (!flood || absent == 600 * 40));
        free(w);
    }
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

int main(void) {
    test_moves();
    test_tools_and_gathering();
    test_wearing();
    test_blows();
    test_reach();
    test_elements();
    test_death();
    test_stale();
    test_persons();
    test_stories();
    test_sheet();
    test_pictures();
    test_market();
    test_observation();
    test_crowds_and_water();
    test_beginning();
    test_levels_of_enemies();
    return 0;
}
