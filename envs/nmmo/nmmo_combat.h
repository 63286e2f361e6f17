/* Fights of nmmo: who can be hit, how hard, and what comes of it. */
#ifndef NMMO_COMBAT_H
#define NMMO_COMBAT_H

#include "nmmo_life.h"

/* Players gain by their gear, enemies by their level. */
static inline int32_t attack_strength(const world* w, int32_t id) {
    const int32_t level = bodies_of(w)[id].level;
    const int32_t more = is_player(w, id) ? players_of(w)[id].attack : 3 * level - 25;
    return 40 + 2 * level + more;
}

static inline int32_t defence_strength(const world* w, int32_t id) {
    const int32_t level = bodies_of(w)[id].level;
    return 2 * level + (is_player(w, id) ? players_of(w)[id].defence : 3 * level);
}

static inline int32_t damage_of(const world* w, int32_t attacker, int32_t defender) {
    const int32_t blow = attack_strength(w, attacker) - defence_strength(w, defender);
    const body* bodies = bodies_of(w);
    return blow > 0 ? blow * effects[bodies[attacker].element][bodies[defender].element] : 0;
}

/* One hits another; returns whether that was its end. */
static inline int hit(world* w, int32_t attacker, int32_t defender, int deed) {
    body *from = &bodies_of(w)[attacker], *to = &bodies_of(w)[defender];
    const int32_t damage = damage_of(w, attacker, defender);
    from->deed = (uint8_t)deed;
    from->in_combat = to->in_combat = IN_COMBAT;
    to->hp = (uint8_t)(damage < to->hp ? to->hp - damage : 0);
    return to->hp == 0;
}

/* A dead enemy leaves a tool, gold, and a level to who was not above it. */
static inline void kill_enemy(world* w, int32_t id, int32_t enemy, const puff_io* io) {
    body *self = &bodies_of(w)[id], *dead = &bodies_of(w)[enemy];
    player* who = &players_of(w)[id];
    lift(w, enemy);
    dead->away = ENEMY_AWAY + 1; /* its turn in this tick, or what is left of it, counts too */
    drop_tool(w, dead);
    earn(who, 1 + dead->level / 10);
    deeds_of(w)[id].kills++;
    tell_kill(w, id, dead->level, io);
    if (dead->level >= self->level && self->level < MOST_LEVEL) {
        raise_level(w, id, &self->level, io);
    }
}

/* A player whom another one killed leaves it the gold, and a level as an enemy would. */
static inline void kill_player(world* w, int32_t id, int32_t other, const puff_io* io) {
    body* self = &bodies_of(w)[id];
    player* dead = &players_of(w)[other];
    const uint8_t level = bodies_of(w)[other].level;
    lift(w, other);
    dead->ended = SLAIN;
    dead->shot = self->deed == SHOOTING;
    dead->struck_by = self->level;
    earn(&players_of(w)[id], dead->seen.gold);
    dead->seen.gold = 0;
    deeds_of(w)[id].kills++;
    tell_duel(id, other, level, io);
    if (level >= self->level && self->level < MOST_LEVEL) raise_level(w, id, &self->level, io);
}

/* Whom a player can hit on a tile; -1 if there is nobody. */
static inline int32_t target_on(const world* w, int32_t id, int32_t row, int32_t column) {
    if (!is_set(w, w->occupied_at, row, column)) return -1;
    const int32_t other = ids_of(w)[cell_at(w, row, column)];
    if (!is_player(w, other)) return other;
    return w->player_fights && !are_mates(w, id, other) ? other : -1;
}

static inline int is_stone(const world* w, int32_t row, int32_t column) {
    return tile_at(w, cell_at(w, row, column))[TERRAIN] / SEASONS == STONE;
}

/* The first target in a straight line, up to a stone: arrows fly over water only. */
static inline int32_t in_line(const world* w, int32_t id, int direction) {
    const body* self = &bodies_of(w)[id];
    int32_t row = self->row, column = self->column;
    for (int i = 0; i < BOW_REACH; i++) {
        row += row_steps[direction];
        column += column_steps[direction];
        /* Nobody stands on the border, and the map ends behind it. */
        if (row < SIGHT_ROWS || column < SIGHT_COLUMNS || row >= w->side - SIGHT_ROWS ||
            column >= w->side - SIGHT_COLUMNS || is_stone(w, row, column)) {
            return -1;
        }
        const int32_t other = target_on(w, id, row, column);
        if (other >= 0) return other;
    }
    return -1;
}

/* Whom a weapon reaches on one side: a bow four tiles, a sword the three in front, a hand one. */
static inline int32_t target_at(const world* w, int32_t id, int direction) {
    const body* self = &bodies_of(w)[id];
    const int held = players_of(w)[id].seen.held;
    if (held == BOW - SWORD + 1) return in_line(w, id, direction);
    const int32_t row = self->row + row_steps[direction];
    const int32_t column = self->column + column_steps[direction];
    const int32_t ahead = target_on(w, id, row, column);
    if (ahead >= 0 || held != 1) return ahead;
    const int32_t across = row_steps[direction] != 0;
    const int32_t left = target_on(w, id, row - !across, column - across);
    return left >= 0 ? left : target_on(w, id, row + !across, column + across);
}

/* A player hits the first target that it reaches and turns to it. */
static inline void attack(world* w, int32_t id, const puff_io* io) {
    body* self = &bodies_of(w)[id];
    const int deed = players_of(w)[id].seen.held == BOW - SWORD + 1 ? SHOOTING : STRIKING;
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        const int32_t other = target_at(w, id, direction);
        if (other < 0) continue;
        self->facing = (uint8_t)direction;
        if (!hit(w, id, other, deed)) return;
        if (is_player(w, other)) {
            kill_player(w, id, other, io);
        } else {
            kill_enemy(w, id, other, io);
        }
        return;
    }
}

/* An enemy hits a player, who falls where it stands. */
static inline void hit_player(world* w, int32_t enemy, int32_t id) {
    const int ranged = bodies_of(w)[enemy].ranged;
    player* who = &players_of(w)[id];
    who->shot = (uint8_t)ranged;
    who->struck_by = bodies_of(w)[enemy].level;
    if (!hit(w, enemy, id, ranged ? SHOOTING : STRIKING)) return;
    who->ended = DIED;
    lift(w, id);
}

#endif
