/* The world of nmmo: one flat block of memory, its parts found by offsets, and who stands where.
 *
 * What an observation shows of a tile lies ready in a record of 8 bytes. Beside the records there
 * are maps of one bit a tile, small enough to stay in the nearest cache: they answer who is near.
 */
#ifndef NMMO_WORLD_H
#define NMMO_WORLD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nmmo_tables.h"
#include "random.h"

enum { SIGHT_ROWS = 5, SIGHT_COLUMNS = 7 }; /* cells seen to each side; the border is as thick */
enum { VIEW_ROWS = 2 * SIGHT_ROWS + 1, VIEW_COLUMNS = 2 * SIGHT_COLUMNS + 1 };
enum { VIEW = VIEW_ROWS * VIEW_COLUMNS };
enum { SLOTS = 12, WARES = GOODS * TIERS, OFFERS = 32 };
/* Rows are longer in memory than in the world, for reading 16 records at once, and so that rows
 * which are looked at together do not all come to the same place of a cache. */
enum { PADDING = 8 };
enum { LEAST_SIDE = 2 * SIGHT_COLUMNS + 2 };

/* Bytes of a tile's record; each is a field of the observation. */
enum { TERRAIN, ITEM, TIER, WHO_IS, LEVEL, HEALTH, DEED, FACING, RECORD };

/* Whom both players and enemies have: a body. Players come first. */
typedef struct {
    int16_t row, column, last_row, last_column; /* the last are of before the tick, for drawing */
    uint8_t level, hp, element, facing, deed, in_combat;
    uint8_t ranged; /* an enemy that shoots */
    uint8_t away;   /* not on the map: ticks until it comes back */
} body;

/* What a player sees of itself, as it is in the observation. */
typedef struct {
    uint8_t combat, profession, hp, gold, in_combat, stale, attack, defence;
    uint8_t element, facing, menu, menu_slot, held;
    uint8_t worn[PLACES]; /* tiers */
    uint8_t types[SLOTS], tiers[SLOTS], used[SLOTS];
    uint8_t shop_types[SLOTS], shop_tiers[SLOTS]; /* what each key buys in that menu */
} self_seen;

/* How a life is after a tick. */
enum { GOES_ON, DIED, SLAIN /* by another player */, GONE_STALE };

/* What only players have. */
typedef struct {
    self_seen seen;
    uint8_t born;  /* in this tick */
    uint8_t ended; /* how the life ended in this tick */
    uint8_t shot;  /* whether the last blow was an arrow */
    uint8_t best_tier;
    uint8_t struck_by; /* the level of whose blow was the last one */
    uint16_t stale;    /* ticks since the lesser level rose, and no person played */
    uint16_t offers;
    int16_t attack, defence; /* of the gear */
    uint16_t fallen_row, fallen_column;
} player;

/* What players gather, by kind. */
enum { TOOLS, ARMOUR, SWORDS, BOWS, GEMS, HERBS, GATHERED };

/* What a player has done in this life: for figures only, so apart from what each tick reads. */
typedef struct {
    uint32_t kills, gathered[GATHERED], by_tier[TIERS];
    uint32_t offered, sold, gold_for_sales, bought, gold_spent;
} deeds;

typedef struct {
    int32_t cell;
    uint32_t due; /* tick */
    uint8_t item, tier;
} pending;

/* A queue in which everything waits equally long. */
typedef struct {
    uint32_t first, count, room, at;
} queue;

typedef struct {
    uint16_t seller;
    uint8_t price;
} offer;

typedef struct {
    puff_random random;
    int32_t side, width; /* cells of a row in the world, and in memory */
    int32_t players, entities;
    float item_reward, trade_reward;
    uint32_t tick;
    int32_t passable;  /* cells */
    int32_t level_sum; /* of the lesser levels of all players */
    int32_t player_fights, teams;
    uint32_t bit_stride;
    uint32_t tiles_at, ids_at, bodies_at, players_at, deeds_at, occupied_at, by_players_at;
    uint32_t spots_at;
    queue returns, drops;
    uint8_t prices[WARES]; /* the lowest that each is offered for, 0: not for sale */
    uint8_t offer_counts[WARES];
    offer offers[WARES][OFFERS]; /* the cheapest first, of equal ones the oldest */
} world;

static inline uint8_t* part(const world* w, uint32_t at) {
    return (uint8_t*)(uintptr_t)w + at;
}

static inline uint8_t* tile_at(const world* w, int32_t cell) {
    return part(w, w->tiles_at) + (size_t)RECORD * (size_t)cell;
}

static inline uint16_t* ids_of(const world* w) {
    return (uint16_t*)(void*)part(w, w->ids_at);
}

static inline body* bodies_of(const world* w) {
    return (body*)(void*)part(w, w->bodies_at);
}

static inline player* players_of(const world* w) {
    return (player*)(void*)part(w, w->players_at);
}

static inline deeds* deeds_of(const world* w) {
    return (deeds*)(void*)part(w, w->deeds_at);
}

static inline int32_t cell_at(const world* w, int32_t row, int32_t column) {
    return row * w->width + column;
}

static inline int32_t cells_of(const world* w) {
    return w->side * w->width;
}

static inline int32_t cell_of(const world* w, const body* who) {
    return cell_at(w, who->row, who->column);
}

/* Resources for each player: ore and herbs 2, hilts and wood 1, each of four gems 1/2. */
static inline uint32_t resources_of(int32_t players) {
    return 8 * (uint32_t)players;
}

static inline uint32_t take_bytes(size_t* size, size_t bytes) {
    const size_t at = *size;
    *size = at + (bytes + 63) / 64 * 64;
    return (uint32_t)at;
}

/* Lays out a world; returns its size in bytes. */
static inline size_t lay_out(world* w, int32_t side, int32_t players) {
    const size_t cells = (size_t)side * (size_t)(side + PADDING);
    size_t size = (sizeof(world) + 63) / 64 * 64;
    w->side = side;
    w->width = side + PADDING;
    w->players = players;
    w->entities = 3 * players;
    w->bit_stride = ((uint32_t)side + 63) / 64 * 8 + 8;
    const size_t map = (size_t)w->bit_stride * (size_t)side;
    w->tiles_at = take_bytes(&size, RECORD * cells);
    w->ids_at = take_bytes(&size, sizeof(uint16_t) * cells);
    w->bodies_at = take_bytes(&size, sizeof(body) * (size_t)w->entities);
    w->players_at = take_bytes(&size, sizeof(player) * (size_t)players);
    w->deeds_at = take_bytes(&size, sizeof(deeds) * (size_t)players);
    w->occupied_at = take_bytes(&size, map);
    w->by_players_at = take_bytes(&size, map);
    w->spots_at = take_bytes(&size, map);
    w->returns.room = resources_of(players);
    w->returns.at = take_bytes(&size, sizeof(pending) * w->returns.room);
    /* An enemy dies at most once in ENEMY_AWAY + 1 ticks. */
    w->drops.room = (DROP_LIES / (ENEMY_AWAY + 1) + 2) * 2 * (uint32_t)players;
    w->drops.at = take_bytes(&size, sizeof(pending) * w->drops.room);
    return size;
}

/* Bits of a map from a tile on to the right, at least 57; the first is the lowest. */
static inline uint64_t bits_from(const world* w, uint32_t map, int32_t row, int32_t column) {
    uint64_t bits;
    memcpy(&bits, part(w, map) + (size_t)row * w->bit_stride + (size_t)column / 8, sizeof bits);
    return bits >> column % 8;
}

static inline int is_set(const world* w, uint32_t map, int32_t row, int32_t column) {
    return part(w, map)[(size_t)row * w->bit_stride + (size_t)column / 8] >> column % 8 & 1;
}

static inline void set_bit(world* w, uint32_t map, int32_t row, int32_t column, int value) {
    uint8_t* byte = part(w, map) + (size_t)row * w->bit_stride + (size_t)column / 8;
    *byte = (uint8_t)((*byte & ~(1u << column % 8)) | (uint32_t)value << column % 8);
}

static inline int is_passable(const world* w, int32_t row, int32_t column) {
    return tile_at(w, cell_at(w, row, column))[TERRAIN] < FIRST_IMPASSABLE;
}

static inline int is_free(const world* w, int32_t row, int32_t column) {
    return is_passable(w, row, column) && !is_set(w, w->occupied_at, row, column);
}

static inline int is_player(const world* w, int32_t id) {
    return id < w->players;
}

/* The team of a player, from 0; only where there are any. */
static inline int32_t team_of(const world* w, int32_t id) {
    return id % w->teams;
}

/* Whether two players belong together. */
static inline int are_mates(const world* w, int32_t id, int32_t other) {
    return w->teams && team_of(w, id) == team_of(w, other);
}

/* What a tile shows of who stands on it. */
static inline void show(world* w, int32_t id) {
    const body* who = &bodies_of(w)[id];
    if (who->away) return;
    uint8_t* tile = tile_at(w, cell_of(w, who));
    tile[WHO_IS] = (uint8_t)((is_player(w, id) ? PLAYER : ENEMY) + who->element);
    tile[LEVEL] = who->level;
    tile[HEALTH] = who->hp / 20;
    tile[DEED] = who->deed;
    tile[FACING] = who->facing;
}

/* Takes somebody from the map; a tile without anybody shows nobody. */
static inline void lift(world* w, int32_t id) {
    const body* who = &bodies_of(w)[id];
    set_bit(w, w->occupied_at, who->row, who->column, 0);
    if (is_player(w, id)) set_bit(w, w->by_players_at, who->row, who->column, 0);
    memset(tile_at(w, cell_of(w, who)) + WHO_IS, 0, RECORD - WHO_IS);
}

/* Puts somebody on a free tile. */
static inline void put(world* w, int32_t id, int32_t row, int32_t column) {
    body* who = &bodies_of(w)[id];
    who->row = (int16_t)row;
    who->column = (int16_t)column;
    set_bit(w, w->occupied_at, row, column, 1);
    if (is_player(w, id)) set_bit(w, w->by_players_at, row, column, 1);
    ids_of(w)[cell_at(w, row, column)] = (uint16_t)id;
}

static inline pending* pending_at(const world* w, const queue* q, uint32_t index) {
    return (pending*)(void*)part(w, q->at) + (q->first + index) % q->room;
}

static inline void enqueue(world* w, queue* q, pending what) {
    pending* last = pending_at(w, q, q->count++);
    last->cell = what.cell;
    last->due = what.due;
    last->item = what.item;
    last->tier = what.tier;
}

static inline void dequeue(queue* q) {
    q->first = (q->first + 1) % q->room;
    q->count--;
}

#endif
