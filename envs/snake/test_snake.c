/* Tests of snake's rules: build with the folder `envs` on the include path and run. */
#include "snake.c"

#include <assert.h>

static uint8_t observations[SNAKES][SEEN], terminals[SNAKES], truncations[SNAKES], alive[SNAKES];
static float rewards[SNAKES], scores[SNAKES], statistics[SNAKES][STATISTICS];
static int32_t actions[SNAKES];

static const puff_io io = {
    .actions = actions,
    .observations = observations,
    .rewards = rewards,
    .terminals = terminals,
    .truncations = truncations,
    .alive = alive,
    .scores = scores,
    .statistics = statistics[0],
    .observation_bytes = SEEN,
};

static field world; /* too large for the stack of some systems */

/* The middle of the field, where the tests put things. */
enum { MIDDLE = 180 * WIDTH + 320 };

static void step(void) {
    memset(rewards, 0, sizeof rewards);
    memset(terminals, 0, sizeof terminals);
    memset(truncations, 0, sizeof truncations);
    snake_step(&world, &io);
}

static void fresh(uint64_t seed) {
    memset(&world, 0, sizeof world);
    snake_init(&world, NULL, seed);
    snake_reset(&world, &io);
}

/* An empty field but for the snakes; they begin in its last row, far from where the tests play. The
 * first few are for the test to lay. */
static void bare(int few) {
    fresh(1);
    for (int cell = 0; cell < CELLS; cell++) {
        if (world.cells[cell] != WALL) world.cells[cell] = EMPTY;
    }
    for (int id = 0; id < SNAKES; id++) {
        const int cell = (HEIGHT - VISION - 1) * WIDTH + VISION + id;
        world.snakes[id] = (snake){.head = cell, .tail = cell, .length = 1};
        world.cells[cell] = body_of((uint32_t)id, UP);
        actions[id] = UP;
    }
    for (int id = 0; id < few; id++) world.cells[world.snakes[id].head] = EMPTY;
}

/* Lays a snake from its tail on; `way` holds a letter for each move: u d l r. */
static void lay(int id, int tail, const char* way) {
    snake* self = &world.snakes[id];
    *self = (snake){.head = tail, .tail = tail, .length = 1, .last_head = tail, .last_tail = tail};
    world.cells[tail] = body_of((uint32_t)id, UP);
    for (; *way; way++) {
        const uint32_t direction = *way == 'u'   ? UP
                                   : *way == 'd' ? DOWN
                                   : *way == 'l' ? LEFT
                                                 : RIGHT;
        const uint16_t segment = body_of((uint32_t)id, direction);
        world.cells[self->head] = segment;
        self->head += steps_to[direction];
        world.cells[self->head] = segment;
        self->length++;
    }
}

static int count(uint16_t kind) {
    int found = 0;
    for (int cell = 0; cell < CELLS; cell++) found += world.cells[cell] == kind;
    return found;
}

static void test_start(void) {
    fresh(7);
    assert(count(FOOD) == FOODS && count(CORPSE) == 0);
    assert(count(WALL) == CELLS - INNER_WIDTH * INNER_HEIGHT);
    assert(count(EMPTY) == INNER_WIDTH * INNER_HEIGHT - FOODS - SNAKES);
    for (int id = 0; id < SNAKES; id++) {
        const snake* self = &world.snakes[id];
        assert(self->length == 1 && self->head == self->tail);
        assert(belongs_to(world.cells[self->head], (uint32_t)id));
        assert(observations[id][SEEN / 2] == OWN);
    }
}

static void test_moves(void) {
    for (int32_t direction = UP; direction <= RIGHT; direction++) {
        bare(1);
        lay(0, MIDDLE, "");
        actions[0] = direction;
        step();
        assert(world.snakes[0].head == MIDDLE + steps_to[direction]);
        assert(world.cells[MIDDLE] == EMPTY && world.snakes[0].length == 1);
        assert(rewards[0] == 0 && !terminals[0]);
    }
}

/* A snake of two cells or more goes on where it would turn back; one of a single cell may turn. */
static void test_neck(void) {
    bare(1);
    lay(0, MIDDLE, "r");
    actions[0] = LEFT;
    step();
    assert(world.snakes[0].head == MIDDLE + 2 && world.snakes[0].tail == MIDDLE + 1);
    bare(1);
    lay(0, MIDDLE, "");
    actions[0] = LEFT;
    step();
    actions[0] = RIGHT;
    step();
    assert(world.snakes[0].head == MIDDLE);
}

static void test_food(void) {
    bare(1);
    lay(0, MIDDLE, "r");
    world.cells[MIDDLE + 2] = FOOD;
    actions[0] = RIGHT;
    step();
    assert(rewards[0] == 0.1f && !terminals[0] && world.snakes[0].food == 1);
    assert(world.snakes[0].length == 3 && world.snakes[0].tail == MIDDLE);
    assert(count(FOOD) == 1); /* another one, somewhere */
}

static void test_corpse(void) {
    bare(1);
    lay(0, MIDDLE, "r");
    world.cells[MIDDLE + 2] = CORPSE;
    actions[0] = RIGHT;
    step();
    assert(rewards[0] == 0.1f && world.snakes[0].corpses == 1 && world.snakes[0].length == 3);
    assert(count(CORPSE) == 0 && count(FOOD) == 0);
}

static void test_longest(void) {
    bare(1);
    lay(0, MIDDLE, "r");
    world.snakes[0].length = LONGEST; /* as if it were */
    world.cells[MIDDLE + 2] = FOOD;
    actions[0] = RIGHT;
    step();
    assert(rewards[0] == 0.1f && world.snakes[0].length == LONGEST);
    assert(world.snakes[0].tail == MIDDLE + 1 && world.cells[MIDDLE] == EMPTY);
}

/* Of five segments the second and the fourth, from the tail, become corpses. */
static void test_death(void) {
    bare(1);
    const int tail = VISION * WIDTH + VISION; /* the corner of the field */
    lay(0, tail + 4, "llll");
    world.snakes[0].food = 3;
    world.snakes[0].corpses = 1;
    actions[0] = LEFT;
    step();
    assert(rewards[0] == -1 && terminals[0] && !truncations[0] && scores[0] == 5);
    assert(statistics[0][STAT_FOOD] == 3 && statistics[0][STAT_CORPSES] == 1);
    assert(statistics[0][STAT_AT_WALL] == 1 && statistics[0][STAT_AT_ITSELF] == 0);
    assert(world.cells[tail + 3] == CORPSE && world.cells[tail + 1] == CORPSE);
    assert(world.cells[tail] == EMPTY && world.cells[tail + 2] == EMPTY);
    assert(world.snakes[0].length == 1 && world.snakes[0].food == 0);
    assert(observations[0][SEEN / 2] == OWN); /* seen from the new place already */
}

/* A body is in the way, even a tail that would move on. */
static void test_bodies(void) {
    bare(1);
    lay(0, MIDDLE, "dru");
    actions[0] = LEFT;
    step();
    assert(terminals[0] && scores[0] == 4 && statistics[0][STAT_AT_ITSELF] == 1);

    bare(2);
    lay(0, MIDDLE, "");
    lay(1, MIDDLE + 1, "");
    actions[0] = RIGHT;
    actions[1] = RIGHT;
    step();
    assert(terminals[0] && !terminals[1]); /* the first moves before the second has left */
    assert(statistics[0][STAT_AT_ITSELF] == 0 && statistics[0][STAT_AT_WALL] == 0);

    bare(2);
    lay(0, MIDDLE + 1, "");
    lay(1, MIDDLE, "");
    actions[0] = RIGHT;
    actions[1] = RIGHT;
    step();
    assert(!terminals[0] && !terminals[1]);
}

static void test_observation(void) {
    bare(2);
    lay(0, VISION * WIDTH + VISION, "rr"); /* in the corner: walls above and to the left */
    lay(1, (VISION + 3) * WIDTH + VISION, "ru");
    actions[0] = actions[1] = RIGHT;
    world.cells[(VISION + 2) * WIDTH + VISION + 3] = FOOD;
    world.cells[(VISION + 5) * WIDTH + VISION + 8] = CORPSE;
    world.cells[(VISION + 6) * WIDTH + VISION + 3] = FOOD; /* out of sight */
    step();
    static const char want[] = "###########"
                               "###########"
                               "###########"
                               "###########"
                               "###########"
                               "##.mmm....."
                               "##........."
                               "##.oo+....."
                               "##.o......."
                               "##........."
                               "##........x";
    static const char letters[CLASSES + 1] = ".+x#om";
    for (int i = 0; i < SEEN; i++) assert(letters[observations[0][i]] == want[i]);
    assert(observations[1][SEEN / 2] == OWN && observations[1][SEEN / 2 - 2 * SIDE] == OTHER);
}

/* However long everybody plays, the bodies stay whole and the food stays as much. */
static void test_bodies_stay_whole(void) {
    fresh(3);
    puff_random dice = {5};
    for (int tick = 0; tick < 3000; tick++) {
        for (int id = 0; id < SNAKES; id++) {
            /* Straight on for the most part, so that bodies grow. */
            if (puff_random_below(&dice, 8) == 0) {
                actions[id] = (int32_t)puff_random_below(&dice, DIRECTIONS);
            }
        }
        step();
    }
    int segments = 0;
    for (uint32_t id = 0; id < SNAKES; id++) {
        const snake* self = &world.snakes[id];
        int cell = self->tail;
        for (int i = 1; i < self->length; i++) {
            assert(belongs_to(world.cells[cell], id));
            cell += steps_to[direction_of(world.cells[cell])];
        }
        assert(cell == self->head && belongs_to(world.cells[cell], id));
        assert(self->length == 1 + self->food + self->corpses);
        segments += self->length;
    }
    assert(count(FOOD) == FOODS && segments > 2 * SNAKES);
    assert(count(EMPTY) + count(FOOD) + count(CORPSE) + segments == INNER_WIDTH * INNER_HEIGHT);
}

int main(void) {
    test_start();
    test_moves();
    test_neck();
    test_food();
    test_corpse();
    test_longest();
    test_death();
    test_bodies();
    test_observation();
    test_bodies_stay_whole();
    return 0;
}
