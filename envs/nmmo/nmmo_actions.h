/* What players of nmmo do in a tick. */
#ifndef NMMO_ACTIONS_H
#define NMMO_ACTIONS_H

#include "nmmo_enemies.h"

/* The first four walk in the directions of their numbers. */
enum {
    STAY = DIRECTIONS,
    ATTACK,
    FIRST_KEY,
    BUY = FIRST_KEY + SLOTS,
    SELL,
    FIRST_RUN,
    ACTIONS = FIRST_RUN + DIRECTIONS,
};

/* Two tiles at once, over what lies on the first, if both are free. */
static inline void run(world* w, int32_t id, int direction) {
    body* self = &bodies_of(w)[id];
    const int32_t row = self->row, column = self->column;
    const int32_t down = row_steps[direction], right = column_steps[direction];
    self->facing = (uint8_t)direction;
    if (!is_free(w, row + down, column + right)) return;
    if (!is_free(w, row + 2 * down, column + 2 * right)) return;
    lift(w, id);
    put(w, id, row + 2 * down, column + 2 * right);
    self->deed = RUNNING;
}

static inline void open_menu(world* w, int32_t id, int menu, const puff_io* io) {
    if (!bodies_of(w)[id].in_combat) {
        players_of(w)[id].seen.menu = (uint8_t)menu;
    } else {
        puff_tell(io, id, PUFF_OWN, "cannot trade in a fight");
    }
}

/* Keys go to the menu that is open, else to the slots. All else but staying closes it. */
static inline void act(world* w, int32_t id, int action, const puff_io* io) {
    self_seen* seen = &players_of(w)[id].seen;
    const int is_key = action >= FIRST_KEY && action < BUY;
    if (seen->menu && is_key) {
        choose_in_menu(w, id, action - FIRST_KEY, io);
        return;
    }
    if (action == STAY) return;
    seen->menu = seen->menu_slot = NO_MENU;
    if (is_key) {
        use_slot(w, id, action - FIRST_KEY, io);
    } else if (action == ATTACK) {
        attack(w, id, io);
    } else if (action == BUY) {
        open_menu(w, id, BUY_WARE, io);
    } else if (action == SELL) {
        open_menu(w, id, SELL_SLOT, io);
    } else {
        if (action < STAY) {
            walk(w, id, action);
        } else {
            run(w, id, action - FIRST_RUN);
        }
        if (bodies_of(w)[id].deed != STILL) pick_up(w, id, io);
    }
}

/* One player's part of a tick. Actions that are none count as staying. Who is played by a person
 * is not moved, and its ticks without progress do not count. */
static inline void turn_player(world* w, int32_t id, int32_t action, const puff_io* io) {
    body* self = &bodies_of(w)[id];
    player* who = &players_of(w)[id];
    const int person = puff_is_person(io, (uint32_t)id);
    if (!self->hp) return; /* another player killed it in this tick */
    self->last_row = self->row;
    self->last_column = self->column;
    who->born = who->ended = who->shot = 0;
    if (self->away) arrive(w, id);
    who->stale = (uint16_t)(who->stale + !person);
    if (who->stale >= STALE_AFTER) {
        who->ended = GONE_STALE;
        return;
    }
    if (self->away) return;
    self->deed = STILL;
    if (puff_random_below(&w->random, TELEPORT_ONE_IN) == 0 && !person) {
        teleport(w, id);
        puff_tell(io, id, PUFF_OWN, "is carried off to somewhere else");
    }
    self->hp = (uint8_t)(self->hp + (self->hp < MOST_HP));
    self->in_combat = (uint8_t)(self->in_combat - (self->in_combat > 0));
    if (self->in_combat) who->seen.menu = who->seen.menu_slot = NO_MENU;
    act(w, id, action >= 0 && action < ACTIONS ? action : STAY, io);
}

#endif
