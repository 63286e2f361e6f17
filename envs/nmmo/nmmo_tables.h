/* The facts of nmmo as data: ground, seasons, elements, items, tiers, and what they are worth. */
#ifndef NMMO_TABLES_H
#define NMMO_TABLES_H

#include <stdint.h>

/* A terrain is 4 * kind + season. */
enum { GRASS, DIRT, STONE, WATER, KINDS };
enum { SPRING, SUMMER, AUTUMN, WINTER, SEASONS };
enum { TERRAINS = KINDS * SEASONS, FIRST_IMPASSABLE = STONE * SEASONS };

/* What a season's gems and strong enemies are of: season + 1. */
enum { NEUTRAL, EARTH, FIRE, AIR, ICE, ELEMENTS };

/* Down to HERB they can be carried; ORE, WOOD and HILT lie on the map and turn into what is made of
 * them. */
enum {
    NOTHING,
    HELM,
    CHEST,
    LEGS,
    SWORD,
    BOW,
    TOOL,
    EARTH_GEM,
    FIRE_GEM,
    AIR_GEM,
    WATER_GEM,
    HERB,
    ORE,
    WOOD,
    HILT,
    ITEMS,
    GOODS = HERB, /* types that can be carried and traded, from 1 */
};

enum { TIERS = 5, TIER_CLASSES = TIERS + 1 };
enum { MOST_LEVEL = 40, MOST_HP = 99, MOST_GOLD = 99 };

/* Where something is worn. */
enum { ON_HEAD, ON_CHEST, ON_LEGS, IN_HAND, ON_NECK, PLACES, UNWORN = PLACES };

/* Directions, in the order in which somebody looks for a target. */
enum { DOWN, UP, RIGHT, LEFT, DIRECTIONS };
static const int8_t row_steps[DIRECTIONS] = {1, -1, 0, 0};
static const int8_t column_steps[DIRECTIONS] = {0, 0, 1, -1};

/* What an entity did in the last tick. */
enum { STILL, WALKING, RUNNING, STRIKING, SHOOTING, DEEDS };

/* Who stands on a tile: nobody, or a player, an enemy or a player of one's team, of an element. */
enum {
    NOBODY,
    PLAYER,
    ENEMY = PLAYER + ELEMENTS,
    MATE = ENEMY + ELEMENTS,
    WHO = MATE + ELEMENTS,
};
enum { MOST_TEAMS = 8 };

enum {
    IN_COMBAT = 5,       /* ticks after a blow */
    STALE_AFTER = 500,   /* ticks without progress end a life */
    REGROWS_AFTER = 100, /* ticks until a resource is back */
    DROP_LIES = 20,      /* ticks until a dropped tool is gone */
    ENEMY_AWAY = 2,      /* ticks until a dead enemy is back */
    TELEPORT_ONE_IN = 1000,
    ENEMY_SIGHT = 4, /* cells to each side */
    BOW_REACH = 4,
    RANGED_FROM = 15, /* enemies of this level shoot and have an element */
};

/* The profession level up to which resources of a tier teach something, and what a piece of armour
 * of that tier defends. */
static inline int32_t tier_level(int32_t tier) {
    return 4 << tier;
}

/* 3 * tier_level(tier), and for bows half a tier less. */
static const int16_t sword_attack[TIER_CLASSES] = {0, 24, 48, 96, 192, 384};
static const int16_t bow_attack[TIER_CLASSES] = {0, 16, 33, 67, 135, 271};

/* Damage is multiplied by effects[attacker][defender]. */
static const uint8_t effects[ELEMENTS][ELEMENTS] = {
    [NEUTRAL] = {1, 1, 1, 1, 1}, [EARTH] = {1, 1, 1, 0, 2}, [FIRE] = {1, 1, 1, 2, 0},
    [AIR] = {1, 2, 0, 1, 1},     [ICE] = {1, 0, 2, 1, 1},
};

static inline int place_of(int32_t type) {
    static const uint8_t places[ITEMS] = {UNWORN,  ON_HEAD, ON_CHEST, ON_LEGS, IN_HAND,
                                          IN_HAND, IN_HAND, ON_NECK,  ON_NECK, ON_NECK,
                                          ON_NECK, UNWORN,  UNWORN,   UNWORN,  UNWORN};
    return places[type];
}

static inline int32_t attack_of(int32_t type, int32_t tier) {
    return type == SWORD ? sword_attack[tier] : type == BOW ? bow_attack[tier] : 0;
}

static inline int32_t defence_of(int32_t type, int32_t tier) {
    return type >= HELM && type <= LEGS ? tier_level(tier) : 0;
}

/* The tier of the tool that an enemy of a level leaves behind. */
static inline int32_t drop_tier(int32_t level) {
    return level <= 8 ? 1 : level <= 16 ? 2 : level <= 32 ? 3 : 4;
}

#endif
