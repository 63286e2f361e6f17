/* school_attacks.h: who shoots whom.
 *
 * Each unit shoots at the first enemy, in index order, that its weapon reaches. Looking at all
 * pairs would be nearly all of the game's cost. Instead the box is cut into strips along each axis,
 * and a strip knows the units inside it as a set of bits. The strips that a weapon reaches, united
 * along each axis and intersected over the axes, leave the few enemies in a small box around the
 * shooter, already in index order. Only those are measured, with squares and dot products.
 */
#ifndef SCHOOL_ATTACKS_H
#define SCHOOL_ATTACKS_H

#include <stdint.h>
#include <string.h>

#include "school_terrain.h"
#include "school_units.h"

enum { STRIPS = 32, WORDS = ARMY / 64 };

/* Rounding must not move anybody out of reach. */
#define REACH_MARGIN 1e-4f

#define SQUARED_COSINE 0.75f /* of 30 degrees */
#define ATTACK_REWARD  0.25f

/* Units of one army: bit i is its i-th. */
typedef struct {
    uint64_t bits[WORDS];
} unit_set;

/* The sets of one army's units in each strip along x, y and z. */
typedef struct {
    unit_set strips[3][STRIPS];
} strip_map;

static inline int strip_at(float place) {
    const float strip = (place + EDGE) * (STRIPS / (2 * EDGE));
    return (int)fminf(fmaxf(strip, 0), STRIPS - 1);
}

static void map_armies(const unit* units, strip_map* maps) {
    memset(maps, 0, ARMIES * sizeof *maps);
    for (uint32_t agent = 0; agent < AGENTS; agent++) {
        const vector place = units[agent].now.place;
        const uint32_t own = agent % ARMY, word = own / 64;
        const uint64_t bit = UINT64_C(1) << own % 64;
        strip_map* map = &maps[army_of(agent)];
        map->strips[0][strip_at(place.x)].bits[word] |= bit;
        map->strips[1][strip_at(place.y)].bits[word] |= bit;
        map->strips[2][strip_at(place.z)].bits[word] |= bit;
    }
}

/* The units of a set that are in the strips within `range` of a place along one axis. */
static inline unit_set within(unit_set set, const unit_set* strips, float place, float range) {
    unit_set found = {{0}};
    const int last = strip_at(place + range + REACH_MARGIN);
    for (int strip = strip_at(place - range - REACH_MARGIN); strip <= last; strip++) {
        for (int word = 0; word < WORDS; word++) found.bits[word] |= strips[strip].bits[word];
    }
    for (int word = 0; word < WORDS; word++) found.bits[word] &= set.bits[word];
    return found;
}

/* The units of every army that a weapon can hit at all: a squad is as long as a word. */
static inline unit_set possible_targets(int targets) {
    _Static_assert(SQUAD == 64, "each word holds the bits of one squad");
    uint64_t bits = 0;
    for (uint32_t place = 0; place < SQUAD; place++) {
        const int wanted = kinds[kind_of(place)].flies ? AIR_TARGETS : GROUND_TARGETS;
        if (targets & wanted) bits |= UINT64_C(1) << place;
    }
    unit_set set;
    for (int word = 0; word < WORDS; word++) set.bits[word] = bits;
    return set;
}

/* Whether the way to an enemy, of which only the weapon's kind of target is asked here, is short
 * enough and within 30 degrees of where the weapon points. */
static inline int reaches(const kind_figures* kind, vector velocity, vector way) {
    const float flat = way.x * way.x + way.z * way.z, whole = flat + way.y * way.y;
    const float range = kind->range * kind->range;
    float along = 0;
    switch (kind->weapon) {
    case AIM_BOMB:
        return flat <= range;
    case AIM_UP:
        return flat <= range && way.y > 0 && way.y * way.y >= SQUARED_COSINE * whole;
    case AIM_HEADING:
        along = way.x * velocity.x + way.z * velocity.z;
        return flat <= range && along > 0 &&
               along * along >=
                   SQUARED_COSINE * flat * (velocity.x * velocity.x + velocity.z * velocity.z);
    case AIM_FLIGHT:
        along = way.x * velocity.x + way.y * velocity.y + way.z * velocity.z;
        return whole <= range && along > 0 &&
               along * along >= SQUARED_COSINE * whole *
                                    (velocity.x * velocity.x + velocity.y * velocity.y +
                                     velocity.z * velocity.z);
    }
    return 0;
}

/* The first unit of an army that `shooter` reaches, or -1. */
static inline int32_t first_reached(const unit* units, const unit* shooter,
                                    const kind_figures* kind, unit_set candidates,
                                    const strip_map* map, uint32_t army) {
    const vector place = shooter->now.place;
    candidates = within(candidates, map->strips[0], place.x, kind->range);
    candidates = within(candidates, map->strips[2], place.z, kind->range);
    if (kind->weapon == AIM_FLIGHT) {
        candidates = within(candidates, map->strips[1], place.y, kind->range);
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        for (uint64_t bits = candidates.bits[word]; bits; bits &= bits - 1) {
            const uint32_t agent = army * ARMY + word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (reaches(kind, shooter->velocity, minus(units[agent].now.place, place))) {
                return (int32_t)agent;
            }
        }
    }
    return -1;
}

/* Every unit shoots once if it can. Who is shot dead here still shoots in the same step. */
static void attack(unit* units, float* rewards) {
    strip_map maps[ARMIES];
    map_armies(units, maps);
    unit_set possible[GROUND_TARGETS + AIR_TARGETS + 1];
    for (int targets = 0; targets <= GROUND_TARGETS + AIR_TARGETS; targets++) {
        possible[targets] = possible_targets(targets);
    }
    for (uint32_t agent = 0; agent < AGENTS; agent++) {
        unit* shooter = &units[agent];
        const kind_figures* kind = &kinds[kind_of(agent)];
        shooter->target = -1;
        for (uint32_t army = 0; army < ARMIES && shooter->target < 0; army++) {
            if (army == army_of(agent)) continue;
            shooter->target =
                first_reached(units, shooter, kind, possible[kind->targets], &maps[army], army);
        }
        if (shooter->target < 0) continue;
        unit* enemy = &units[shooter->target];
        const int lived = !is_dead(enemy->health);
        enemy->health -= kind->damage;
        shooter->hits++;
        shooter->kills += lived && is_dead(enemy->health);
        rewards[agent] += ATTACK_REWARD;
    }
}

#endif
