/* Tests of cartpole's rules: build with the folder `envs` on the include path and run. */
#include "cartpole.c"

typedef float seen[VALUES];
#include "one_agent.h"

static cartpole fresh(uint64_t seed) {
    cartpole world = {0};
    begin(&world, NULL, seed);
    return world;
}

static int near(double a, double b) {
    return fabs(a - b) < 1e-12;
}

/* All four values of the start are spread evenly over -0.05 to 0.05. */
static void test_start(void) {
    double sums[VALUES] = {0}, low = 1, high = -1;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        fresh(seed);
        for (int i = 0; i < VALUES; i++) {
            assert(observation[i] >= -0.05f && observation[i] <= 0.05f);
            sums[i] += (double)observation[i];
            low = fmin(low, (double)observation[i]);
            high = fmax(high, (double)observation[i]);
        }
    }
    /* Six standard deviations of the mean are 0.0012. */
    for (int i = 0; i < VALUES; i++) assert(fabs(sums[i] / 20000) < 0.0013);
    assert(low < -0.0499 && high > 0.0499);
}

static void test_sine_and_cosine(void) {
    for (double angle = -ANGLE_LIMIT; angle <= ANGLE_LIMIT; angle += 1e-4) {
        assert(fabs(sine(angle) - sin(angle)) < 2e-15);
        assert(fabs(cosine(angle) - cos(angle)) < 2e-15);
    }
}

/* From rest and upright, a push moves cart and pole apart; worked out by hand: the pole turns with
 * -push / (l (4/3 - m/M)) and the cart goes with push - m l / M times that. */
static void test_push(void) {
    for (int32_t choice = LEFT; choice <= RIGHT; choice++) {
        cartpole world = fresh(1);
        world.x = world.x_speed = world.angle = world.angle_speed = 0;
        step(&world, choice);
        const double push = (choice == RIGHT ? 10 : -10) / 1.1;
        const double turn = -push / (0.5 * (4.0 / 3 - 0.1 / 1.1));
        assert(world.x == 0 && world.angle == 0);
        assert(near(world.angle_speed, 0.02 * turn));
        assert(near(world.x_speed, 0.02 * (push - 0.05 / 1.1 * turn)));
        assert(observation[1] == (float)world.x_speed &&
               observation[3] == (float)world.angle_speed);
        /* Places follow one step later. */
        const double x_speed = world.x_speed, angle_speed = world.angle_speed;
        step(&world, choice);
        assert(near(world.x, 0.02 * x_speed) && near(world.angle, 0.02 * angle_speed));
        assert(observation[0] == (float)world.x && observation[2] == (float)world.angle);
        assert(reward == 1 && !terminal && !truncation);
    }
}

/* The mirror image of an episode is an episode. */
static void test_mirror(void) {
    cartpole world = fresh(3), image = world;
    image.x = -world.x;
    image.x_speed = -world.x_speed;
    image.angle = -world.angle;
    image.angle_speed = -world.angle_speed;
    puff_random dice = {4};
    for (int i = 0; i < 10; i++) {
        const int32_t choice = (int32_t)puff_random_below(&dice, 2);
        step(&world, choice);
        step(&image, 1 - choice);
        assert(world.x == -image.x && world.x_speed == -image.x_speed);
        assert(world.angle == -image.angle && world.angle_speed == -image.angle_speed);
    }
}

/* One value near its limit and moving: the end comes when the limit is crossed, to either side. */
static void test_limits(void) {
    for (int side = -1; side <= 1; side += 2) {
        for (int over = 0; over <= 1; over++) {
            cartpole world = fresh(2);
            world.tick = 41;
            world.x = side * (X_LIMIT - 0.01);
            world.x_speed = side * (over ? 0.51 : 0.49);
            world.angle = world.angle_speed = 0;
            step(&world, LEFT);
            assert(reward == 1 && terminal == over && !truncation);
            assert(!over || (score == 42 && world.tick == 0 && fabs(world.x) <= 0.05));
            assert(observation[0] == (float)world.x);

            world = fresh(2);
            world.angle = side * (ANGLE_LIMIT - 0.01);
            world.angle_speed = side * (over ? 0.51 : 0.49);
            step(&world, RIGHT);
            assert(reward == 1 && terminal == over && !truncation);
            assert(!over || (score == 1 && fabs(world.angle) <= 0.05));
        }
    }
}

/* The 200th step truncates and hands over what would have been seen. */
static void test_time_limit(void) {
    cartpole world = fresh(5);
    for (int i = 1; i <= TIME_LIMIT; i++) {
        world.x = 0.5;
        world.x_speed = world.angle = world.angle_speed = 0;
        step(&world, RIGHT);
        assert(reward == 1 && !terminal && truncation == (i == TIME_LIMIT));
    }
    assert(score == TIME_LIMIT && world.tick == 0);
    assert(final_observation[0] == 0.5f && final_observation[1] > 0.1f);
    assert(fabsf(observation[0]) <= 0.05f && observation[0] == (float)world.x);
    /* A fall in that very step is a fall. */
    world.tick = TIME_LIMIT - 1;
    world.angle = 0.2;
    world.angle_speed = 1;
    step(&world, RIGHT);
    assert(terminal && !truncation && score == TIME_LIMIT);
}

int main(void) {
    test_start();
    test_sine_and_cosine();
    test_push();
    test_mirror();
    test_limits();
    test_time_limit();
    return 0;
}
