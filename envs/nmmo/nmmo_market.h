/* The market of nmmo: one for the whole world. A ware is a type of item in a tier. */
#ifndef NMMO_MARKET_H
#define NMMO_MARKET_H

#include "nmmo_items.h"

static inline int ware_of(int type, int tier) {
    return (tier - 1) * GOODS + type - 1;
}

static inline int type_of(int ware) {
    return ware % GOODS + 1;
}

static inline int tier_of(int ware) {
    return ware / GOODS + 1;
}

/* Lists what is for sale, the best tier first; returns how much there is. */
static inline int list_wares(const world* w, uint8_t* wares) {
    int count = 0;
    for (int ware = WARES - 1; ware >= 0; ware--) {
        if (w->prices[ware]) wares[count++] = (uint8_t)ware;
    }
    return count;
}

/* Shows a player what it can pay of that, a thing for each key. */
static inline void fill_shop(world* w, int32_t id, const uint8_t* wares, int count) {
    self_seen* seen = &players_of(w)[id].seen;
    memset(seen->shop_types, 0, SLOTS);
    memset(seen->shop_tiers, 0, SLOTS);
    for (int i = 0, key = 0; i < count && key < SLOTS; i++) {
        if (w->prices[wares[i]] > seen->gold) continue;
        seen->shop_types[key] = (uint8_t)type_of(wares[i]);
        seen->shop_tiers[key++] = (uint8_t)tier_of(wares[i]);
    }
}

/* The price for a key, 0 to 11: 1 to 12 times the tier. */
static inline int price_of(int key, int tier) {
    return (key + 1) * tier;
}

static inline void remove_offer(world* w, int ware, int index) {
    const int left = --w->offer_counts[ware];
    offer* offers = w->offers[ware];
    for (int i = index; i < left; i++) offers[i] = offers[i + 1];
    memset(&offers[left], 0, sizeof *offers);
    w->prices[ware] = offers[0].price;
}

/* Offers the item of a slot; where there are too many offers already it stays. */
static inline void sell(world* w, int32_t id, int slot, int key, const puff_io* io) {
    player* who = &players_of(w)[id];
    const int tier = who->seen.tiers[slot], ware = ware_of(who->seen.types[slot], tier);
    if (w->offer_counts[ware] == OFFERS) {
        puff_tell(io, id, PUFF_OWN, "finds too many of these for sale already");
        return;
    }
    take_out(w, id, slot, io);
    const int price = price_of(key, tier);
    offer* offers = w->offers[ware];
    int at = w->offer_counts[ware]++;
    for (; at > 0 && offers[at - 1].price > price; at--) offers[at] = offers[at - 1];
    offers[at].seller = (uint16_t)id;
    offers[at].price = (uint8_t)price;
    w->prices[ware] = offers[0].price;
    who->offers++;
    deeds_of(w)[id].offered++;
    tell_offer(id, type_of(ware), tier, price, io);
}

static inline void earn(player* who, int gold) {
    const int sum = who->seen.gold + gold;
    who->seen.gold = (uint8_t)(sum < MOST_GOLD ? sum : MOST_GOLD);
}

/* Buys the cheapest offer of a ware, if there is one, gold for it and a free slot. */
static inline void buy(world* w, int32_t id, int type, int tier, const puff_io* io) {
    player* who = &players_of(w)[id];
    const int ware = ware_of(type, tier), slot = empty_slot(who);
    if (!w->offer_counts[ware] || slot == SLOTS || who->seen.gold < w->prices[ware]) {
        puff_tell(io, id, PUFF_OWN, "%s",
                  !w->offer_counts[ware] ? "finds none of these for sale"
                  : slot == SLOTS        ? "has no free slot to buy anything"
                                         : "has too little gold for that");
        return;
    }
    const offer cheapest = w->offers[ware][0];
    player* seller = &players_of(w)[cheapest.seller];
    remove_offer(w, ware, 0);
    seller->offers--;
    fill_slot(who, slot, (uint8_t)type, (uint8_t)tier);
    if (seller == who) return; /* took it back */
    who->seen.gold = (uint8_t)(who->seen.gold - cheapest.price);
    earn(seller, cheapest.price);
    deeds_of(w)[cheapest.seller].sold++;
    deeds_of(w)[cheapest.seller].gold_for_sales += cheapest.price;
    deeds_of(w)[id].bought++;
    deeds_of(w)[id].gold_spent += cheapest.price;
    tell_trade(id, cheapest.seller, type, tier, cheapest.price, io);
    io->rewards[id] += w->trade_reward;
    io->rewards[cheapest.seller] += w->trade_reward;
}

/* What somebody offered is lost with the rest when a life ends. */
static inline void withdraw(world* w, int32_t id) {
    player* who = &players_of(w)[id];
    for (int ware = 0; ware < WARES && who->offers; ware++) {
        for (int i = w->offer_counts[ware] - 1; i >= 0; i--) {
            if (w->offers[ware][i].seller != id) continue;
            remove_offer(w, ware, i);
            who->offers--;
        }
    }
}

/* The menus: what the next key means. */
enum { NO_MENU, BUY_WARE, SELL_SLOT, SELL_PRICE, MENUS };

/* A key, 0 to 11, in a menu, which leads to the next one or out. */
static inline void choose_in_menu(world* w, int32_t id, int key, const puff_io* io) {
    self_seen* seen = &players_of(w)[id].seen;
    const int menu = seen->menu, slot = seen->menu_slot - 1;
    seen->menu = seen->menu_slot = NO_MENU;
    if (menu == BUY_WARE && seen->shop_types[key]) {
        buy(w, id, seen->shop_types[key], seen->shop_tiers[key], io);
    } else if (menu == SELL_SLOT && seen->types[key]) {
        seen->menu = SELL_PRICE;
        seen->menu_slot = (uint8_t)(key + 1);
    } else if (menu == SELL_PRICE) {
        sell(w, id, slot, key, io);
    }
}

#endif
