/* Tests of nmmo: build with the folder `envs` on the include path and run. Here are the rules; what
 * is shown is in test_shown.h, and the worlds that all of them play in are in test_world.h.
 */
#include "test_shown.h"
#include "test_world.h"

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

/* Two players face to face, the second one weak. */
static world* duel(int teams) {
    world* w = bare();
    w->player_fights = 1;
    w->teams = teams;
    lift(w, 1);
    put(w, 1, 20, 21);
    bodies_of(w)[1].hp = 5;
    players_of(w)[1].seen.gold = 7;
    players_of(w)[0].seen.gold = 2;
    return w;
}

/* Players can hit each other where they may, and nobody of their own team. */
static void test_duels(void) {
    world* w = duel(0);
    w->player_fights = 0;
    act_once(w, ATTACK);
    assert(bodies_of(w)[1].hp == 6 && bodies_of(w)->deed == STILL);
    free(w);

    w = duel(0);
    actions[1] = LEFT; /* its turn would come later in the tick */
    act_once(w, ATTACK);
    actions[1] = STAY;
    assert(terminals[1] && !terminals[0] && rewards[0] == 1 && rewards[1] == -1);
    assert(bodies_of(w)->level == 2 && bodies_of(w)->facing == RIGHT && seen[0].self.gold == 9);
    assert(scores[1] == 1 && statistics[1][STAT_STRUCK] == 1 && !statistics[1][STAT_SHOT]);
    assert(players_of(w)[1].seen.gold == 0 && bodies_of(w)[1].hp == MOST_HP &&
           deeds_of(w)->kills == 1);
    assert(players_of(w)[1].fallen_row == 20 && players_of(w)[1].fallen_column == 21);
    assert(!is_set(w, w->occupied_at, 20, 21));
    act_once(w, ATTACK); /* nobody is there any more */
    assert(bodies_of(w)->deed == STILL && !terminals[1]);
    free(w);

    w = duel(2); /* who is of another team has it coming, from afar too */
    fill_slot(players_of(w), 0, BOW, 1);
    wear(w, 0, 0, 1, &io);
    bodies_of(w)[0].level = 3;
    act_once(w, ATTACK);
    assert(terminals[1] && statistics[1][STAT_SHOT] == 1 && rewards[0] == 0); /* it was below */
    free(w);

    w = duel(1);
    act_once(w, ATTACK);
    assert(!terminals[1] && bodies_of(w)[1].hp == 6 && bodies_of(w)->deed == STILL);
    const int middle = VIEW / 2;
    assert(seen[0].tiles[WHO_IS][middle] == MATE && seen[0].tiles[WHO_IS][middle + 1] == MATE);
    free(w);
}

/* Two who kill each other in one tick: the first one was quicker. Then all of a crowd at once. */
static void test_brawls(void) {
    world* w = duel(0);
    bodies_of(w)[0].hp = 5;
    actions[1] = ATTACK;
    act_once(w, ATTACK);
    actions[1] = STAY;
    assert(terminals[1] && !terminals[0]);
    free(w);
    puff_random dice = {11};
    for (int teams = 0; teams <= MOST_TEAMS; teams += 4) {
        w = new_world(LEAST_SIDE + 4, 60, 5, 0);
        w->player_fights = 1;
        w->teams = teams;
        int slain = 0;
        for (int tick = 0; tick < 1500; tick++) {
            for (int32_t id = 0; id < w->players; id++) {
                const int32_t any = (int32_t)puff_random_below(&dice, ACTIONS);
                actions[id] = puff_random_below(&dice, 2) ? ATTACK : any;
            }
            step(w);
            compare_with_rebuild(w);
            int levels = 0;
            for (int32_t id = 0; id < w->players; id++) {
                levels += lesser_level(w, id);
                slain += players_of(w)[id].ended == SLAIN;
                assert(bodies_of(w)[id].hp > 0);
            }
            assert(levels == w->level_sum);
        }
        assert(slain > 20);
        free(w);
    }
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
    for (int i = 0; i < 4; i++) {
        actions[1] = i % 2 ? FIRST_KEY : BUY;
        step(w);
        assert(i > 0 || (seen[1].self.menu == BUY_WARE && seen[1].self.shop_types[0] == SWORD &&
                         seen[1].self.shop_tiers[0] == 2 && !seen[1].self.shop_types[1]));
    }
    actions[1] = STAY;
    assert(b->seen.gold == 9 && a->seen.gold == 6 && deeds_of(w)->sold == 1 &&
           b->seen.types[0] == SWORD);
    assert(seen[0].prices[ware_of(SWORD, 2)] == 10 && !b->seen.types[1]); /* too dear */
    assert(!seen[1].self.shop_types[0]);
    act_once(w, BUY);
    act_once(w, DOWN); /* leaves the menu, and walks */
    assert(seen[0].self.menu == NO_MENU && bodies_of(w)->row == 21);
    bodies_of(w)->in_combat = 3;
    act_once(w, BUY);
    assert(seen[0].self.menu == NO_MENU);
    free(w);
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

int main(void) {
    test_moves();
    test_tools_and_gathering();
    test_wearing();
    test_blows();
    test_reach();
    test_elements();
    test_duels();
    test_brawls();
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
