/* Tests of enduro's rules: build with the folder `envs` on the include path and run. */
#include "enduro.c"

typedef float seen[OBSERVATION];
#include "one_agent.h"

/* The dawn of an episode, with an empty road that stays straight and empty for long. */
static enduro fresh(void) {
    enduro game = {0};
    enduro_init(&game, NULL, 5);
    game.started = 1;
    enduro_reset(&game, &io);
    game.stage_ticks = 1 << 30;
    game.since_spawn = -(1 << 20);
    return game;
}

static int near(float a, float b) {
    return fabsf(a - b) < 2e-4f;
}

static enduro_car* put_car(enduro* game, int lane, float y, int behind) {
    enduro_car* car = &game->cars[game->car_count++];
    *car = (enduro_car){.y = y, .last_y = y, .lane = (uint8_t)lane, .behind = (uint8_t)behind};
    return car;
}

static void test_start(void) {
    const enduro game = fresh();
    assert(game.x == START_X && game.speed == MIN_SPEED && game.tick == 0 && game.quota == 200);
    const float base = 102 - 48 * 11.5f / 26, t = 11.0f / 102;
    assert(near(game.left, base - 46 + 46 * t) && near(game.right, base + 47 - 47 * t));
    assert(near(observation[0], (77 - game.left) / (game.right - game.left)));
    assert(near(observation[1], 1) && observation[2] == 0);
    assert(near(observation[3], game.left / 152) && near(observation[4], game.right / 152));
    assert(observation[5] == observation[3] && observation[6] == observation[4]);
    assert(observation[7] == 0.5f);
    for (int i = 8; i < 58; i++) assert(observation[i] == ((i - 8) % 5 < 2 ? 0.5f : 0));
    const float world[] = {0.5f, 0, 0, 0, 0, 1, 1, 1, 1, 0};
    for (int i = 0; i < OF_WORLD; i++) assert(observation[58 + i] == world[i]);
}

/* The first episode of an environment begins at any time, with its part of the quota. */
static void test_first_episode(void) {
    float earliest = 1, latest = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        enduro game = {0};
        enduro_init(&game, NULL, seed);
        enduro_reset(&game, &io);
        const float left = 1 - (float)game.tick / DAY_TICKS;
        assert(game.to_pass == game.quota && game.quota >= 1);
        assert(game.quota == (int)ceilf(200 * left - 1e-4f));
        earliest = fminf(earliest, observation[62]);
        latest = fmaxf(latest, observation[62]);
        enduro_reset(&game, &io);
        assert(game.tick == 0 && game.quota == 200);
    }
    assert(earliest < 0.05f && latest > 0.95f && latest < 1);
}

static void test_road(void) {
    const enduro_road straight = {.base = 80, .far = 80, .bump = 300};
    assert(road_left(&straight, BOTTOM) == 34 && road_width(BOTTOM) == 93);
    assert(near(road_left(&straight, HORIZON), 80) && road_width(HORIZON) == 0);
    assert(near(road_left(&straight, 103), 57));
    assert(near(lane_middle(&straight, 1, BOTTOM), 80.5f));
    /* In a right curve the road bends to the right of where it seemed to go. */
    const enduro_road right = {.base = 80, .far = 135, .curve = 1, .bump = 300};
    assert(road_left(&right, BOTTOM) == 34 && near(road_left(&right, HORIZON), 135));
    assert(near(road_left(&right, 103), (34 + 135) / 2.0f - 15));
    /* The bump: 26 long, 3 high where the road is near. */
    const enduro_road bumpy = {.bump = 100};
    assert(road_bump(&bumpy, 99) == 0 && road_bump(&bumpy, 127) == 0);
    assert(near(road_bump(&bumpy, 113), 3));
    /* The road moves against the player and stops at its ends. */
    assert(road_base(MIN_X) == 102 && road_base(MAX_X) == 54 && road_base(200) == 54);
}

/* Four gears; each lasts its time, in the first one acceleration counts four times, later twice. */
static void test_gears(void) {
    const float seconds[] = {4, 2.5f, 3.25f, 1.5f};
    enduro game = fresh();
    float top = MIN_SPEED;
    for (int gear = 0; gear < 4; gear++) {
        const float range = 10 * seconds[gear] / 11.25f;
        const int ticks = (int)lroundf(seconds[gear] * 60 / (gear ? 2 : 4));
        top += range;
        for (int i = 0; i < ticks + 1 && game.speed != gear_top[gear]; i++) {
            const float before = game.speed;
            step(&game, ACCELERATE);
            const float gain = range / (seconds[gear] * 60) * (gear ? 2 : 4);
            assert(near(game.speed, before + gain) || near(game.speed, top));
        }
        assert(near(game.speed, top));
    }
    step(&game, ACCELERATE);
    assert(game.speed == MAX_SPEED && observation[1] == 0 && observation[2] == 1);
    step(&game, COAST);
    assert(game.speed == MAX_SPEED);
    step(&game, BRAKE);
    assert(near(game.speed, MAX_SPEED - 0.01f));
    for (int i = 0; i < 1100; i++) step(&game, BRAKE);
    assert(game.speed == MIN_SPEED);
}

static void test_steering(void) {
    const struct {
        int32_t action;
        int side, pedal;
    } all[] = {{COAST, 0, 0},        {ACCELERATE, 0, 1}, {RIGHT, 1, 0},
               {LEFT, -1, 0},        {BRAKE, 0, -1},     {BRAKE_RIGHT, 1, -1},
               {BRAKE_LEFT, -1, -1}, {FAST_RIGHT, 1, 1}, {FAST_LEFT, -1, 1}};
    for (size_t i = 0; i < PUFF_COUNT(all); i++) {
        enduro game = fresh();
        game.speed = 5;
        step(&game, all[i].action);
        const float share = (game.speed + 2.5f) / 10;
        assert(near(game.x - START_X, (float)all[i].side * (share + 0.3f)));
        assert((game.speed > 5) - (game.speed < 5) == all[i].pedal);
        /* In snow the wheel does little. */
        game = fresh();
        game.speed = 5;
        game.tick = 80 * 60;
        step(&game, all[i].action);
        assert(near(game.x - START_X, (float)all[i].side * 0.3f));
    }
    assert(!snows(60 * 60 - 1) && snows(60 * 60) && snows(100 * 60 - 1) && !snows(100 * 60));
}

/* Curves push outwards, take turns with straights, and last 750 to 2650 ticks. */
static void test_curves(void) {
    enduro game = fresh();
    game.speed = 4;
    game.direction = -1;
    game.road.curve = -1;
    const float x = game.x;
    step(&game, COAST);
    assert(near(game.x, x + 0.1f) && near(game.road.far, road_base(x) - 1.5f - 40 / 7.5f));
    assert(observation[58] == 0 && observation[61] == -1);

    int lefts = 0, rights = 0;
    game = fresh();
    game.stage_ticks = 10;
    for (int stage = 0, ticks = 0, last = 0; stage < 200; ticks++) {
        if (game.stage_ticks == 1) {
            if (stage) assert(ticks >= 750 - 1 && ticks <= 2650);
            last = game.direction;
            bend(&game);
            assert(game.direction == 0 ? last != 0 : last == 0);
            lefts += game.direction < 0;
            rights += game.direction > 0;
            ticks = 0;
            stage++;
        }
        bend(&game);
        assert(fabsf(game.road.curve) <= 1);
    }
    assert(lefts > 30 && rights > 30 && lefts + rights == 100);
}

static void test_passing(void) {
    enduro game = fresh();
    game.speed = MAX_SPEED;
    put_car(&game, 0, 144, 0);
    step(&game, COAST); /* now below the player's 134 + 11 */
    assert(near(reward, 1 + 0.05f + 0.001f) && game.to_pass == 199 && game.passed == 1);
    assert(near(observation[63], 199.0f / 200) && game.cars[0].behind);
    step(&game, COAST);
    assert(near(reward, 0.05f + 0.001f) && game.to_pass == 199); /* the bonus stays */
    /* Overtaken: a car less, until the quota is whole; the second pass counts, but pays nothing. */
    game.cars[0].y = 100;
    step(&game, COAST);
    assert(near(reward, -0.1f + 0.05f + 0.001f) && game.to_pass == 200 && !game.cars[0].behind);
    game.cars[0].behind = 1;
    step(&game, COAST);
    assert(game.to_pass == 200 && !game.cars[0].behind);
    game.cars[0].y = 150;
    step(&game, COAST);
    assert(near(reward, 0.05f + 0.001f) && game.to_pass == 199 && game.passed == 1);
    /* Once met, the quota stays met. */
    game.to_pass = 0;
    game.cars[0].y = 100;
    step(&game, COAST);
    assert(game.to_pass == 0);
    game.cars[0] = (enduro_car){.y = 150};
    step(&game, COAST);
    assert(game.to_pass == 0 && game.passed == 2 && near(reward, 1 + 0.05f + 0.002f));
    game.bonus = 0.0995f;
    game.cars[0] = (enduro_car){.y = 150};
    step(&game, COAST);
    assert(near(reward, 1 + 0.05f + 0.1f));
}

static void test_cars_move(void) {
    enduro game = fresh();
    game.speed = 4;
    put_car(&game, 2, 103, 0);
    put_car(&game, 0, 53, 0);
    step(&game, COAST);
    assert(near(game.cars[0].y, 103 + 4 * 0.45f * 0.75f) && near(game.cars[1].y, 53.3f));
    assert(near(observation[8], 5.0f / 6) && near(observation[13], 1.0f / 6));
    assert(near(observation[9], (154 - game.cars[0].y) / 102));
    assert(near(observation[10], 5.0f / 6 - observation[0]) && observation[12] == 0);
    const float front = 143 - 9 * 0.65f;
    assert(near(observation[11], (front - game.cars[0].y) / 102));
    assert(near(observation[64], (front - 53.3f) / (front - 52)) && observation[65] == 1);
    assert(near(observation[66], (front - game.cars[0].y) / (front - 52)));

    /* A car in the player's own lane: no reward for a free one. */
    game.cars[1].lane = 1;
    step(&game, COAST);
    assert(reward == 0 && observation[17] == 1);

    /* They vanish far behind; they drive off to the front if they are faster. */
    game.cars[0].y = 208.9f;
    step(&game, COAST);
    assert(game.car_count == 1 && game.cars[0].lane == 1);
    game.cars[0].y = 64.02f;
    game.speed = -0.5f;
    step(&game, COAST);
    assert(game.car_count == 0);
    /* Behind a slow player they change to the lane where they can overtake. */
    put_car(&game, 1, 170, 1);
    put_car(&game, 0, 100, 0);
    step(&game, COAST);
    assert(game.cars[0].lane == (game.place < 0.5f ? 2 : 0) && game.cars[1].lane == 0);
}

static void test_crash(void) {
    enduro game = fresh();
    game.speed = MAX_SPEED;
    game.bonus = 0.05f;
    put_car(&game, 1, 126, 0);
    step(&game, COAST);
    assert(near(reward, -0.5f) && game.crashes == 1 && game.bonus == 0 && game.speed == -1.5f);
    assert(observation[67] == 1 && observation[64 + 1] < 0.2f);
    game.car_count = 0;
    for (int i = 90; i-- > 0;) { /* the wheel does nothing, each tick costs a little */
        step(&game, FAST_LEFT);
        assert(near(reward, 0.05f - 0.01f) && game.speed == -1.5f && game.helpless == i);
    }
    const float middle = game.x;
    step(&game, FAST_LEFT);
    assert(near(reward, 0.05f) && game.speed > -1.5f && game.x < middle && game.drift == 0);

    /* Thrown out of the left lane, the player drifts to the middle of the road and stays. */
    game = fresh();
    game.x = 62;
    bend(&game);
    locate(&game);
    game.speed = -1.5f;
    game.helpless = 90;
    game.drift_speed = 0.25f;
    step(&game, COAST);
    assert(near(game.x, 62.25f) && observation[59] == 1 && observation[60] == 1);
    for (int i = 0; i < 80; i++) step(&game, COAST);
    assert(fabsf(game.place - 0.5f) < 0.05f && observation[59] == 0 && observation[60] == 0);
}

/* Beside the player a car is no obstacle. */
static void test_near_misses(void) {
    for (int lane = 0; lane < LANES; lane++) {
        for (float y = 80; y < 154; y += 1) {
            enduro game = fresh();
            game.speed = MAX_SPEED;
            game.x = 70.5f;
            put_car(&game, lane, y, 0);
            step(&game, COAST);
            const float scale = scale_at(game.cars[0].y), now = game.cars[0].y;
            const int level = now < 145 && now + 11 * scale > 134;
            assert(game.crashes == (lane == 1 && level));
        }
    }
}

static void test_touch(void) {
    for (int side = 0; side < 2; side++) {
        enduro game = fresh();
        game.speed = 5;
        game.bonus = 0.05f;
        game.x = side ? MAX_X : MIN_X;
        step(&game, COAST);
        assert(near(reward, -0.5f + 0.05f + 0.05f) && game.touches == 1 && game.crashes == 0);
        assert(game.speed == 3.75f && game.helpless == 20 && game.bonus == 0.05f);
        const float x = game.x;
        step(&game, BRAKE);
        assert(near(game.x, x + (side ? -0.12f : 0.12f)) && game.touches == 1);
        assert(near(observation[60], 0.48f) && observation[59] == (side ? -1 : 1));
    }
    enduro game = fresh();
    game.speed = -2;
    game.x = MAX_X;
    step(&game, COAST);
    assert(game.speed == MIN_SPEED);
}

/* Traffic of a long drive: sorted, never more than ten, always a lane free, apart in a lane. */
static void test_spawning(void) {
    enduro game = fresh();
    int most = 0, new_in_front = 0, new_behind = 0;
    game.since_spawn = 0;
    for (int i = 0; i < 200000; i++) {
        game.day = i / 20000;
        game.speed = i % 2000 < 1500 ? (float)(i % 17) / 2 - 0.5f : -2;
        game.helpless = 0;
        const int before = game.car_count;
        move_cars(&game);
        clear_cars(&game);
        const int kept = game.car_count;
        spawn_cars(&game);
        assert(kept <= before && game.car_count <= CARS);
        if (game.car_count > most) most = game.car_count;
        for (int k = 1; k < game.car_count; k++) assert(game.cars[k].y <= game.cars[k - 1].y);
        for (int k = 0; k < game.car_count && game.car_count > kept; k++) {
            const enduro_car* car = &game.cars[k];
            new_in_front += car->y == AHEAD_Y && car->last_y == AHEAD_Y;
            new_behind += car->y == BEHIND_Y && car->last_y == BEHIND_Y;
            if (car->y != AHEAD_Y && car->y != BEHIND_Y) continue;
            int lanes = 1 << car->lane;
            for (int o = 0; o < game.car_count; o++) {
                if (o != k && fabsf(game.cars[o].y - car->y) < BLOCKED_LENGTH &&
                    game.cars[o].y >= AHEAD_Y) {
                    lanes |= 1 << game.cars[o].lane;
                }
            }
            assert(lanes != 7);
        }
    }
    assert(most >= 6 && new_in_front > 1000 && new_behind > 100);
    /* How often, on which day. */
    game.speed = MAX_SPEED;
    const float periods[] = {0.5f, 0.125f, 0.35f, 0.2f, 0.1f, 0.1f, 0.1f};
    for (int day = 0; day < 7; day++) {
        game.day = day;
        assert(near(spawn_period(&game), periods[day]));
    }
    game.speed = MIN_SPEED;
    assert(near(spawn_period(&game), 0.5f));
}

static void test_days(void) {
    enduro game = fresh();
    game.tick = DAY_TICKS - 1;
    game.to_pass = 0;
    game.passed = 220;
    step(&game, COAST);
    assert(near(reward, 1 + 0.05f) && !terminal && !truncation && game.day == 1);
    assert(game.tick == 0 && game.quota == 300 && observation[63] == 1.5f && observation[62] == 0);
    assert(game.passed == 220);

    /* A quota that is not met ends the episode; what was passed counts for the score. */
    game.tick = DAY_TICKS - 1;
    game.to_pass = 75;
    game.crashes = 4;
    game.touches = 6;
    step(&game, COAST);
    assert(near(reward, 0.05f) && terminal && !truncation && near(score, 1.75f));
    assert(statistics[STAT_DAYS] == 1 && statistics[STAT_PASSED] == 220);
    assert(statistics[STAT_CRASHES] == 4 && statistics[STAT_TOUCHES] == 6);
    assert(game.day == 0 && game.tick == 0 && game.quota == 200 && game.crashes == 0);

    /* Ten days end it as a time limit does. */
    game.day = 9;
    game.tick = DAY_TICKS - 1;
    game.to_pass = 0;
    game.speed = 3;
    step(&game, COAST);
    assert(near(reward, 1 + 0.05f) && truncation && !terminal && score == 10);
    assert(near(final_observation[2], 0.55f) && final_observation[63] == 1.5f);
    assert(observation[2] == 0 && observation[63] == 1);
}

/* The colours of the day go over into each other without a jump. */
static void test_light(void) {
    for (int tick = 0; tick < DAY_TICKS; tick++) {
        const enduro_light a = light_at((float)tick / TICKS);
        const enduro_light b = light_at((float)((tick + 1) % DAY_TICKS) / TICKS);
        for (int shift = 0; shift <= 16; shift += 8) {
            const int from = (int)(a.grass >> shift & 255), to = (int)(b.grass >> shift & 255);
            assert(abs(from - to) <= 3);
        }
        assert(fabsf(a.night - b.night) < 0.01f && fabsf(a.fog - b.fog) < 0.01f);
    }
    assert(light_at(80).snow == 1 && light_at(150).night == 1 && light_at(180).fog == 1);
}

static uint8_t before[160 * 90 * 3], after[160 * 90 * 3];

static float difference(void) {
    float sum = 0;
    for (size_t i = 0; i < sizeof before; i++) sum += fabsf((float)before[i] - (float)after[i]);
    return sum / sizeof before;
}

/* The end of one step looks like the beginning of the next, and half of it lies half way. */
static void test_picture(void) {
    puff_canvas first = {.pixels = before, .width = 160, .height = 90};
    puff_canvas second = {.pixels = after, .width = 160, .height = 90};
    enduro game = fresh();
    game.since_spawn = 0;
    float seams = 0, moved = 0;
    for (int i = 0; i < 300; i++) {
        step(&game, ACCELERATE);
        enduro_draw(&game, 0, 0, &first);
        if (i) seams += difference();
        enduro_draw(&game, 0, 0.5f, &second);
        moved += difference();
        enduro_draw(&game, 0, 0.9999f, &second);
    }
    assert(moved / 300 > 0.1f && seams < moved * 0.1f);
}

int main(void) {
    test_start();
    test_first_episode();
    test_road();
    test_gears();
    test_steering();
    test_curves();
    test_passing();
    test_cars_move();
    test_crash();
    test_near_misses();
    test_touch();
    test_spawning();
    test_days();
    test_light();
    test_picture();
    return 0;
}
