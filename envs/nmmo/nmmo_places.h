/* Places for those who come into the world or are moved in it. */
#ifndef NMMO_PLACES_H
#define NMMO_PLACES_H

#include "nmmo_world.h"

enum { SAFE = 5 /* cells to each side without anybody */, TRIES = 64 };

typedef struct {
    int32_t row, column;
} place;

static inline place random_place(world* w) {
    const uint32_t rows = (uint32_t)(w->side - 2 * SIGHT_ROWS);
    const uint32_t columns = (uint32_t)(w->side - 2 * SIGHT_COLUMNS);
    const int32_t row = SIGHT_ROWS + (int32_t)puff_random_below(&w->random, rows);
    const int32_t column = SIGHT_COLUMNS + (int32_t)puff_random_below(&w->random, columns);
    return (place){row, column};
}

static inline int is_safe(const world* w, place where) {
    for (int32_t row = where.row - SAFE; row <= where.row + SAFE; row++) {
        const uint64_t bits = bits_from(w, w->occupied_at, row, where.column - SAFE);
        if (bits & ((1u << (2 * SAFE + 1)) - 1)) return 0;
    }
    return 1;
}

/* A random tile where one can stand with nobody near; in a crowd any free tile, found by going
 * through all of them from a random one on. Returns 0 if there is none. */
static inline int find_place(world* w, place* found) {
    if (!w->passable) return 0;
    for (int crowded = 0; crowded < 2; crowded++) {
        for (int i = 0; i < TRIES; i++) {
            *found = random_place(w);
            if (is_free(w, found->row, found->column) && (crowded || is_safe(w, *found))) return 1;
        }
    }
    const place start = random_place(w);
    *found = start;
    do {
        if (++found->column == w->side - SIGHT_COLUMNS) {
            found->column = SIGHT_COLUMNS;
            if (++found->row == w->side - SIGHT_ROWS) found->row = SIGHT_ROWS;
        }
        if (is_free(w, found->row, found->column)) return 1;
    } while (found->row != start.row || found->column != start.column);
    return 0;
}

/* Brings somebody who is not on the map into the world; without room, it is tried again in the next
 * tick. */
static inline void arrive(world* w, int32_t id) {
    body* who = &bodies_of(w)[id];
    place found;
    who->away = !find_place(w, &found);
    if (who->away) {
        who->row = who->last_row = SIGHT_ROWS;
        who->column = who->last_column = SIGHT_COLUMNS;
        return;
    }
    put(w, id, found.row, found.column);
    who->last_row = who->row;
    who->last_column = who->column;
}

/* Moves somebody to a place of nobody's choice. */
static inline void teleport(world* w, int32_t id) {
    place found;
    if (!find_place(w, &found)) return;
    lift(w, id);
    put(w, id, found.row, found.column);
    body* who = &bodies_of(w)[id];
    who->last_row = who->row;
    who->last_column = who->column;
}

#endif
