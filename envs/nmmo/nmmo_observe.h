/* What a player of nmmo sees: each fact of all tiles around it, then itself, then the market. */
#ifndef NMMO_OBSERVE_H
#define NMMO_OBSERVE_H

#include "nmmo_world.h"

typedef struct {
    uint8_t tiles[RECORD][VIEW]; /* one fact of all tiles after the other */
    self_seen self;
    uint8_t prices[WARES];
} observation_seen;

enum { EQUAL = 3, LEVEL_CLASSES = 10, HEALTH_CLASSES = MOST_HP / 20 + 1 };

/* How far a level is above one's own: EQUAL where it is the same, which is what an enemy must have
 * for a kill to raise one's own; 0 for all that are further below. */
static inline uint8_t level_above(int32_t level, int32_t own) {
    const int32_t above = level - own + EQUAL;
    return (uint8_t)(above < 0 ? 0 : above >= LEVEL_CLASSES ? LEVEL_CLASSES - 1 : above);
}

/* 16 bytes at once. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));

#if defined(__AVX512VBMI__) && !defined(__clang__)
/* Turns 16 records of 8 facts into 8 vectors of 16: byte f * 16 + t of all was byte 8 * t + f. */
typedef uint8_t bytes64 __attribute__((vector_size(64)));

static const bytes64 first_facts = {0,   8,   16,  24,  32,  40,  48,  56,  64,  72,  80,  88, 96,
                                    104, 112, 120, 1,   9,   17,  25,  33,  41,  49,  57,  65, 73,
                                    81,  89,  97,  105, 113, 121, 2,   10,  18,  26,  34,  42, 50,
                                    58,  66,  74,  82,  90,  98,  106, 114, 122, 3,   11,  19, 27,
                                    35,  43,  51,  59,  67,  75,  83,  91,  99,  107, 115, 123};
static const bytes64 other_facts = {4,   12,  20,  28,  36,  44,  52,  60,  68,  76,  84,  92, 100,
                                    108, 116, 124, 5,   13,  21,  29,  37,  45,  53,  61,  69, 77,
                                    85,  93,  101, 109, 117, 125, 6,   14,  22,  30,  38,  46, 54,
                                    62,  70,  78,  86,  94,  102, 110, 118, 126, 7,   15,  23, 31,
                                    39,  47,  55,  63,  71,  79,  87,  95,  103, 111, 119, 127};

static inline void transpose(const uint8_t* from, bytes16* facts) {
    bytes64 low, high;
    memcpy(&low, from, sizeof low);
    memcpy(&high, from + sizeof low, sizeof high);
    const bytes64 one = __builtin_shuffle(low, high, first_facts);
    const bytes64 other = __builtin_shuffle(low, high, other_facts);
    memcpy(facts, &one, sizeof one);
    memcpy(facts + RECORD / 2, &other, sizeof other);
}
#else
/* The lower or upper halves of two of them in turns. */
#if defined(__clang__)
#define SHUFFLED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLED(a, b, ...) __builtin_shuffle(a, b, (bytes16){__VA_ARGS__})
#endif
#define LOWER(a, b) SHUFFLED(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define UPPER(a, b) SHUFFLED(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* One round: what was byte b of vector v, with b and v in binary one number of 7 digits, comes to
 * where that number leads whose digits are rotated to the left by one. */
static inline void rotate_places(const bytes16* from, bytes16* to) {
    for (int i = 0; i < RECORD / 2; i++) {
        to[2 * i] = LOWER(from[i], from[i + RECORD / 2]);
        to[2 * i + 1] = UPPER(from[i], from[i + RECORD / 2]);
    }
}

/* Turns 16 records, 4 digits, of 8 facts, 3 digits, into 8 vectors of 16: four rounds. */
static inline void transpose(const uint8_t* from, bytes16* facts) {
    bytes16 other[RECORD];
    memcpy(facts, from, RECORD * sizeof *facts);
    for (int round = 0; round < 2; round++) {
        rotate_places(facts, other);
        rotate_places(other, facts);
    }
}
#endif

/* Rows are written 16 facts wide; the one too much is overwritten by what comes after it, but for
 * the last row, after which nothing does. */
static inline void observe_tiles(const world* w, const body* self, observation_seen* seen) {
    const uint8_t* from =
        tile_at(w, cell_at(w, self->row - SIGHT_ROWS, self->column - SIGHT_COLUMNS));
    const size_t below = (size_t)RECORD * (size_t)w->width;
    bytes16 facts[RECORD];
    for (int row = 0; row < VIEW_ROWS - 1; row++, from += below) {
        transpose(from, facts);
        for (int fact = 0; fact < RECORD; fact++) {
            memcpy(seen->tiles[fact] + row * VIEW_COLUMNS, &facts[fact], sizeof *facts);
        }
    }
    transpose(from, facts);
    for (int fact = 0; fact < RECORD; fact++) {
        memcpy(seen->tiles[fact] + VIEW - VIEW_COLUMNS, &facts[fact], VIEW_COLUMNS);
    }
}

/* Tiles show levels as they are, and everybody sees them from its own. */
static inline void observe_levels(const world* w, const body* self, observation_seen* seen) {
    const int32_t left = self->column - SIGHT_COLUMNS;
    for (int row = 0; row < VIEW_ROWS; row++) {
        const uint64_t there = bits_from(w, w->occupied_at, self->row - SIGHT_ROWS + row, left);
        uint32_t bits = there & ((1u << VIEW_COLUMNS) - 1);
        for (; bits; bits &= bits - 1) {
            uint8_t* level = &seen->tiles[LEVEL][row * VIEW_COLUMNS + __builtin_ctz(bits)];
            *level = level_above(*level, self->level);
        }
    }
}

/* Who is of one's own team; it counts oneself. */
static inline void observe_mates(const world* w, int32_t id, observation_seen* seen) {
    const body* self = &bodies_of(w)[id];
    const int32_t left = self->column - SIGHT_COLUMNS;
    for (int i = 0; i < VIEW_ROWS; i++) {
        const int32_t row = self->row - SIGHT_ROWS + i;
        uint32_t bits = bits_from(w, w->by_players_at, row, left) & ((1u << VIEW_COLUMNS) - 1);
        for (; bits; bits &= bits - 1) {
            const int column = __builtin_ctz(bits);
            if (!are_mates(w, id, ids_of(w)[cell_at(w, row, left + column)])) continue;
            seen->tiles[WHO_IS][i * VIEW_COLUMNS + column] += MATE - PLAYER;
        }
    }
}

enum { CACHE_LINE = 64, SOON = 2 /* how many players ahead memory is asked for */ };

/* Asks for the records that somebody looks at and for where it writes them, while others are
 * looked at: nearly all of the time goes into waiting for memory. */
static inline void expect(const world* w, int32_t id, const observation_seen* seen) {
    const body* self = &bodies_of(w)[id];
    const uint8_t* from =
        tile_at(w, cell_at(w, self->row - SIGHT_ROWS, self->column - SIGHT_COLUMNS));
    const size_t below = (size_t)RECORD * (size_t)w->width;
    for (int row = 0; row < VIEW_ROWS; row++, from += below) {
        __builtin_prefetch(from);
        __builtin_prefetch(from + CACHE_LINE);
    }
    const uint8_t* to = (const uint8_t*)seen;
    for (size_t at = 0; at < sizeof *seen; at += CACHE_LINE) __builtin_prefetch(to + at, 1);
}

static inline void observe(const world* w, int32_t id, observation_seen* seen) {
    const body* self = &bodies_of(w)[id];
    const player* who = &players_of(w)[id];
    observe_tiles(w, self, seen);
    observe_levels(w, self, seen);
    if (w->teams) observe_mates(w, id, seen);
    seen->self = who->seen;
    seen->self.combat = self->level;
    seen->self.hp = self->hp;
    seen->self.in_combat = self->in_combat;
    seen->self.stale = (uint8_t)(who->stale / 2);
    seen->self.attack = (uint8_t)(who->attack / 2);
    seen->self.defence = (uint8_t)(who->defence / 2);
    seen->self.element = self->element;
    seen->self.facing = self->facing;
    memcpy(seen->prices, w->prices, WARES);
}

#endif
