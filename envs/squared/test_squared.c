/* Tests of squared's rules: build with the folder `envs` on the include path and run. */
#include "squared.c"

typedef uint8_t seen[CELLS];
#include "one_agent.h"

static squared fresh(uint64_t seed) {
    squared world = {0};
    begin(&world, NULL, seed);
    return world;
}

static void test_start(void) {
    int targets[CELLS] = {0};
    for (uint64_t seed = 0; seed < 20000; seed++) {
        const squared world = fresh(seed);
        targets[world.target]++;
        int count[CLASSES] = {0};
        for (int i = 0; i < CELLS; i++) count[observation[i]]++;
        assert(count[AGENT] == 1 && count[TARGET] == 1 && count[EMPTY] == CELLS - 2);
        assert(observation[CENTRE] == AGENT && observation[world.target] == TARGET);
    }
    /* 167 of each are expected; six standard deviations are 77. */
    for (int i = 0; i < CELLS; i++) {
        assert(i == CENTRE ? targets[i] == 0 : targets[i] > 90 && targets[i] < 244);
    }
}

static void test_moves(void) {
    const int want[][2] = {{5, 5}, {6, 5}, {4, 5}, {5, 4}, {5, 6}};
    for (int32_t choice = STAY; choice <= RIGHT; choice++) {
        squared world = fresh(1);
        world.target = 0;
        step(&world, choice);
        assert(world.row == want[choice][0] && world.column == want[choice][1]);
        assert(observation[world.row * SIDE + world.column] == AGENT);
        assert(reward == 0 && !terminal && !truncation);
    }
}

static void test_target(void) {
    squared world = fresh(1);
    world.target = CENTRE + 1;
    step(&world, RIGHT);
    assert(reward == 1 && terminal && score == 1);
    assert(world.row == 5 && world.column == 5 && world.tick == 0);
    assert(observation[CENTRE] == AGENT);
}

static void test_edges(void) {
    for (int32_t choice = DOWN; choice <= RIGHT; choice++) {
        squared world = fresh(1);
        world.target = 12; /* off the middle row and column */
        for (int i = 0; i < 5; i++) {
            step(&world, choice);
            assert(!terminal);
        }
        score = 9;
        step(&world, choice);
        assert(reward == -1 && terminal && score == 0);
    }
}

static void test_time_limit(void) {
    squared world = fresh(1);
    for (int i = 1; i <= TIME_LIMIT; i++) {
        step(&world, STAY);
        assert(!terminal && reward == 0);
    }
    step(&world, STAY);
    assert(terminal && !truncation && reward == -1);
}

int main(void) {
    test_start();
    test_moves();
    test_target();
    test_edges();
    test_time_limit();
    return 0;
}
