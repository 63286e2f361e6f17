/* Tests of shared_pool's rules: build with the folder `envs` on the include path and run. */
#include "shared_pool.c"

#include <assert.h>

static uint8_t observations[AGENTS][OBSERVATION], finals[AGENTS][OBSERVATION];
static uint8_t terminals[AGENTS], truncations[AGENTS], alive[AGENTS];
static float rewards[AGENTS], scores[AGENTS], statistics[AGENTS][STATISTICS];
static int32_t actions[AGENTS];

static const puff_io io = {
    .actions = actions,
    .observations = observations,
    .rewards = rewards,
    .terminals = terminals,
    .truncations = truncations,
    .alive = alive,
    .finals = finals,
    .scores = scores,
    .statistics = statistics[0],
    .observation_bytes = OBSERVATION,
};

static const double standard[PARAMETERS] = {0.002};

static int at(int row, int column) {
    return row * SIDE + column;
}

static void step(pool* world) {
    memset(rewards, 0, sizeof rewards);
    memset(terminals, 0, sizeof terminals);
    memset(truncations, 0, sizeof truncations);
    memset(alive, 1, sizeof alive);
    shared_pool_step(world, &io);
}

static pool fresh(uint64_t seed) {
    pool world = {0};
    shared_pool_init(&world, standard, seed);
    shared_pool_reset(&world, &io);
    return world;
}

/* No food, nothing will grow for long, and everybody stays, in a row at the top. */
static pool bare(void) {
    pool world = fresh(1);
    memset(world.cells, WALL, sizeof world.cells);
    for (int row = VISION; row < SIDE - VISION; row++) {
        memset(world.cells + at(row, VISION), EMPTY, INNER);
    }
    for (int k = 0; k < KINDS; k++) {
        world.foods[k].count = 0;
        world.foods[k].failures = INT32_MAX;
    }
    for (int a = 0; a < AGENTS; a++) {
        world.agents[a].cell = at(VISION, VISION + 3 * a);
        world.cells[world.agents[a].cell] = OTHER;
        actions[a] = STAY;
    }
    return world;
}

static void place(pool* world, int a, int cell) {
    world->cells[world->agents[a].cell] = EMPTY;
    world->agents[a].cell = cell;
    world->cells[cell] = OTHER;
}

static int count(const pool* world, uint8_t kind) {
    int found = 0;
    for (int cell = 0; cell < CELLS; cell++) found += world->cells[cell] == kind;
    return found;
}

static void test_start(void) {
    const pool world = fresh(3);
    assert(count(&world, NORMAL) == 33 && count(&world, SHARED) == 13);
    assert(count(&world, OTHER) == AGENTS && count(&world, WALL) == CELLS - 26 * 26);
    for (int a = 0; a < AGENTS; a++) {
        assert(world.agents[a].hp == 80 && world.cells[world.agents[a].cell] == OTHER);
        assert(observations[a][SEEN / 2] == ITSELF && observations[a][SEEN] == 204);
    }
}

static void test_moves(void) {
    const int want[] = {at(14, 15), at(16, 15), at(15, 14), at(15, 16), at(15, 15)};
    for (int32_t action = UP; action <= STAY; action++) {
        pool world = bare();
        place(&world, 0, at(15, 15));
        actions[0] = action;
        step(&world);
        assert(world.agents[0].cell == want[action] && count(&world, OTHER) == AGENTS);
        assert(world.agents[0].hp == 79 && rewards[0] == 0 && alive[0]);
    }
}

static void test_what_blocks(void) {
    pool world = bare();
    actions[0] = UP; /* a wall */
    place(&world, 1, at(10, 10));
    place(&world, 2, at(10, 11));
    actions[1] = RIGHT; /* another agent */
    place(&world, 3, at(20, 20));
    put_food(&world, SHARED, at(21, 20));
    actions[3] = DOWN;
    step(&world);
    assert(world.agents[0].cell == at(VISION, VISION));
    assert(world.agents[1].cell == at(10, 10));
    assert(world.agents[3].cell == at(20, 20) && world.cells[at(21, 20)] == SHARED);
}

static void test_normal_food(void) {
    pool world = bare();
    place(&world, 0, at(15, 15));
    put_food(&world, NORMAL, at(15, 16));
    put_food(&world, NORMAL, at(15, 17));
    actions[0] = RIGHT;
    step(&world);
    assert(rewards[0] == NORMAL_REWARD && world.agents[0].hp == 99 && world.agents[0].normal == 1);
    step(&world);
    assert(world.agents[0].hp == 99); /* full at 100, then hungry by one */
    assert(count(&world, NORMAL) == 0 && world.foods[0].count == 0);
}

/* Shared food needs two who come to it in the same step, and feeds everybody beside it. */
static void test_shared_food(void) {
    pool world = bare();
    const int cell = at(15, 15);
    put_food(&world, SHARED, cell);
    place(&world, 0, at(15, 13));
    place(&world, 1, at(13, 15));
    place(&world, 2, at(16, 15)); /* stays beside it */
    place(&world, 3, at(16, 16)); /* only a corner touches */
    actions[0] = RIGHT;
    step(&world);
    assert(world.cells[cell] == SHARED && rewards[0] == 0); /* one alone, one who stays */
    actions[0] = STAY;
    actions[1] = DOWN;
    step(&world);
    assert(world.cells[cell] == SHARED && rewards[1] == 0); /* one in each step */
    actions[0] = RIGHT;                                     /* blocked, and that counts */
    actions[1] = DOWN;
    world.agents[0].hp = 30;
    step(&world);
    assert(world.cells[cell] == EMPTY && world.foods[1].count == 0);
    for (int a = 0; a < 3; a++) assert(rewards[a] == SHARED_REWARD && world.agents[a].shared == 1);
    assert(world.agents[0].hp == 79 && world.agents[1].hp == 99);
    assert(rewards[3] == 0 && world.agents[3].shared == 0);
}

static void test_hunger(void) {
    pool world = bare();
    world.agents[2].hp = 1;
    world.agents[2].normal = 4;
    world.agents[2].shared = 1;
    put_food(&world, NORMAL, at(20, 20));
    const int cell = world.agents[2].cell;
    step(&world);
    assert(rewards[2] == -1 && terminals[2] && !truncations[2] && alive[2]);
    assert(fabsf(scores[2] - (0.4f + 0.2f - 1)) < 1e-6f);
    assert(statistics[2][STAT_NORMAL] == 4 && statistics[2][STAT_SHARED] == 1);
    assert(statistics[2][STAT_SURVIVED] == 0 && statistics[2][STAT_LEFT] == 1);
    assert(world.cells[cell] == EMPTY && world.living == AGENTS - 1);
    actions[2] = DOWN;
    for (int i = 0; i < 3; i++) {
        step(&world);
        assert(!alive[2] && !terminals[2] && rewards[2] == 0 && alive[1]);
        for (int k = 0; k < OBSERVATION; k++) assert(observations[2][k] == 0);
    }
    assert(count(&world, OTHER) == AGENTS - 1);
}

/* Who is fed in the last moment lives, even by somebody who moves later in the step. */
static void test_fed_in_time(void) {
    pool world = bare();
    put_food(&world, SHARED, at(15, 15));
    place(&world, 0, at(15, 14));
    place(&world, 5, at(15, 17));
    world.agents[0].hp = 1;
    actions[0] = RIGHT;
    actions[5] = LEFT;
    step(&world);
    assert(!terminals[0] && world.agents[0].hp == 50 && rewards[0] == SHARED_REWARD);
}

static void test_a_meal_and_a_death_are_shared(void) {
    pool world = bare();
    world.sharing = 0.5f;
    world.agents[7].hp = 0; /* long dead: takes no part */
    world.living = AGENTS - 1;
    world.agents[2].hp = 1;
    put_food(&world, NORMAL, world.agents[0].cell + SIDE);
    actions[0] = DOWN;
    step(&world);
    const float each = (NORMAL_REWARD - 1) / 7;
    assert(fabsf(rewards[0] - (0.5f * NORMAL_REWARD + 0.5f * each)) < 1e-6f);
    assert(fabsf(rewards[2] - (-0.5f + 0.5f * each)) < 1e-6f);
    for (int a = 3; a < 7; a++) assert(fabsf(rewards[a] - 0.5f * each) < 1e-6f);
    assert(rewards[7] == 0);
    assert(scores[2] == -1); /* the score is an agent's own */
}

static void test_the_last_death_resets(void) {
    pool world = bare();
    for (int a = 0; a < AGENTS; a++) world.agents[a].hp = 1 + (a == 4);
    step(&world);
    assert(world.living == 1 && world.tick == 1);
    step(&world);
    assert(terminals[4] && alive[4] && !alive[0] && !terminals[0]);
    assert(world.living == AGENTS && world.tick == 0 && world.agents[0].hp == START_HP);
    assert(observations[0][SEEN / 2] == ITSELF); /* the next episode's first */
    step(&world);
    assert(alive[0] && alive[4]);
}

static void test_time_limit(void) {
    pool world = bare();
    world.agents[1].hp = 1;
    world.tick = TIME_LIMIT - 1;
    step(&world);
    assert(terminals[1] && !truncations[0]);
    place(&world, 0, at(15, 15));
    actions[0] = DOWN;
    world.agents[0].hp = 51;
    world.agents[0].normal = 30;
    step(&world);
    for (int a = 0; a < AGENTS; a++) {
        assert(truncations[a] == (a != 1) && alive[a] == (a != 1) && !terminals[a]);
    }
    assert(scores[0] == NORMAL_REWARD * 30 && statistics[0][STAT_SURVIVED] == 1);
    assert(finals[0][SEEN] == 127 && finals[0][SEEN / 2] == ITSELF);
    for (int i = 0; i < SEEN; i++) assert(i == SEEN / 2 || finals[0][i] == EMPTY);
    assert(world.tick == 0 && world.living == AGENTS);
}

static void test_observation(void) {
    pool world = bare();
    place(&world, 0, at(SIDE - VISION - 1, SIDE - VISION - 1)); /* the lower right corner */
    place(&world, 1, at(26, 27));
    put_food(&world, NORMAL, at(25, 25));
    put_food(&world, SHARED, at(27, 28));
    put_food(&world, NORMAL, at(24, 25)); /* out of sight */
    step(&world);
    static const char want[] = "+...###"
                               "..o.###"
                               "...*###"
                               "...m###"
                               "#######"
                               "#######"
                               "#######";
    static const char letters[CLASSES + 1] = ".+*#om";
    for (int i = 0; i < SEEN; i++) assert(letters[observations[0][i]] == want[i]);
    assert(observations[0][SEEN] == 79 * 255 / 100);
}

/* A try that succeeds puts food into its own neighbour, unless that is taken. */
static void test_regrowth(void) {
    for (int try = 0; try < 2 * NEIGHBOURS; try++) {
        pool world = bare();
        put_food(&world, SHARED, at(10, 10));
        put_food(&world, SHARED, at(20, 20));
        world.foods[1].failures = try;
        step(&world);
        const int food = try < NEIGHBOURS ? at(10, 10) : at(20, 20),
                  grown = world.foods[1].places[2];
        const int away = grown > food ? grown - food : food - grown;
        assert(world.foods[1].count == 3 && world.cells[grown] == SHARED);
        assert(away == 1 || (away >= SIDE - 1 && away <= SIDE + 1));
        assert(world.foods[1].failures >= 0 && world.foods[0].count == 0);
    }
    pool world = bare();
    put_food(&world, NORMAL, at(VISION, VISION + 1)); /* between an agent and the wall */
    world.foods[0].failures = 3;                      /* its left neighbour, the agent */
    step(&world);
    assert(world.foods[0].count == 1);
    world = bare();
    put_food(&world, NORMAL, at(10, 10));
    world.foods[0].failures = NEIGHBOURS; /* the first try of the next step */
    step(&world);
    assert(world.foods[0].count == 1 && world.foods[0].failures == 0);
    step(&world);
    assert(world.foods[0].count == 2);
}

static void test_logarithm(void) {
    puff_random dice = {1};
    for (int i = 0; i < 100000; i++) {
        const double x = (double)((puff_random_bits(&dice) >> 11) + 1) * 0x1p-53;
        const double small = i % 2 ? x : x * 0x1p-40;
        assert(fabs(natural_log(small) - log(small)) <= 1e-15 * fabs(log(small)) + 1e-16);
    }
    assert(natural_log(1) == 0);
}

/* The lists of food and the cells say the same, whatever happens. */
static void test_lists(void) {
    pool world = fresh(2);
    puff_random dice = {7};
    for (int i = 0; i < 20000; i++) {
        for (int a = 0; a < AGENTS; a++) actions[a] = (int32_t)puff_random_below(&dice, STAY + 1);
        step(&world);
        for (int k = 0; k < KINDS; k++) {
            const food* foods = &world.foods[k];
            assert(count(&world, (uint8_t)(NORMAL + k)) == foods->count);
            for (int n = 0; n < foods->count; n++) {
                assert(world.cells[foods->places[n]] == NORMAL + k);
            }
        }
        assert(count(&world, OTHER) == world.living);
    }
}

int main(void) {
    test_start();
    test_moves();
    test_what_blocks();
    test_normal_food();
    test_shared_food();
    test_hunger();
    test_fed_in_time();
    test_a_meal_and_a_death_are_shared();
    test_the_last_death_resets();
    test_time_limit();
    test_observation();
    test_regrowth();
    test_logarithm();
    test_lists();
    return 0;
}
