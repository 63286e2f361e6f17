/* How lives of players in nmmo begin and end, and what is told of them. */
#ifndef NMMO_LIFE_H
#define NMMO_LIFE_H

#include "nmmo_market.h"
#include "nmmo_places.h"

enum { GOES_ON, DIED, GONE_STALE };

enum {
    STAT_COMBAT,
    STAT_PROFESSION,
    STAT_OF_THE_LIVING,
    STAT_STALE,
    STAT_SHOT,
    STAT_BEST_TIER,
    STAT_GEAR,
    STAT_HERBS_AND_GEMS,
    STAT_SOLD,
    STAT_GOLD_FOR_SALES,
    STATISTICS,
};

/* A player with nothing, at a safe place. */
static inline void begin_life(world* w, int32_t id) {
    player* who = &players_of(w)[id];
    body* self = &bodies_of(w)[id];
    memset(who, 0, sizeof *who);
    memset(self, 0, sizeof *self);
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
    float* statistics = io->statistics + (size_t)id * STATISTICS;
    io->scores[id] = (float)lesser_level(w, id);
    statistics[STAT_COMBAT] = bodies_of(w)[id].level;
    statistics[STAT_PROFESSION] = who->seen.profession;
    statistics[STAT_OF_THE_LIVING] = level_of_the_living(w);
    statistics[STAT_STALE] = who->ended == GONE_STALE;
    statistics[STAT_SHOT] = who->ended == DIED && who->shot;
    statistics[STAT_BEST_TIER] = who->best_tier;
    statistics[STAT_GEAR] = (float)who->gear;
    statistics[STAT_HERBS_AND_GEMS] = (float)who->herbs_and_gems;
    statistics[STAT_SOLD] = (float)who->sold;
    statistics[STAT_GOLD_FOR_SALES] = (float)who->gold_for_sales;
}

/* Ends a life; the next one begins at once, somewhere else and with nothing. */
static inline void end_life(world* w, int32_t id, const puff_io* io) {
    const player* who = &players_of(w)[id];
    const body last = bodies_of(w)[id];
    const uint8_t ended = who->ended;
    io->terminals[id] = 1;
    if (ended == DIED) io->rewards[id] -= 1;
    report(w, id, io);
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
