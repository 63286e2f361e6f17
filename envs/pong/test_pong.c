/* Tests of pong's rules: build with the folder `envs` on the include path and run. */
#include "pong.c"

#include <string.h>

typedef float seen[OBSERVATION];
#include "one_agent.h"

static pong fresh(void) {
    pong game = {0};
    begin(&game, NULL, 5);
    return game;
}

static void put_ball(pong* game, int x, int y, int vx, int vy) {
    game->now.ball_x = x;
    game->now.ball_y = y;
    game->now.ball_vx = vx;
    game->now.ball_vy = vy;
}

static int near(float a, float b) {
    return fabsf(a - b) < 1e-6f;
}

static void test_start(void) {
    int down = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        pong game = {0};
        pong_init(&game, NULL, seed);
        pong_reset(&game, &io);
        assert(game.now.ball_vy == 1 || game.now.ball_vy == -1);
        down += game.now.ball_vy == 1;
        const float want[] = {0, 0, (100 - 234) / 234.0f, 0, 1, (float)game.now.ball_vy / 13, 0, 0};
        for (int i = 0; i < OBSERVATION; i++) assert(near(observation[i], want[i]));
    }
    assert(down > 400 && down < 600);
}

static void test_observation(void) {
    pong game = fresh();
    put_ball(&game, 300, 100, -10, 4);
    game.now.own = 640;
    game.now.other = 160;
    game.won = 7;
    game.lost = 14;
    pong_observe(&game, observation);
    const float want[] = {-0.5f, 1,         66 / 234.0f, (116 - 320) / 320.0f,
                          -1,    4 / 13.0f, 14 / 21.0f,  7 / 21.0f};
    for (int i = 0; i < OBSERVATION; i++) assert(near(observation[i], want[i]));
}

/* Half of a paddle may leave the field. */
static void test_own_paddle(void) {
    pong game = fresh();
    const int moves[] = {0, -64, 64};
    for (int32_t choice = STAY; choice <= DOWN; choice++) {
        game = fresh();
        step(&game, choice);
        assert(game.now.own == 320 + moves[choice]);
    }
    for (int i = 0; i < 12; i++) {
        put_ball(&game, 100, 300, 10, 1);
        step(&game, DOWN);
    }
    assert(game.now.own == FIELD_HEIGHT);
    for (int i = 0; i < 12; i++) {
        put_ball(&game, 100, 300, 10, 1);
        step(&game, UP);
    }
    assert(game.now.own == 0);
}

/* The opponent is a substep behind a slow ball, and falls back 5 pixels a substep behind a ball
 * that rises with 13. */
static void test_opponent(void) {
    pong game = fresh();
    put_ball(&game, 200, 304, 10, 7);
    step(&game, STAY);
    assert(game.now.other == game.now.ball_y + BALL_MIDDLE - 7);
    game = fresh();
    put_ball(&game, 200, 304, 10, -13);
    step(&game, STAY);
    assert(game.now.other == 320 - 7 * 8 && game.now.ball_y == 304 - 8 * 13);
}

/* A free step is eight substeps. */
static void test_coast(void) {
    puff_random dice = {3};
    for (int i = 0; i < 100000; i++) {
        table now = {
            .ball_x = (int)puff_random_below(&dice, BALL_RIGHT + 1),
            .ball_y = (int)puff_random_below(&dice, BALL_LOW + 1),
            .ball_vx = puff_random_below(&dice, 2) ? BALL_SPEED : -BALL_SPEED,
            .ball_vy = (int)puff_random_below(&dice, 27) - 13,
            .own = (int)puff_random_below(&dice, FIELD_HEIGHT + 1),
            .other = (int)puff_random_below(&dice, FIELD_HEIGHT + 1),
        };
        if (!in_the_open(&now)) continue;
        const int push = 8 * ((int)puff_random_below(&dice, 3) - 1);
        table slow = now;
        for (int k = 0; k < SUBSTEPS; k++) assert(substep(&slow, push) == NOTHING);
        coast(&now, push);
        assert(memcmp(&now, &slow, sizeof now) == 0);
    }
}

static void test_walls(void) {
    pong game = fresh();
    put_ball(&game, 200, 5, 10, -4);
    step(&game, STAY);
    assert(game.now.ball_y == 27 && game.now.ball_vy == 4 && game.now.ball_x == 280);
    put_ball(&game, 200, 600, 10, 13);
    step(&game, STAY);
    assert(game.now.ball_y == 2 * 608 - 704 && game.now.ball_vy == -13);
    put_ball(&game, 200, 608 - 8 * 13, 10, 13); /* just reached */
    step(&game, STAY);
    assert(game.now.ball_y == 608 && game.now.ball_vy == 13);
}

/* Which part of the paddle meets the ball decides how its rise changes; past its ends it is lost.
 */
static void test_own_bounce(void) {
    const struct {
        int offset, change;
    } cases[] = {{-51, 99}, {-50, -3}, {-18, -3}, {-17, 0}, {0, 0},
                 {17, 0},   {18, 3},   {50, 3},   {51, 99}};
    for (size_t i = 0; i < PUFF_COUNT(cases); i++) {
        for (int vy = -13; vy <= 13; vy += 13) {
            pong game = fresh();
            /* It leaves the field after the third substep. */
            put_ball(&game, 444, 304 + cases[i].offset - 3 * vy, 10, vy);
            step(&game, STAY);
            if (cases[i].change == 99) {
                assert(reward == -1 && game.lost == 1 && game.won == 0 && game.bounces == 0);
                assert(game.now.ball_x == SERVE_X && game.played == 3 && !terminal);
                assert(near(observation[6], 1 / 21.0f) && observation[7] == 0);
                continue;
            }
            const int want = vy + cases[i].change;
            assert(game.now.ball_vy == (want > 13 ? 13 : want < -13 ? -13 : want));
            assert(near(reward, 0.1f) && game.bounces == 1 && game.lost == 0);
            assert(game.now.ball_vx == -10 && game.now.ball_x == 2 * 468 - (444 + 80));
            assert(game.now.ball_y == 304 + cases[i].offset + 5 * game.now.ball_vy);
        }
    }
}

/* The opponent's paddle sends the ball back as it came; a ball past it is a point. */
static void test_other_bounce(void) {
    for (int miss = 0; miss <= 1; miss++) {
        pong game = fresh();
        put_ball(&game, 5, 304, -10, 0);
        game.now.other = 320 + 8 + 50 + miss; /* it comes 8 pixels nearer before the contact */
        step(&game, STAY);
        if (miss) {
            assert(reward == 1 && game.won == 1 && game.lost == 0 && game.played == 1);
            assert(game.now.ball_x == SERVE_X && game.now.other == 320 && game.now.own == 320);
            assert(near(observation[7], 1 / 21.0f) && observation[6] == 0);
        } else {
            assert(reward == 0 && game.now.ball_vx == 10 && game.now.ball_x == -5 + 80);
            assert(game.now.ball_vy == 0 && game.bounces == 0);
        }
    }
}

static void test_game(void) {
    for (int side = 0; side <= 1; side++) {
        pong game = fresh();
        game.won = game.lost = 20;
        game.bounces = 33;
        if (side) {
            put_ball(&game, 5, 100, -10, 0);
            game.now.other = 500;
        } else {
            put_ball(&game, 460, 100, 10, 0);
            game.now.own = 500;
        }
        step(&game, STAY);
        assert(terminal && !truncation && reward == (side ? 1 : -1) && score == reward);
        assert(statistics[STAT_WON] == 20 + side && statistics[STAT_LOST] == 21 - side);
        assert(statistics[STAT_BOUNCES] == 33);
        assert(game.won == 0 && game.lost == 0 && game.bounces == 0 && game.idle == 0);
        assert(observation[6] == 0 && observation[7] == 0 && near(observation[2], -134 / 234.0f));
    }
}

/* Two minutes without a point end the game as a time limit does. */
static void test_idle(void) {
    pong game = fresh();
    game.won = 5;
    game.lost = 2;
    for (int i = 1; i <= IDLE_LIMIT; i++) {
        put_ball(&game, 200, 300, 10, 1);
        step(&game, STAY);
        assert(truncation == (i == IDLE_LIMIT) && !terminal && reward == 0);
    }
    assert(score == 3 && game.idle == 0 && game.won == 0);
    assert(near(final_observation[2], 46 / 234.0f) && near(final_observation[7], 5 / 21.0f));
    assert(near(observation[2], -134 / 234.0f) && observation[7] == 0);
    game.idle = IDLE_LIMIT - 1; /* a point in time */
    put_ball(&game, 460, 100, 10, 0);
    step(&game, STAY);
    assert(!truncation && game.lost == 1 && game.idle == 0);
}

/* The best shot wins: from one corner to the other the opponent comes too late. */
static void test_the_opponent_can_be_beaten(void) {
    pong game = fresh();
    put_ball(&game, 460, 600, 10, -13);
    game.now.own = 616;
    game.now.other = 616;
    for (int i = 0; i < 8 && game.won == 0; i++) step(&game, STAY);
    assert(game.won == 1);
}

int main(void) {
    test_start();
    test_observation();
    test_own_paddle();
    test_opponent();
    test_coast();
    test_walls();
    test_own_bounce();
    test_other_bounce();
    test_game();
    test_idle();
    test_the_opponent_can_be_beaten();
    return 0;
}
