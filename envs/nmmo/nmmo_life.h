/* How lives of players in nmmo begin and end, and what is told of them. */
#ifndef NMMO_LIFE_H
#define NMMO_LIFE_H

#include "nmmo_market.h"
#include "nmmo_places.h"
#include "nmmo_stories.h"

enum {
    STAT_COMBAT,
    STAT_PROFESSION,
    STAT_OF_THE_LIVING,
    STAT_STRUCK,
    STAT_SHOT,
    STAT_STALE,
    STAT_KILLS,
    STAT_GATHERED,
    STAT_BY_TIER = STAT_GATHERED + GATHERED,
    STAT_BEST_TIER = STAT_BY_TIER + TIERS,
    STAT_OFFERED,
    STAT_SOLD,
    STAT_GOLD_FOR_SALES,
    STAT_BOUGHT,
    STAT_GOLD_SPENT,
    STATISTICS,
};

/* A player with nothing, at a safe place. */
static inline void begin_life(world* w, int32_t id) {
    player* who = &players_of(w)[id];
    body* self = &bodies_of(w)[id];
    memset(who, 0, sizeof *who);
    memset(self, 0, sizeof *self);
    memset(&deeds_of(w)[id], 0, sizeof(deeds));
    self->level = who->seen.profession = 1;
    self->hp = MOST_HP;
    who->born = 1;
    w->level_sum++;
    arrive(w, id);
}

/* The mean of the lesser level over all who live now. */
static inline float level_of_the_living(const world* w) {
    return (float)w->level_sum / (float)w->players;
}

static inline void report(const world* w, int32_t id, const puff_io* io) {
    const player* who = &players_of(w)[id];
    const deeds* did = &deeds_of(w)[id];
    float* statistics = io->statistics + (size_t)id * STATISTICS;
    io->scores[id] = (float)lesser_level(w, id);
    statistics[STAT_COMBAT] = bodies_of(w)[id].level;
    statistics[STAT_PROFESSION] = who->seen.profession;
    statistics[STAT_OF_THE_LIVING] = level_of_the_living(w);
    statistics[STAT_STRUCK] = who->ended != GONE_STALE && !who->shot;
    statistics[STAT_SHOT] = who->ended != GONE_STALE && who->shot;
    statistics[STAT_STALE] = who->ended == GONE_STALE;
    statistics[STAT_KILLS] = (float)did->kills;
    for (int kind = 0; kind < GATHERED; kind++) {
        statistics[STAT_GATHERED + kind] = (float)did->gathered[kind];
    }
    for (int i = 0; i < TIERS; i++) statistics[STAT_BY_TIER + i] = (float)did->by_tier[i];
    statistics[STAT_BEST_TIER] = who->best_tier;
    statistics[STAT_OFFERED] = (float)did->offered;
    statistics[STAT_SOLD] = (float)did->sold;
    statistics[STAT_GOLD_FOR_SALES] = (float)did->gold_for_sales;
    statistics[STAT_BOUGHT] = (float)did->bought;
    statistics[STAT_GOLD_SPENT] = (float)did->gold_spent;
}

/* Ends a life; the next one begins at once, somewhere else and with nothing. */
static inline void end_life(world* w, int32_t id, const puff_io* io) {
    const player* who = &players_of(w)[id];
    const body last = bodies_of(w)[id];
    const uint8_t ended = who->ended;
    io->terminals[id] = 1;
    if (ended != GONE_STALE) io->rewards[id] -= 1;
    report(w, id, io);
    tell_end(w, id, io);
    withdraw(w, id);
    w->level_sum -= lesser_level(w, id);
    if (ended == GONE_STALE && !last.away) lift(w, id);
    begin_life(w, id);
    player* next = &players_of(w)[id];
    next->ended = ended;
    next->fallen_row = (uint16_t)last.row;
    next->fallen_column = (uint16_t)last.column;
}

#endif
