/* What is told of players of nmmo while they are watched. */
#ifndef NMMO_STORIES_H
#define NMMO_STORIES_H

#include "nmmo_world.h"
#include "words.h"

enum { FINE_TIER = 3, RARE_TIER = 4, STRONG = 16, MIGHTY = 28 /* levels of enemies */ };

static const char* const ware_names[GOODS + 1] = {"nothing",  "helm",    "chest",     "legs",
                                                  "sword",    "bow",     "tool",      "earth gem",
                                                  "fire gem", "air gem", "water gem", "herb"};

static inline const char* article_of(int type) {
    return type == LEGS ? "" : "a ";
}

static inline int32_t lesser_level(const world* w, int32_t id) {
    const int32_t combat = bodies_of(w)[id].level;
    const int32_t profession = players_of(w)[id].seen.profession;
    return combat < profession ? combat : profession;
}

static inline puff_weight weight_of_tier(int tier) {
    return tier >= RARE_TIER ? PUFF_NEWS : tier >= FINE_TIER ? PUFF_TALK : PUFF_OWN;
}

static inline void tell_wearing(int32_t id, int type, int tier, int on, const puff_io* io) {
    if (on) {
        puff_tell(io, id, weight_of_tier(tier), "equips %stier-%d %s", article_of(type), tier,
                  ware_names[type]);
    } else {
        puff_tell(io, id, PUFF_OWN, "takes off %stier-%d %s", article_of(type), tier,
                  ware_names[type]);
    }
}

static inline void tell_find(int32_t id, int type, int tier, const puff_io* io) {
    puff_tell(io, id, tier >= RARE_TIER ? PUFF_TALK : PUFF_OWN, "finds %stier-%d %s",
              article_of(type), tier, ware_names[type]);
}

static inline void tell_level(const world* w, int32_t id, const puff_io* io) {
    const int32_t level = lesser_level(w, id);
    const puff_weight weight = level % 5 ? PUFF_TALK : PUFF_NEWS;
    puff_tell(io, id, level < 4 ? PUFF_OWN : weight, "reaches level %d", level);
}

static inline void tell_kill(const world* w, int32_t id, int level, const puff_io* io) {
    const int bold = level >= bodies_of(w)[id].level;
    puff_tell(io, id,
              level >= MIGHTY           ? PUFF_NEWS
              : level >= STRONG && bold ? PUFF_TALK
                                        : PUFF_OWN,
              "slays a level-%d enemy", level);
}

static inline void tell_duel(int32_t id, int32_t other, int level, const puff_io* io) {
    puff_tell(io, id, level > 1 ? PUFF_NEWS : PUFF_TALK, "slays agent %d of level %d", other + 1,
              level);
}

static inline void tell_offer(int32_t id, int type, int tier, int price, const puff_io* io) {
    puff_tell(io, id, tier >= FINE_TIER ? PUFF_TALK : PUFF_OWN, "offers %stier-%d %s for %d gold",
              article_of(type), tier, ware_names[type], price);
}

static inline void tell_trade(int32_t id, int32_t seller, int type, int tier, int price,
                              const puff_io* io) {
    puff_tell(io, id, PUFF_NEWS, "buys %stier-%d %s from agent %d for %d gold", article_of(type),
              tier, ware_names[type], seller + 1, price);
    puff_tell(io, seller, PUFF_OWN, "is paid %d gold for %stier-%d %s", price, article_of(type),
              tier, ware_names[type]);
}

static inline void tell_end(const world* w, int32_t id, const puff_io* io) {
    const player* who = &players_of(w)[id];
    const int32_t level = lesser_level(w, id);
    const puff_weight weight = level >= 8 ? PUFF_NEWS : level >= 3 ? PUFF_TALK : PUFF_OWN;
    if (who->ended != GONE_STALE) {
        puff_tell(io, id, weight, "%s at level %d by a level-%d %s",
                  who->shot ? "was shot" : "was slain", level, who->struck_by,
                  who->ended == SLAIN ? "player" : "enemy");
    } else {
        puff_tell(io, id, weight, "made no progress for %d ticks and begins anew", STALE_AFTER);
    }
}

#endif
