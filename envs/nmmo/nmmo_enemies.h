/* The enemies of nmmo: where they come from, and what they do in a tick. */
#ifndef NMMO_ENEMIES_H
#define NMMO_ENEMIES_H

#include "nmmo_combat.h"

/* A level: 1 in one of eight cases, else each eighth level above is half as likely. */
static inline uint8_t random_level(puff_random* random) {
    if (puff_random_below(random, 8) == 0) return 1;
    const double ratio = 0.91700404320467123; /* 2^(-1/8) */
    double weight = 1, sum = 0;
    for (int level = 1; level <= MOST_LEVEL; level++, weight *= ratio) sum += weight;
    double left = sum * (double)(puff_random_bits(random) >> 40) * 0x1p-24;
    weight = 1;
    uint8_t level = 1;
    while (level < MOST_LEVEL && left >= weight) {
        left -= weight;
        weight *= ratio;
        level++;
    }
    return level;
}

/* An enemy comes to a new place, whole; strong ones are of the season there. */
static inline void enter_enemy(world* w, int32_t id) {
    body* self = &bodies_of(w)[id];
    arrive(w, id);
    self->hp = MOST_HP;
    self->in_combat = self->deed = STILL;
    self->ranged = self->level >= RANGED_FROM;
    self->element = NEUTRAL;
    if (self->ranged) {
        self->element = (uint8_t)(EARTH + tile_at(w, cell_of(w, self))[TERRAIN] % SEASONS);
    }
}

/* Steps where it is free; turns in any case. */
static inline void walk(world* w, int32_t id, int direction) {
    body* self = &bodies_of(w)[id];
    const int32_t row = self->row + row_steps[direction];
    const int32_t column = self->column + column_steps[direction];
    self->facing = (uint8_t)direction;
    if (!is_free(w, row, column)) return;
    lift(w, id);
    put(w, id, row, column);
    self->deed = WALKING;
}

static inline int vertical(int32_t rows) {
    return rows > 0 ? DOWN : UP;
}

static inline int horizontal(int32_t columns) {
    return columns > 0 ? RIGHT : LEFT;
}

/* Whether an arrow passes between two tiles in a line. */
static inline int is_open(const world* w, const body* from, const body* to) {
    const int32_t rows = (to->row > from->row) - (to->row < from->row);
    const int32_t columns = (to->column > from->column) - (to->column < from->column);
    int32_t row = from->row + rows, column = from->column + columns;
    for (; row != to->row || column != to->column; row += rows, column += columns) {
        if (is_stone(w, row, column)) return 0;
    }
    return 1;
}

/* Goes for a player in sight. Who strikes comes nearer along the longer way, who shoots gets into
 * line along the shorter one. */
static inline void hunt(world* w, int32_t id, int32_t prey) {
    body* self = &bodies_of(w)[id];
    const body* other = &bodies_of(w)[prey];
    const int32_t rows = other->row - self->row, columns = other->column - self->column;
    const int32_t high = rows < 0 ? -rows : rows, wide = columns < 0 ? -columns : columns;
    const int along_rows = self->ranged ? columns == 0 || (rows != 0 && high < wide) : high > wide;
    const int direction = along_rows ? vertical(rows) : horizontal(columns);
    const int reached =
        self->ranged ? (!rows || !columns) && is_open(w, self, other) : high + wide == 1;
    if (!reached) {
        walk(w, id, direction);
        return;
    }
    self->facing = (uint8_t)(rows ? vertical(rows) : horizontal(columns));
    hit_player(w, id, prey);
}

/* The first player around an enemy, row by row; -1 if there is none. */
static inline int32_t player_near(const world* w, const body* self) {
    const int32_t left = self->column - ENEMY_SIGHT;
    for (int32_t row = self->row - ENEMY_SIGHT; row <= self->row + ENEMY_SIGHT; row++) {
        const uint32_t bits = bits_from(w, w->by_players_at, row, left) & 0x1ff;
        if (bits) return ids_of(w)[cell_at(w, row, left + __builtin_ctz(bits))];
    }
    return -1;
}

/* One enemy's part of a tick. */
static inline void turn_enemy(world* w, int32_t id) {
    body* self = &bodies_of(w)[id];
    self->last_row = self->row;
    self->last_column = self->column;
    if (self->away) {
        if (--self->away == 0) enter_enemy(w, id);
        return;
    }
    const uint64_t bits = puff_random_bits(&w->random);
    self->deed = STILL;
    self->hp = (uint8_t)(self->hp + (self->hp < MOST_HP));
    self->in_combat = (uint8_t)(self->in_combat - (self->in_combat > 0));
    if ((bits >> 32) * TELEPORT_ONE_IN >> 32 == 0) {
        teleport(w, id);
        return;
    }
    const int32_t prey = player_near(w, self);
    if (prey >= 0) {
        hunt(w, id, prey);
    } else {
        walk(w, id, (int)(bits % DIRECTIONS));
    }
}

#endif
