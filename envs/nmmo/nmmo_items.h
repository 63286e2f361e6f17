/* What players of nmmo carry, wear, gather and leave behind. */
#ifndef NMMO_ITEMS_H
#define NMMO_ITEMS_H

#include "nmmo_stories.h"

/* Raises a level of a player by one: 1 of reward. What counts is the lesser of the two. */
static inline void raise_level(world* w, int32_t id, uint8_t* level, const puff_io* io) {
    const int32_t before = lesser_level(w, id);
    ++*level;
    io->rewards[id] += 1;
    if (lesser_level(w, id) == before) return;
    w->level_sum++;
    players_of(w)[id].stale = 0;
    tell_level(w, id, io);
}

/* The first empty slot, or SLOTS. */
static inline int empty_slot(const player* who) {
    int slot = 0;
    while (slot < SLOTS && who->seen.types[slot]) slot++;
    return slot;
}

static inline void fill_slot(player* who, int slot, uint8_t type, uint8_t tier) {
    who->seen.types[slot] = type;
    who->seen.tiers[slot] = tier;
    who->seen.used[slot] = 0;
}

/* What wearing an item is worth. */
static inline float worth_of(const world* w, int32_t type, int32_t tier) {
    return type <= TOOL ? w->item_reward * (float)tier / TIERS : 0;
}

/* Puts an item of a slot on or takes it off, and adds or takes back what it gives. */
static inline void wear(world* w, int32_t id, int slot, int on, const puff_io* io) {
    player* who = &players_of(w)[id];
    self_seen* seen = &who->seen;
    const int type = seen->types[slot], tier = seen->tiers[slot], where = place_of(type);
    const int sign = on ? 1 : -1;
    seen->used[slot] = (uint8_t)on;
    seen->worn[where] = (uint8_t)(on ? tier : 0);
    who->attack = (int16_t)(who->attack + sign * attack_of(type, tier));
    who->defence = (int16_t)(who->defence + sign * defence_of(type, tier));
    if (where == IN_HAND) seen->held = (uint8_t)(on ? type - SWORD + 1 : 0);
    if (where == ON_NECK) {
        bodies_of(w)[id].element = (uint8_t)(on ? type - EARTH_GEM + EARTH : NEUTRAL);
    }
    if (on && tier > who->best_tier) who->best_tier = (uint8_t)tier;
    io->rewards[id] += (float)sign * worth_of(w, type, tier);
    tell_wearing(id, type, tier, on, io);
}

/* Eats a herb, also in a fight; puts something on whose place is free, or takes it off, else. */
static inline void use_slot(world* w, int32_t id, int slot, const puff_io* io) {
    player* who = &players_of(w)[id];
    body* self = &bodies_of(w)[id];
    const int type = who->seen.types[slot];
    if (type == HERB) {
        const int hp = self->hp + 50 + 10 * who->seen.tiers[slot];
        self->hp = (uint8_t)(hp < MOST_HP ? hp : MOST_HP);
        puff_tell(io, id, PUFF_OWN, "eats a herb and is at %d health", self->hp);
        fill_slot(who, slot, NOTHING, 0);
        return;
    }
    if (type == NOTHING) return;
    const int is_on = who->seen.used[slot];
    if (self->in_combat) {
        puff_tell(io, id, PUFF_OWN, "cannot change clothes in a fight");
    } else if (is_on || !who->seen.worn[place_of(type)]) {
        wear(w, id, slot, !is_on, io);
    } else {
        puff_tell(io, id, PUFF_OWN, "has to take off what is in the way first");
    }
}

/* Takes an item out of a slot, off first if it is worn. */
static inline void take_out(world* w, int32_t id, int slot, const puff_io* io) {
    if (players_of(w)[id].seen.used[slot]) wear(w, id, slot, 0, io);
    fill_slot(&players_of(w)[id], slot, NOTHING, 0);
}

/* What becomes of a resource in the hands of who gathers it. */
static inline uint8_t product_of(world* w, uint8_t resource) {
    switch (resource) {
    case ORE:
        return (uint8_t)(HELM + puff_random_below(&w->random, 3));
    case HILT:
        return SWORD;
    case WOOD:
        return BOW;
    default:
        return resource;
    }
}

static inline int kind_of(int product) {
    static const uint8_t kinds[GOODS + 1] = {
        [HELM] = ARMOUR,  [CHEST] = ARMOUR,   [LEGS] = ARMOUR,    [SWORD] = SWORDS,
        [BOW] = BOWS,     [TOOL] = TOOLS,     [EARTH_GEM] = GEMS, [FIRE_GEM] = GEMS,
        [AIR_GEM] = GEMS, [WATER_GEM] = GEMS, [HERB] = HERBS,
    };
    return kinds[product];
}

/* A tool that somebody took does not go away any more. */
static inline void forget_drop(world* w, int32_t cell) {
    for (uint32_t i = 0; i < w->drops.count; i++) {
        pending* drop = pending_at(w, &w->drops, i);
        if (drop->cell == cell) drop->cell = -1;
    }
}

/* Picks up what lies where a player came to: tools always, all else with a tool that is at least as
 * good in the hand. */
static inline void pick_up(world* w, int32_t id, const puff_io* io) {
    player* who = &players_of(w)[id];
    const int32_t cell = cell_of(w, &bodies_of(w)[id]);
    uint8_t* tile = tile_at(w, cell);
    const uint8_t item = tile[ITEM], tier = tile[TIER];
    if (!item) return;
    const int slot = empty_slot(who), tool = who->seen.held == TOOL - SWORD + 1;
    if (slot == SLOTS) {
        puff_tell(io, id, PUFF_OWN, "has no free slot for what lies there");
        return;
    }
    if (item != TOOL && !(tool && who->seen.worn[IN_HAND] >= tier)) {
        puff_tell(io, id, PUFF_OWN, "needs a tool of tier %d in the hand for that", tier);
        return;
    }
    const uint8_t product = product_of(w, item);
    tile[ITEM] = tile[TIER] = 0;
    fill_slot(who, slot, product, tier);
    deeds_of(w)[id].gathered[kind_of(product)]++;
    deeds_of(w)[id].by_tier[tier - 1]++;
    tell_find(id, product, tier, io);
    if (item == TOOL) {
        forget_drop(w, cell);
        return;
    }
    enqueue(w, &w->returns, (pending){cell, w->tick + REGROWS_AFTER, item, tier});
    if (who->seen.profession < MOST_LEVEL && who->seen.profession < tier_level(tier)) {
        raise_level(w, id, &who->seen.profession, io);
    }
}

/* A tool falls on the first tile around a dead enemy where nobody stands and no item is, not even
 * one that will grow back. */
static inline void drop_tool(world* w, const body* dead) {
    for (int i = 0; i < 9; i++) {
        /* The enemy's own tile first. */
        const int32_t row = dead->row + (i + 4) % 9 / 3 - 1;
        const int32_t column = dead->column + (i + 4) % 9 % 3 - 1;
        const int32_t cell = cell_at(w, row, column);
        uint8_t* tile = tile_at(w, cell);
        if (!is_free(w, row, column) || tile[ITEM] || is_set(w, w->spots_at, row, column)) {
            continue;
        }
        tile[ITEM] = TOOL;
        tile[TIER] = (uint8_t)drop_tier(dead->level);
        enqueue(w, &w->drops, (pending){cell, w->tick + DROP_LIES, TOOL, tile[TIER]});
        return;
    }
}

/* Resources come back and dropped tools go, each when it is time. */
static inline void renew_items(world* w) {
    while (w->returns.count && pending_at(w, &w->returns, 0)->due == w->tick) {
        const pending* back = pending_at(w, &w->returns, 0);
        tile_at(w, back->cell)[ITEM] = back->item;
        tile_at(w, back->cell)[TIER] = back->tier;
        dequeue(&w->returns);
    }
    while (w->drops.count && pending_at(w, &w->drops, 0)->due == w->tick) {
        const int32_t cell = pending_at(w, &w->drops, 0)->cell;
        if (cell >= 0) tile_at(w, cell)[ITEM] = tile_at(w, cell)[TIER] = 0;
        dequeue(&w->drops);
    }
}

#endif
