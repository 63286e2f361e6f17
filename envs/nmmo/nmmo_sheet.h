/* What stands beside the picture of nmmo: how a player is, what it carries, and what keys do now.
 */
#ifndef NMMO_SHEET_H
#define NMMO_SHEET_H

#include "nmmo_actions.h"
#include "nmmo_picture.h"

enum { MOST_WARES = 14 /* rows of the market where no menu is open */ };

static void name_ware(char* text, int type, int tier) {
    snprintf(text, PUFF_TEXT, "%s %d", ware_names[type], tier);
}

static void describe_self(const world* w, uint32_t agent, puff_sheet* sheet) {
    static const char* const elements[ELEMENTS] = {"none", "earth", "fire", "air", "water"};
    const body* self = &bodies_of(w)[agent];
    const player* who = &players_of(w)[agent];
    puff_bar(sheet, "health", self->hp, MOST_HP, health_colour(self->hp));
    puff_bar(sheet, "combat", self->level, MOST_LEVEL, 0xd2453b);
    puff_bar(sheet, "profession", who->seen.profession, MOST_LEVEL, 0x56b4e9);
    puff_bar(sheet, "gold", who->seen.gold, MOST_GOLD, 0xe0a820);
    puff_fact(sheet, "attack, defence", "%d, %d", 40 + 2 * self->level + who->attack,
              2 * self->level + who->defence);
    if (w->teams) {
        puff_fact(sheet, "team", "%d of %d", team_of(w, (int32_t)agent) + 1, w->teams)->colour =
            player_colour(w, (int32_t)agent);
    }
    puff_row* element = puff_fact(sheet, "element", "%s", elements[self->element]);
    element->kind = self->element ? PUFF_FACT : PUFF_FAINT;
    element->colour = self->element ? element_colours[self->element] : 0;
    if (self->in_combat) {
        puff_fact(sheet, "in combat", "%d ticks", self->in_combat)->colour = 0xe5484d;
    } else {
        puff_row* row = puff_fact(sheet, "no progress", "%d of %d", who->stale, STALE_AFTER);
        row->kind = who->stale < STALE_AFTER / 2 ? PUFF_FAINT : PUFF_FACT;
        row->colour = who->stale < STALE_AFTER * 4 / 5 ? 0 : 0xe5484d;
    }
}

/* The twelve slots and their keys. `selling` is for a menu in which each can be chosen. */
static void describe_slots(const world* w, uint32_t agent, int selling, puff_sheet* sheet) {
    const self_seen* seen = &players_of(w)[agent].seen;
    for (int slot = 0; slot < SLOTS; slot++) {
        const int type = seen->types[slot], tier = seen->tiers[slot];
        char label[PUFF_TEXT] = "-";
        if (type) name_ware(label, type, tier);
        puff_row* row = puff_next_row(sheet, type ? PUFF_FACT : PUFF_FAINT, label);
        row->choice = FIRST_KEY + slot;
        if (!type) continue;
        row->colour = tier_colours[tier];
        const int price = w->prices[ware_of(type, tier)];
        if (selling && w->offer_counts[ware_of(type, tier)] == OFFERS) {
            row->kind = PUFF_FAINT;
            snprintf(row->value, PUFF_TEXT, "too many for sale");
        } else if (selling && price) {
            snprintf(row->value, PUFF_TEXT, "others: %d gold", price);
        } else if (seen->used[slot]) {
            snprintf(row->value, PUFF_TEXT, "worn");
        } else if (!selling && type == HERB) {
            snprintf(row->value, PUFF_TEXT, "+%d health", 50 + 10 * tier);
        } else if (!selling && attack_of(type, tier)) {
            snprintf(row->value, PUFF_TEXT, "attack %d", attack_of(type, tier));
        } else if (!selling && defence_of(type, tier)) {
            snprintf(row->value, PUFF_TEXT, "defence %d", defence_of(type, tier));
        }
    }
}

/* The keys that lead to the market. */
static void describe_trade(const world* w, uint32_t agent, puff_sheet* sheet) {
    const int fights = bodies_of(w)[agent].in_combat;
    int offers = 0;
    for (int ware = 0; ware < WARES; ware++) offers += w->offer_counts[ware];
    puff_row* row = puff_fact(sheet, "buy", "%d offers", offers);
    row->choice = BUY;
    row->kind = fights || !offers ? PUFF_FAINT : PUFF_FACT;
    row = puff_fact(sheet, "sell", "%s", "");
    row->choice = SELL;
    row->kind = fights ? PUFF_FAINT : PUFF_FACT;
}

/* What is for sale, the best first. */
static void describe_market(const world* w, uint32_t agent, puff_sheet* sheet) {
    const int gold = players_of(w)[agent].seen.gold;
    int rows = 0;
    puff_title(sheet, "for sale, with tiers");
    for (int ware = WARES - 1; ware >= 0 && rows < MOST_WARES; ware--) {
        if (!w->offer_counts[ware]) continue;
        const int type = type_of(ware), tier = tier_of(ware), price = w->prices[ware];
        char label[PUFF_TEXT];
        name_ware(label, type, tier);
        puff_row* row = puff_fact(sheet, label, "%d gold", price);
        row->kind = price > gold ? PUFF_FAINT : PUFF_FACT;
        row->colour = tier_colours[tier];
        rows++;
    }
    if (!rows) puff_next_row(sheet, PUFF_FAINT, "nothing");
}

/* What a player can pay, with the keys that buy it, then all that is for sale. */
static void describe_shop(const world* w, uint32_t agent, puff_sheet* sheet) {
    const self_seen* seen = &players_of(w)[agent].seen;
    puff_title(sheet, "buy: what?");
    for (int key = 0; key < SLOTS && seen->shop_types[key]; key++) {
        const int type = seen->shop_types[key], tier = seen->shop_tiers[key];
        const int ware = ware_of(type, tier);
        char label[PUFF_TEXT];
        name_ware(label, type, tier);
        puff_row* row =
            puff_fact(sheet, label, "%d gold, %d there", w->prices[ware], w->offer_counts[ware]);
        row->choice = FIRST_KEY + key;
        row->colour = tier_colours[tier];
    }
    if (!seen->shop_types[0]) puff_next_row(sheet, PUFF_FAINT, "nothing that you can pay");
    describe_market(w, agent, sheet);
}

static void describe_prices(const world* w, uint32_t agent, puff_sheet* sheet) {
    const self_seen* seen = &players_of(w)[agent].seen;
    const int slot = seen->menu_slot - 1, type = seen->types[slot], tier = seen->tiers[slot];
    const int least = w->prices[ware_of(type, tier)];
    char title[PUFF_TEXT];
    snprintf(title, sizeof title, "sell %s %d for what?", ware_names[type], tier);
    puff_title(sheet, title);
    for (int key = 0; key < SLOTS; key++) {
        const int price = price_of(key, tier);
        char label[PUFF_TEXT];
        snprintf(label, sizeof label, "%d gold", price);
        puff_row* row = puff_fact(sheet, label, "%s",
                                  !least          ? ""
                                  : price < least ? "the cheapest"
                                  : price > least ? "others are cheaper"
                                                  : "as others");
        row->choice = FIRST_KEY + key;
    }
}

static void nmmo_describe(const void* state, uint32_t agent, puff_sheet* sheet) {
    const world* w = state;
    describe_self(w, agent, sheet);
    switch (players_of(w)[agent].seen.menu) {
    case BUY_WARE:
        describe_shop(w, agent, sheet);
        break;
    case SELL_SLOT:
        puff_title(sheet, "sell: which thing?");
        describe_slots(w, agent, 1, sheet);
        break;
    case SELL_PRICE:
        describe_prices(w, agent, sheet);
        break;
    default:
        describe_trade(w, agent, sheet);
        puff_title(sheet, "carried, with tiers");
        describe_slots(w, agent, 0, sheet);
        describe_market(w, agent, sheet);
    }
}

#endif
