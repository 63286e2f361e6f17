/* Tests of breakout's rules: build with the folder `envs` on the include path and run. */
#include "breakout.c"

typedef breakout_seen seen;
#include "one_agent.h"

static breakout fresh(void) {
    breakout game = {0};
    begin(&game, NULL, 5);
    return game;
}

/* A ball at (x, y), in the open unless the test says otherwise. */
static void put_ball(breakout* game, float x, float y, float vx, float vy) {
    game->ball_x = x;
    game->ball_y = y;
    game->ball_vx = vx;
    game->ball_vy = vy;
}

static int near(float a, float b) {
    return fabsf(a - b) < 1e-3f;
}

static void test_start(void) {
    const breakout game = fresh();
    assert(near(game.paddle_x + game.paddle_width / 2, FIELD_WIDTH / 2));
    assert(near(hypotf(game.ball_vx, game.ball_vy), 256.0f / 60) && game.ball_vy > 0);
    const float want[SCALARS] = {257.0f / 576,
                                 312.0f / 330,
                                 272.0f / 576,
                                 135.0f / 330,
                                 game.ball_vx * 60 / 448,
                                 game.ball_vy * 60 / 448,
                                 0.2f,
                                 0,
                                 1,
                                 1};
    for (int i = 0; i < SCALARS; i++) assert(near(observation.scalars[i], want[i]));
    for (int i = 0; i < BRICKS; i++) assert(observation.broken[i] == STANDING);
}

/* From below, with all lower bricks of the column gone, each row pays its points. */
static void test_points(void) {
    const float points[ROWS] = {7, 7, 4, 4, 1, 1};
    for (int row = 0; row < ROWS; row++) {
        breakout game = fresh();
        for (int i = (row + 1) * COLUMNS; i < BRICKS; i++) game.broken[i] = BROKEN;
        const float face = BRICKS_TOP + (float)(row + 1) * BRICK_HEIGHT;
        put_ball(&game, 5 * BRICK_WIDTH, face + 1, 0, -START_SPEED);
        step(&game, STAY);
        assert(reward == points[row] && game.score == (int)points[row] && game.bricks == 1);
        assert(game.broken[row * COLUMNS + 5] == BROKEN &&
               observation.broken[row * COLUMNS + 5] == BROKEN);
        assert(game.ball_vy > 0);
        /* The three upper rows set the highest speed, in flight. */
        assert(near(game.ball_vy, row < 3 ? MAX_SPEED : START_SPEED));
    }
}

/* Two bricks reached at once: the one nearer to the ball's middle breaks, and no other. */
static void test_nearest_brick(void) {
    for (int side = 0; side < 2; side++) {
        breakout game = fresh();
        put_ball(&game, 5 * BRICK_WIDTH + (side ? 20 : 10), 123, 0, -START_SPEED);
        step(&game, STAY);
        assert(game.bricks == 1 && game.broken[5 * COLUMNS + 5 + side] == BROKEN);
    }
}

static void test_side_of_a_brick(void) {
    breakout game = fresh();
    for (int i = 0; i < BRICKS; i++) game.broken[i] = i != 2 * COLUMNS + 9 ? BROKEN : STANDING;
    put_ball(&game, 8 * BRICK_WIDTH - 2, BRICKS_TOP + 20, 4, 0.5f);
    step(&game, STAY);
    assert(game.broken[2 * COLUMNS + 9] == BROKEN && game.ball_vx < 0 && game.ball_vy > 0);
    assert(reward == 4);
}

/* A depth that only rounding can explain. */
#define HAIR (1.0f / 512)

static int inside_a_brick(const breakout* game) {
    for (int i = 0; i < BRICKS; i++) {
        const float left = (float)(i % COLUMNS) * BRICK_WIDTH;
        const float top = (float)(i / COLUMNS) * BRICK_HEIGHT + BRICKS_TOP;
        if (game->broken[i] == STANDING && game->ball_x + BALL > left + HAIR &&
            game->ball_x < left + BRICK_WIDTH - HAIR && game->ball_y + BALL > top + HAIR &&
            game->ball_y < top + BRICK_HEIGHT - HAIR) {
            return 1;
        }
    }
    return 0;
}

/* Straight at the corner of a lone brick, from all sides and some rounding errors off: the ball
 * breaks it or just misses it, but never enters it. */
static void test_corner(void) {
    const int brick = 3 * COLUMNS + 9;
    const float left = 9 * BRICK_WIDTH, top = BRICKS_TOP + 3 * BRICK_HEIGHT;
    puff_random dice = {12};
    int broken = 0;
    for (int round = 0; round < 40000; round++) {
        breakout game = fresh();
        for (int i = 0; i < BRICKS; i++) game.broken[i] = i != brick ? BROKEN : STANDING;
        const float vx = puff_random_between(&dice, 1, 5) * (round & 1 ? -1 : 1);
        const float vy = puff_random_between(&dice, 1, 5) * (round & 2 ? -1 : 1);
        const float x = vx > 0 ? left - BALL : left + BRICK_WIDTH;
        const float y = vy > 0 ? top - BALL : top + BRICK_HEIGHT;
        /* In every other round it arrives at the very end of a substep. */
        const float late = puff_random_between(&dice, 0, 3), time = round & 8 ? floorf(late) : late;
        const float off =
            ((float)puff_random_below(&dice, 9) - 4) * (round & 4 ? HAIR / 64 : HAIR / 2);
        put_ball(&game, x - time * vx + off, y - time * vy, vx, vy);
        for (int i = 0; i < 4; i++) {
            fly(&game, i);
            assert(!inside_a_brick(&game));
        }
        broken += game.broken[brick] == BROKEN;
    }
    assert(broken > 20000);
}

/* A long game between half broken walls: the ball never enters a brick and never leaves the field.
 */
static void test_never_inside(void) {
    breakout game = fresh();
    puff_random dice = {11};
    for (int i = 0; i < 200000; i++) {
        if (i % 50 == 0) {
            for (int k = 0; k < BRICKS; k++)
                game.broken[k] = puff_random_below(&dice, 2) ? BROKEN : STANDING;
            game.score = 0;
            const float angle = puff_random_between(&dice, 0, 6.28f);
            put_ball(&game, puff_random_between(&dice, 0, FIELD_WIDTH - BALL), 130,
                     MAX_SPEED * cosf(angle), MAX_SPEED * sinf(angle));
        }
        fly(&game, 0);
        assert(!inside_a_brick(&game));
        assert(game.ball_x >= 0 && game.ball_x <= FIELD_WIDTH - BALL && game.ball_y >= 0);
    }
}

static void test_walls_and_ceiling(void) {
    breakout game = fresh();
    put_ball(&game, 1, 200, -4, 0.1f);
    step(&game, STAY);
    assert(game.ball_vx == 4 && near(game.ball_x, 15));
    put_ball(&game, FIELD_WIDTH - BALL - 1, 200, 4, 0.1f);
    step(&game, STAY);
    assert(game.ball_vx == -4 && near(game.ball_x, FIELD_WIDTH - BALL - 15));

    const float middle = game.paddle_x + game.paddle_width / 2;
    put_ball(&game, 100, 2, 0.1f, -4); /* above the bricks */
    step(&game, STAY);
    assert(game.ball_vy == 4 && game.paddle_width == PADDLE_WIDTH / 2);
    assert(near(game.paddle_x + game.paddle_width / 2, middle));
    put_ball(&game, 100, 2, 0.1f, -4); /* above the bricks */
    step(&game, STAY);
    assert(game.paddle_width == PADDLE_WIDTH / 2); /* only once */
}

/* The angle grows from the middle of the paddle to 45 degrees at its ends. */
static void test_paddle(void) {
    const float offsets[] = {-40, -31, -15.5f, 0, 15.5f, 31, 40};
    const float degrees[] = {-45, -45, -22.5f, 0, 22.5f, 45, 45};
    for (size_t i = 0; i < PUFF_COUNT(offsets); i++) {
        breakout game = fresh();
        const float middle = game.paddle_x + PADDLE_WIDTH / 2 + offsets[i];
        put_ball(&game, middle - BALL / 2, PADDLE_TOP - BALL - 1, 0, START_SPEED);
        step(&game, STAY);
        assert(game.paddle_hits == 1 && game.ball_vy < 0);
        assert(near(atan2f(game.ball_vx, -game.ball_vy) * 57.29578f, degrees[i]));
        assert(near(hypotf(game.ball_vx, game.ball_vy), START_SPEED));
    }
}

static void test_faster(void) {
    breakout game = fresh();
    for (int hit = 1; hit <= 20; hit++) {
        put_ball(&game, game.paddle_x + 15, PADDLE_TOP - BALL - 1, 0, game.speed);
        step(&game, STAY);
        const float want = fminf(256 + 64 * (float)(hit / 4), 448) / 60;
        assert(near(game.speed, want) && near(hypotf(game.ball_vx, game.ball_vy), want));
    }
}

static void test_paddle_moves(void) {
    breakout game = fresh();
    const float x = game.paddle_x;
    step(&game, LEFT);
    assert(near(game.paddle_x, x - 4 * 620.0f / 60));
    step(&game, RIGHT);
    assert(near(game.paddle_x, x));
    for (int i = 0; i < 20; i++) {
        put_ball(&game, 272, 200, 0, 0.1f);
        step(&game, LEFT);
    }
    assert(game.paddle_x == 0);
    for (int i = 0; i < 20; i++) {
        put_ball(&game, 272, 200, 0, 0.1f);
        step(&game, RIGHT);
    }
    assert(game.paddle_x == FIELD_WIDTH - PADDLE_WIDTH);
}

static void test_lives(void) {
    breakout game = fresh();
    game.score = 8;
    game.bricks = 2;
    game.paddle_hits = 3;
    for (int lives = BALLS; lives-- > 0;) {
        game.speed = MAX_SPEED;
        game.paddle_width = PADDLE_WIDTH / 2;
        game.hits = 3;
        put_ball(&game, 0, LOST - 1, 0, 4);
        step(&game, STAY);
        assert(reward == 0 && terminal == (lives == 0) && !truncation);
        /* A new ball: slow, the paddle whole and in the middle; bricks and score stay. */
        assert(game.lives == (lives ? lives : BALLS) && game.speed == START_SPEED);
        assert(game.hits == 0 && game.paddle_width == PADDLE_WIDTH);
        assert(near(observation.scalars[8], lives ? (float)lives / BALLS : 1));
        assert(near(observation.scalars[6], lives ? (float)(BALLS + 1 - lives) / BALLS : 0.2f));
        assert(game.score == (lives ? 8 : 0));
    }
    assert(score == 8);
    assert(statistics[STAT_BRICKS] == 2 && statistics[STAT_LIVES] == 0);
    assert(statistics[STAT_PADDLE_HITS] == 3);
    assert(game.bricks == 0 && game.paddle_hits == 0);
}

/* The last brick of the first screen: the second comes when the ball is back at the paddle. */
static void test_screens(void) {
    for (int lost = 0; lost < 2; lost++) {
        breakout game = fresh();
        for (int i = 0; i < BRICKS; i++) game.broken[i] = i != 0 ? BROKEN : STANDING;
        game.score = SCREEN_SCORE - 7;
        put_ball(&game, 0, BRICKS_TOP + BRICK_HEIGHT + 1, 0, -START_SPEED);
        step(&game, STAY);
        assert(reward == 7 && game.score == SCREEN_SCORE && !terminal);
        for (int i = 0; i < BRICKS; i++) assert(game.broken[i] == BROKEN);
        if (lost) {
            put_ball(&game, 0, LOST - 1, 0, 4);
        } else {
            put_ball(&game, game.paddle_x, PADDLE_TOP - BALL - 1, 0, 4);
        }
        step(&game, STAY);
        assert(game.score == SCREEN_SCORE && game.lives == BALLS - lost);
        for (int i = 0; i < BRICKS; i++) assert(game.broken[i] == STANDING);
    }
}

static void test_win(void) {
    breakout game = fresh();
    for (int i = 0; i < BRICKS; i++) game.broken[i] = i != 0 ? BROKEN : STANDING;
    game.score = MAX_SCORE - 7;
    put_ball(&game, 0, BRICKS_TOP + BRICK_HEIGHT + 1, 0, -START_SPEED);
    step(&game, STAY);
    assert(reward == 7 && terminal && !truncation && score == MAX_SCORE);
    assert(statistics[STAT_LIVES] == BALLS);
    assert(game.score == 0 && observation.broken[1] == STANDING);
}

/* Two minutes without a brick end the episode as a time limit does. */
static void test_idle(void) {
    breakout game = fresh();
    for (int i = 1; i <= IDLE_LIMIT; i++) {
        put_ball(&game, 272, 200, 1, 0.1f);
        step(&game, STAY);
        assert(truncation == (i == IDLE_LIMIT) && !terminal);
    }
    assert(near(final_observation.scalars[2], 276.0f / 576) &&
           near(final_observation.scalars[3], 200.4f / 330));
    assert(near(observation.scalars[2], 272.0f / 576) &&
           near(observation.scalars[3], 135.0f / 330));
    assert(game.idle == 0);
    game.idle = IDLE_LIMIT - 1; /* a brick in time */
    put_ball(&game, 272, 123, 0, -START_SPEED);
    step(&game, STAY);
    assert(!truncation && game.idle == 0);
}

int main(void) {
    test_start();
    test_points();
    test_nearest_brick();
    test_side_of_a_brick();
    test_corner();
    test_never_inside();
    test_walls_and_ceiling();
    test_paddle();
    test_faster();
    test_paddle_moves();
    test_lives();
    test_screens();
    test_win();
    test_idle();
    return 0;
}
