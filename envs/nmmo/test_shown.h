/* Tests of what nmmo shows: observations, stories, sheets and pictures. */
#ifndef NMMO_TEST_SHOWN_H
#define NMMO_TEST_SHOWN_H

#include "test_world.h"

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
                const int above = who->level - self->level + 3;
                const int kind = there >= w->players       ? ENEMY
                                 : are_mates(w, id, there) ? MATE
                                                           : PLAYER;
                want[WHO_IS] = (uint8_t)(kind + who->element);
                want[LEVEL] = (uint8_t)(above < 0 ? 0 : above > 9 ? 9 : above);
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
        {BUY, "buy: what?", "sword 2", "6 gold, 1 there", PUFF_FACT},
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

#endif
