/* Players of nmmo that were written by hand. They see what a policy sees, an observation, and have
 * a few bytes of memory; each is a yardstick for what is learned.
 *
 *   gatherer  gets a tool from weak enemies, then gathers what its tool is good for, and flees
 *   fighter   fights what it can beat, and takes herbs, armour and weapons as they come
 *   trader    a fighter that also gathers, sells what it does not wear and buys what is better
 */
#ifndef NMMO_PLAYERS_H
#define NMMO_PLAYERS_H

#include "nmmo/nmmo.c"

enum { GATHERER, FIGHTER, TRADER, SCRIPTS };

/* What a player remembers. */
typedef struct {
    puff_random random;
    int32_t heading, until; /* where it wanders, and how long on */
    int32_t script;
} mind;

enum { MIDDLE = VIEW / 2 };

static int seen_row(int cell) {
    return cell / VIEW_COLUMNS - SIGHT_ROWS;
}

static int seen_column(int cell) {
    return cell % VIEW_COLUMNS - SIGHT_COLUMNS;
}

static int is_open_to(const observation_seen* see, int cell) {
    return see->tiles[TERRAIN][cell] < FIRST_IMPASSABLE && !see->tiles[WHO_IS][cell];
}

static int beside_of(int cell, int direction) {
    const int row = cell / VIEW_COLUMNS + row_steps[direction];
    const int column = cell % VIEW_COLUMNS + column_steps[direction];
    if (row < 0 || column < 0 || row >= VIEW_ROWS || column >= VIEW_COLUMNS) return -1;
    return row * VIEW_COLUMNS + column;
}

/* Steps from the player to each tile in sight around what is in the way; 255 if there is none. */
static void find_ways(const observation_seen* see, uint8_t steps[VIEW], uint8_t first[VIEW]) {
    int line[VIEW], count = 0;
    memset(steps, 255, VIEW);
    steps[MIDDLE] = 0;
    line[count++] = MIDDLE;
    for (int i = 0; i < count; i++) {
        for (int d = 0; d < DIRECTIONS; d++) {
            const int next = beside_of(line[i], d);
            if (next < 0 || steps[next] != 255) continue;
            if (!is_open_to(see, next)) {
                /* The last step may be to somebody. */
                if (!see->tiles[WHO_IS][next]) continue;
                steps[next] = (uint8_t)(steps[line[i]] + 1);
                first[next] = line[i] == MIDDLE ? (uint8_t)d : first[line[i]];
                continue;
            }
            steps[next] = (uint8_t)(steps[line[i]] + 1);
            first[next] = line[i] == MIDDLE ? (uint8_t)d : first[line[i]];
            line[count++] = next;
        }
    }
}

static int slot_of(const observation_seen* see, int type, int worn) {
    int best = -1;
    for (int slot = 0; slot < SLOTS; slot++) {
        if (see->self.types[slot] != type || see->self.used[slot] != worn) continue;
        if (best < 0 || see->self.tiers[slot] > see->self.tiers[best]) best = slot;
    }
    return best;
}

/* The slot in which something is worn at a place; -1 if nothing is. */
static int worn_at(const observation_seen* see, int where) {
    for (int slot = 0; slot < SLOTS; slot++) {
        const int type = see->self.types[slot];
        if (type && see->self.used[slot] && place_of(type) == where) return slot;
    }
    return -1;
}

static int has_room(const observation_seen* see) {
    for (int slot = 0; slot < SLOTS; slot++) {
        if (!see->self.types[slot]) return 1;
    }
    return 0;
}

/* A key that wears what should be worn, taking off first what is in its place; -1 if all is well.
 * `hand` is what the hand should hold. */
static int dress(const observation_seen* see, int hand) {
    for (int slot = 0; slot < SLOTS; slot++) {
        const int type = see->self.types[slot], tier = see->self.tiers[slot];
        const int where = place_of(type);
        if (!type || see->self.used[slot] || where == UNWORN || where == ON_NECK) continue;
        if (where == IN_HAND && type != hand) continue;
        const int other = worn_at(see, where);
        if (other < 0) return FIRST_KEY + slot;
        const int better = where == IN_HAND && see->self.types[other] != hand;
        if (better || tier > see->self.tiers[other]) return FIRST_KEY + other;
    }
    return -1;
}

static int enemies_from(const observation_seen* see, int cell) {
    return see->tiles[WHO_IS][cell] >= ENEMY;
}

/* Weighs enemies in sight, by what they show of their levels. */
static int is_beatable(const observation_seen* see, int cell) {
    const int gear = 2 * (see->self.attack + see->self.defence);
    const int above = gear >= 32 ? 5 : gear >= 16 ? 3 : 1;
    return see->tiles[LEVEL][cell] <= EQUAL + above && see->tiles[WHO_IS][cell] == ENEMY;
}

/* Away from enemies that are too strong, if any are near. */
static int flee(const observation_seen* see, const mind* own) {
    (void)own;
    int best = -1, best_far = 0, danger = 0;
    for (int d = -1; d < DIRECTIONS; d++) {
        int far = 0;
        for (int run = 2; run >= 1; run--) {
            const int one = d < 0 ? MIDDLE : beside_of(MIDDLE, d);
            const int cell = d < 0 || run == 1 ? one : beside_of(one, d);
            if (d >= 0 && (!is_open_to(see, one) || !is_open_to(see, cell))) continue;
            far = 0;
            for (int i = 0; i < VIEW; i++) {
                if (!enemies_from(see, i) || is_beatable(see, i)) continue;
                const int rows = abs(seen_row(i) - seen_row(cell));
                const int columns = abs(seen_column(i) - seen_column(cell));
                const int near = 12 - rows - columns;
                if (abs(seen_row(i)) <= 5 && abs(seen_column(i)) <= 6) danger = 1;
                far -= near > 0 ? near * near : 0;
                if ((!rows || !columns) && see->tiles[WHO_IS][i] > ENEMY) far -= 20;
            }
            if (best < 0 || far > best_far) {
                best_far = far;
                best = d < 0 ? STAY : run == 1 ? d : FIRST_RUN + d;
            }
        }
    }
    return danger ? best : -1;
}

/* Goes on in one direction for a while. */
static int wander(const observation_seen* see, mind* own) {
    for (int i = 0; i < 8; i++) {
        const int next = beside_of(MIDDLE, own->heading);
        if (own->until-- > 0 && is_open_to(see, next)) {
            const int second = beside_of(next, own->heading);
            return is_open_to(see, second) ? FIRST_RUN + own->heading : own->heading;
        }
        own->heading = (int32_t)puff_random_below(&own->random, DIRECTIONS);
        own->until = 10 + (int32_t)puff_random_below(&own->random, 20);
    }
    return STAY;
}

/* The nearest tile that is wanted; -1 if there is none in reach. */
static int nearest(const uint8_t* steps, const uint8_t* wanted) {
    int best = -1;
    for (int i = 0; i < VIEW; i++) {
        if (!wanted[i] || steps[i] == 255 || i == MIDDLE) continue;
        if (best < 0 || steps[i] < steps[best]) best = i;
    }
    return best;
}

static int tool_tier(const observation_seen* see) {
    int best = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
        const int tier = see->self.tiers[slot];
        if (see->self.types[slot] == TOOL && tier > best) best = tier;
    }
    return best;
}

/* What lies there is worth a way: a better tool, and with one what it is good for. */
static int is_wanted(const observation_seen* see, int cell, int script, int tier) {
    const int item = see->tiles[ITEM][cell], of = see->tiles[TIER][cell];
    if (!item || !has_room(see)) return 0;
    if (item == TOOL) return of > tier;
    if (of > tier) return 0;
    const int made = item == ORE || item == HILT;
    if (script == FIGHTER) return item == HERB || made;
    return see->self.profession < tier_level(of) || item == HERB || (script == TRADER && made);
}

/* Sells what is of no use, so that there is room: a key, or -1. */
static int trade(const observation_seen* see) {
    const self_seen* self = &see->self;
    if (self->menu == SELL_PRICE) return FIRST_KEY + 1;
    int spare = -1;
    for (int slot = 0; slot < SLOTS; slot++) {
        const int type = self->types[slot];
        if (!type || self->used[slot] || type == HERB) continue;
        const int where = place_of(type);
        const int worn = where == UNWORN ? -1 : worn_at(see, where);
        if (where == ON_NECK || (worn >= 0 && self->types[worn] == type)) spare = slot;
    }
    if (self->menu == SELL_SLOT) return spare >= 0 ? FIRST_KEY + spare : STAY;
    for (int key = 0; key < SLOTS && has_room(see); key++) {
        const int type = self->shop_types[key];
        if (type < HELM || type > SWORD || slot_of(see, type, 0) >= 0) continue;
        if (self->worn[place_of(type)] >= self->shop_tiers[key]) continue;
        return self->menu == BUY_WARE ? FIRST_KEY + key : BUY;
    }
    return spare >= 0 ? SELL : self->menu ? UP : -1;
}

/* What a player does, by its script. */
static int32_t decide(const observation_seen* see, mind* own) {
    const self_seen* self = &see->self;
    const int tier = tool_tier(see), fights = own->script != GATHERER;
    const int herb = slot_of(see, HERB, 0);
    if (herb >= 0 && self->hp < 40) return FIRST_KEY + herb;
    uint8_t steps[VIEW], first[VIEW] = {0}, wanted[VIEW];
    find_ways(see, steps, first);
    const int away = flee(see, own);
    if (away >= 0) return away;
    /* An enemy beside that can be beaten. */
    int prey_near = 0;
    for (int d = 0; d < DIRECTIONS; d++) {
        const int cell = beside_of(MIDDLE, d);
        prey_near |= enemies_from(see, cell);
    }
    if (prey_near) return ATTACK;
    if (!self->in_combat) {
        const int sword = slot_of(see, SWORD, 0) >= 0 || slot_of(see, SWORD, 1) >= 0;
        const int learns = self->profession < tier_level(tier) && self->profession < MOST_LEVEL;
        const int armoured = self->worn[ON_HEAD] + self->worn[ON_CHEST] + self->worn[ON_LEGS] > 1;
        const int gathers = !fights || self->profession <= self->combat;
        const int hand = sword && (!tier || (armoured && !(learns && gathers))) ? SWORD : TOOL;
        const int key = dress(see, hand);
        if (!self->menu && key >= 0) return key;
        if (own->script == TRADER) {
            const int traded = trade(see);
            if (traded >= 0) return traded;
        }
    }
    const int held_tier = self->held == TOOL - SWORD + 1 ? self->worn[IN_HAND] : 0;
    for (int i = 0; i < VIEW; i++) {
        wanted[i] =
            (uint8_t)(is_wanted(see, i, own->script, held_tier) ||
                      (see->tiles[ITEM][i] == TOOL && see->tiles[TIER][i] > tier && has_room(see)));
    }
    int goal = nearest(steps, wanted);
    for (int i = 0; i < VIEW; i++) {
        wanted[i] = (uint8_t)(self->hp > 60 && is_beatable(see, i) && (fights || !tier));
    }
    const int prey = nearest(steps, wanted);
    if (goal < 0 || (prey >= 0 && fights && self->combat <= self->profession)) {
        goal = prey >= 0 ? prey : goal;
    }
    if (goal >= 0) return first[goal];
    if (self->hp < 60 && fights) return STAY;
    return wander(see, own);
}

#endif
