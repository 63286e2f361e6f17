/* Tests of school's rules: build with the folder `envs` on the include path and run. */
#include "school.c"

#include <assert.h>
#include <stdlib.h>

static float observations[AGENTS][OBSERVATION], finals[AGENTS][OBSERVATION];
static float rewards[AGENTS], scores[AGENTS], statistics[AGENTS][4], controls[AGENTS][CONTROLS];
static uint8_t terminals[AGENTS], truncations[AGENTS], alive[AGENTS];
static school world;

static const puff_io io = {
    .controls = &controls[0][0],
    .observations = observations,
    .rewards = rewards,
    .terminals = terminals,
    .truncations = truncations,
    .alive = alive,
    .finals = finals,
    .scores = scores,
    .statistics = &statistics[0][0],
    .observation_bytes = sizeof observations[0],
};

/* Members of the first squad of the first army, and of the second army. */
enum { OWN = 0, OTHER = ARMY };
enum { A_MOTHERSHIP = 0, A_TANK = 1, AN_ARTILLERY = 5, A_BOMBER = 7, A_FIGHTER = 11 };
enum { AN_INFANTRY = 15, A_DRONE = 33 };

static int near(float a, float b) {
    return fabsf(a - b) < 1e-5f;
}

static void fresh(void) {
    memset(&world, 0, sizeof world);
    memset(controls, 0, sizeof controls);
    school_init(&world, NULL, 1);
    school_reset(&world, &io);
}

static void step(void) {
    memset(rewards, 0, sizeof rewards);
    memset(terminals, 0, sizeof terminals);
    memset(truncations, 0, sizeof truncations);
    memset(scores, 0, sizeof scores);
    school_step(&world, &io);
}

/* A flat world at y = -2, everybody out of reach of everybody else: the first army in one corner,
 * the second in the opposite one, all facing along z. */
static void part(void) {
    fresh();
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) world.ground.heights[i] = -EDGE;
    for (uint32_t i = 0; i < AGENTS; i++) {
        unit* one = &world.units[i];
        const float side = army_of(i) ? 1.5f : -1.5f;
        one->now.place = (vector){side, kinds[kind_of(i)].flies ? 0 : -EDGE, side};
        one->now.attitude = (rotation){1, 0, 0, 0};
        one->velocity = velocity_of(one->now.attitude, &kinds[kind_of(i)]);
    }
}

static void test_units(void) {
    int counts[KINDS] = {0};
    for (uint32_t i = 0; i < AGENTS; i++) counts[kind_of(i)]++;
    const int want[KINDS] = {[DRONE] = 31,    [FIGHTER] = 4, [MOTHERSHIP] = 1, [BOMBER] = 4,
                             [INFANTRY] = 18, [TANK] = 4,    [ARTILLERY] = 2};
    for (int kind = 0; kind < KINDS; kind++) assert(counts[kind] == 8 * want[kind]);
    assert(kind_of(A_TANK) == TANK && kind_of(4) == TANK && kind_of(AN_ARTILLERY) == ARTILLERY);
    assert(kind_of(A_BOMBER) == BOMBER && kind_of(A_FIGHTER) == FIGHTER);
    assert(kind_of(AN_INFANTRY) == INFANTRY && kind_of(32) == INFANTRY);
    assert(kind_of(A_DRONE) == DRONE && kind_of(511) == DRONE && kind_of(448) == MOTHERSHIP);
    assert(army_of(255) == 0 && army_of(256) == 1 && mothership_of(255) == 192);
}

static void test_small_angles(void) {
    for (int i = -1000; i <= 1000; i++) {
        const float angle = (float)i * 1e-4f;
        assert(fabs((double)small_sine(angle) - sin((double)angle)) < 6e-9);
        assert(fabs((double)small_cosine(angle) - cos((double)angle)) < 6e-8);
    }
}

/* The ground covers 0..240 of its 256 steps of height, some of it is sea, and it has no cliffs. */
static void test_terrain(void) {
    static terrain ground, other;
    for (uint64_t seed = 0; seed < 20; seed++) {
        puff_random random = puff_random_stream(seed, 0);
        make_terrain(&ground, &random);
        make_terrain(&other, &random);
        assert(memcmp(&ground, &other, sizeof ground) != 0);
        float low = 9, high = -9, steepest = 0;
        int sea = 0;
        for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) {
            const float height = ground.heights[i];
            low = fminf(low, height);
            high = fmaxf(high, height);
            sea += height == -EDGE;
            if (i % MAP_SIDE) steepest = fmaxf(steepest, fabsf(height - ground.heights[i - 1]));
        }
        assert(low == -EDGE && near(high, 240 / HEIGHT_SCALE - EDGE));
        assert(sea > 0 && steepest < 0.25f);
    }
    /* At its own points and half way between them. */
    const float cell = 2 * EDGE / (MAP_SIDE - 1);
    for (int j = 0; j < MAP_SIDE; j++) {
        for (int i = 0; i < MAP_SIDE; i++) {
            const float* at = &ground.heights[j * MAP_SIDE + i];
            const float x = (float)i * cell - EDGE, z = (float)j * cell - EDGE;
            assert(ground_at(&ground, x, z) == at[0]);
            if (i == MAP_SIDE - 1 || j == MAP_SIDE - 1) continue;
            assert(near(ground_at(&ground, x + cell / 2, z), (at[0] + at[1]) / 2));
            assert(near(ground_at(&ground, x, z + cell / 2), (at[0] + at[MAP_SIDE]) / 2));
        }
    }
    assert(ground_at(&ground, -9, -9) == ground.heights[0]);
    assert(ground_at(&ground, 9, 9) == ground.heights[MAP_SIDE * MAP_SIDE - 1]);
}

static void test_start(void) {
    for (uint64_t seed = 0; seed < 200; seed++) {
        world.random = puff_random_stream(seed, 0);
        school_reset(&world, &io);
        const vector way = minus(world.bases[0], world.bases[1]);
        assert(way.x * way.x + way.z * way.z >= BASE_DISTANCE * BASE_DISTANCE);
        for (uint32_t i = 0; i < AGENTS; i++) {
            const vector base = world.bases[army_of(i)], place = world.units[i].now.place;
            assert(fabsf(base.x) <= 1.5f && fabsf(base.z) <= 1.5f);
            assert(base.y == ground_at(&world.ground, base.x, base.z));
            assert(place.x == base.x && place.z == base.z);
            assert(near(place.y, base.y + (kinds[kind_of(i)].flies ? 0.2f : 0)));
            assert(world.units[i].health == kinds[kind_of(i)].health);
        }
    }
    /* Headings go everywhere. */
    int quarters[4] = {0};
    for (uint32_t i = 0; i < AGENTS; i++) {
        const vector forward = forward_of(world.units[i].now.attitude);
        quarters[(forward.x > 0) + 2 * (forward.z > 0)]++;
        assert(near(forward.y, 0) && near(forward.x * forward.x + forward.z * forward.z, 1));
    }
    for (int i = 0; i < 4; i++) assert(quarters[i] > 80 && quarters[i] < 180);
}

/* Level flight keeps its height; banking moves aside, pitching up climbs. */
static void test_flight(void) {
    part();
    const vector start = world.units[A_DRONE].now.place;
    step();
    const unit* drone = &world.units[A_DRONE];
    assert(near(drone->now.place.y, start.y) && near(drone->now.place.x, start.x));
    assert(near(drone->now.place.z, start.z + 0.01f));
    controls[A_DRONE][ROLL] = 1; /* to the right, which is -x where forward is z */
    step();
    assert(drone->velocity.x < -0.001f && drone->velocity.y < 0);
    assert(near(drone->velocity.x, -0.01f * sinf(0.2f)));
    assert(near(drone->velocity.y, 0.01f * (cosf(0.2f) - 1)));

    part();
    controls[A_DRONE][PITCH] = 0.5f;
    controls[A_FIGHTER][PITCH] = 7; /* no more than 1 */
    step();
    assert(near(world.units[A_DRONE].velocity.y, 0.01f * (sinf(0.1f) + cosf(0.1f) - 1)));
    assert(near(world.units[A_DRONE].velocity.z, 0.01f * (cosf(0.1f) - sinf(0.1f))));
    assert(near(forward_of(world.units[A_FIGHTER].now.attitude).y, sinf(0.1f)));
}

/* Ground units turn as fast as any other of them, whatever their figures say, and stay on it. */
static void test_driving(void) {
    part();
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) {
        world.ground.heights[i] = -1.5f + 0.01f * (float)(i % MAP_SIDE);
    }
    for (int i = 0; i < 10; i++) {
        controls[A_TANK][ROLL] = controls[AN_INFANTRY][ROLL] = 1;
        controls[A_TANK][PITCH] = 1;
        step();
    }
    const unit *tank = &world.units[A_TANK], *infantry = &world.units[AN_INFANTRY];
    assert(near(tank->velocity.x, -0.0075f * sinf(1)) && near(tank->velocity.z, 0.0075f * cosf(1)));
    assert(near(infantry->velocity.x, -0.0025f * sinf(1)));
    assert(tank->velocity.y == 0);
    assert(tank->now.place.y == ground_at(&world.ground, tank->now.place.x, tank->now.place.z));
}

/* Puts an enemy of a kind at a way from one of us, steps once without anybody moving far, and says
 * whether we shot it. */
static int shoots(uint32_t shooter, uint32_t enemy, float x, float y, float z) {
    part();
    unit* own = &world.units[OWN + shooter];
    unit* other = &world.units[OTHER + enemy];
    own->now.place.x = own->now.place.z = 0;
    other->now.place = plus(own->now.place, (vector){x, y, z});
    /* Undo the step that both of them take. */
    own->now.place = minus(own->now.place, own->velocity);
    other->now.place = minus(other->now.place, other->velocity);
    if (!kinds[kind_of(enemy)].flies && y > 0) {
        for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) world.ground.heights[i] = -EDGE + y;
    }
    const float health = other->health;
    step();
    const int shot = own->target == (int32_t)(OTHER + enemy);
    const kind_figures* kind = &kinds[kind_of(shooter)];
    assert(rewards[OWN + shooter] == (shot ? ATTACK_REWARD : 0));
    if (shot && health > kind->damage) assert(other->health == health - kind->damage);
    if (!shot) assert(other->health == health);
    return shot;
}

static void test_weapons(void) {
    /* Along the flight: range .15 in space, 30 degrees. */
    assert(shoots(A_DRONE, A_FIGHTER, 0, 0, 0.149f) && !shoots(A_DRONE, A_FIGHTER, 0, 0, 0.151f));
    assert(shoots(A_DRONE, A_FIGHTER, 0.049f, 0, 0.1f) == 1);
    assert(shoots(A_DRONE, A_FIGHTER, 0.057f, 0, 0.1f) == 1); /* 29.7 degrees */
    assert(!shoots(A_DRONE, A_FIGHTER, 0.058f, 0, 0.1f));     /* 30.1 */
    assert(!shoots(A_DRONE, A_FIGHTER, 0, 0, -0.1f));
    assert(!shoots(A_DRONE, A_FIGHTER, 0, 0.1f, 0.14f)); /* .172 in space */
    assert(shoots(A_DRONE, A_FIGHTER, 0, 0.05f, 0.12f));
    assert(shoots(A_FIGHTER, A_MOTHERSHIP, 0, 0, 0.24f));
    assert(shoots(A_MOTHERSHIP, A_DRONE, 0, 0, 0.39f));
    assert(!shoots(A_DRONE, A_FIGHTER, 0, 0, 0)); /* no direction at all */

    /* A bomber hits the ground below it from any height, and nothing that flies. */
    assert(shoots(A_BOMBER, A_TANK, 0.09f, -EDGE, 0) &&
           shoots(A_BOMBER, A_TANK, -0.07f, -EDGE, -0.07f));
    assert(!shoots(A_BOMBER, A_TANK, 0.11f, -EDGE, 0));
    assert(!shoots(A_BOMBER, A_DRONE, 0, -0.05f, 0.01f));

    /* Infantry and tanks: along their heading on the map, at what drives. */
    assert(shoots(AN_INFANTRY, A_TANK, 0.09f, 0, 0.17f) &&
           !shoots(AN_INFANTRY, A_TANK, 0, 0, -0.1f));
    assert(!shoots(AN_INFANTRY, A_TANK, 0.12f, 0, 0.17f));
    assert(shoots(A_TANK, AN_INFANTRY, 0, 0, 0.24f) && !shoots(A_TANK, AN_INFANTRY, 0, 0, 0.26f));
    assert(!shoots(A_TANK, A_DRONE, 0, 0, 0.1f));

    /* Artillery: within .7 on the map and 30 degrees of straight up, at what flies. */
    assert(shoots(AN_ARTILLERY, A_DRONE, 0.5f, 1, 0) && !shoots(AN_ARTILLERY, A_DRONE, 0.6f, 1, 0));
    assert(shoots(AN_ARTILLERY, A_DRONE, 0.69f, 1.5f, 0));
    assert(!shoots(AN_ARTILLERY, A_DRONE, 0.71f, 1.6f, 0));
    assert(!shoots(AN_ARTILLERY, A_TANK, 0, 0, 0.01f));
}

/* Of several enemies in reach the first in order is shot, and one only. */
static void test_first_enemy(void) {
    part();
    for (uint32_t i = 40; i < 60; i++) {
        world.units[OTHER + i].now.place =
            plus(world.units[A_DRONE].now.place, (vector){0, 0, 0.14f - 0.001f * (float)i});
    }
    world.units[OTHER + A_DRONE].now.place =
        plus(world.units[A_DRONE].now.place, (vector){0, 0, -0.01f}); /* behind */
    step();
    assert(world.units[A_DRONE].target == OTHER + 40);
    assert(world.units[A_DRONE].hits == 1 && rewards[A_DRONE] == ATTACK_REWARD);
    for (uint32_t i = 41; i < 60; i++) assert(world.units[OTHER + i].health == 0.4f);
    assert(terminals[OTHER + 40] && rewards[OTHER + 40] == 0);
}

/* Kills count for the one that takes the last health; who is shot down loses nothing more. */
static void test_kills(void) {
    part();
    for (int hit = 1; hit <= 4; hit++) {
        unit* enemy = &world.units[OTHER + A_DRONE];
        enemy->now.place = plus(world.units[A_DRONE].now.place, (vector){0, 0, 0.1f});
        for (uint32_t i = 0; i < ARMY; i++) {
            if (i != A_DRONE) world.units[i].now.place = (vector){-1.5f, 1, 1.5f};
        }
        for (uint32_t i = 0; i < ARMY; i++) {
            if (!kinds[kind_of(i)].flies) world.units[i].now.place.y = -EDGE;
        }
        step();
        assert(rewards[A_DRONE] == ATTACK_REWARD && world.units[A_DRONE].hits == hit);
        assert(terminals[OTHER + A_DRONE] == (hit == 4) && rewards[OTHER + A_DRONE] == 0);
        assert(world.units[A_DRONE].kills == (hit == 4));
    }
    assert(statistics[OTHER + A_DRONE][STAT_SHOT_DOWN] == 1);
    assert(statistics[OTHER + A_DRONE][STAT_CRASHED] == 0);
    assert(world.units[OTHER + A_DRONE].health == 0.4f);
    assert(observations[OTHER + A_DRONE][30] == 1); /* the last terminal */
    step();
    assert(observations[OTHER + A_DRONE][30] == 0);
}

/* Out of the world, too high, or into the ground. */
static void test_crashes(void) {
    const vector places[] = {{1.91f, 0, 0},  {-1.91f, 0, 0}, {0, 0, 1.91f},
                             {0, 0, -1.92f}, {0, 1.91f, 0},  {0, -2.01f, 0}};
    for (size_t i = 0; i < PUFF_COUNT(places); i++) {
        part();
        world.units[A_FIGHTER].now.place = places[i];
        world.units[A_FIGHTER].earned = 2;
        world.units[A_FIGHTER].hits = 8;
        step();
        assert(terminals[A_FIGHTER] && rewards[A_FIGHTER] == -1 && scores[A_FIGHTER] == 1);
        assert(statistics[A_FIGHTER][STAT_HITS] == 8 && statistics[A_FIGHTER][STAT_CRASHED] == 1);
        const vector place = world.units[A_FIGHTER].now.place;
        assert(place.x == world.bases[0].x && near(place.y, world.bases[0].y + 0.2f));
        assert(world.units[A_FIGHTER].earned == 0 && world.units[A_FIGHTER].wreck_age == 0);
        assert(observations[A_FIGHTER][29] == -1 && observations[A_FIGHTER][30] == 1);
    }
    part(); /* ground units only by driving out of the world; drones come back at their ship */
    world.units[A_TANK].now.place = (vector){0, -EDGE, 1.899f};
    world.units[A_DRONE].now.place = (vector){0, -EDGE, 0};
    world.units[A_DRONE].now.attitude = normalised((rotation){1, 0.2f, 0, 0}); /* down */
    step();
    assert(terminals[A_TANK] && rewards[A_TANK] == -1 && !terminals[A_TANK + 1]);
    assert(terminals[A_DRONE] && rewards[A_DRONE] == -1);
    assert(near(world.units[A_DRONE].now.place.z, world.units[A_MOTHERSHIP].now.place.z));
    assert(world.units[A_TANK].now.place.y == world.bases[0].y);
}

/* A world lasts 9000 steps on average; its end cuts the episodes that have not just ended. */
static void test_end_of_the_world(void) {
    puff_random random = {5};
    int ends = 0;
    for (int i = 0; i < 9000 * 2000; i++) ends += world_ends(&random);
    assert(abs(ends - 2000) < 6 * 45);

    part();
    puff_random next;
    do {
        next = world.random;
        puff_random_bits(&world.random);
    } while (!world_ends(&(puff_random){next.state}));
    world.random = next;
    world.units[A_DRONE].earned = 3;
    const vector place = plus(world.units[A_DRONE].now.place, world.units[A_DRONE].velocity);
    const terrain before = world.ground;
    step();
    assert(truncations[A_DRONE] && !terminals[A_DRONE] && scores[A_DRONE] == 3);
    assert(near(finals[A_DRONE][19], place.x) && near(finals[A_DRONE][20], place.y));
    assert(memcmp(&before, &world.ground, sizeof before) != 0);
    assert(observations[A_DRONE][19] == world.bases[0].x && rewards[A_DRONE] == 0);
    for (uint32_t i = 0; i < AGENTS; i++) assert(truncations[i] && !terminals[i]);
}

/* Each number of the observation; the README has the same table. */
static void test_observation(void) {
    part();
    world.units[A_FIGHTER].health = 0.5f;
    step();
    for (uint32_t i = 0; i < AGENTS; i++) {
        const float* seen = observations[i];
        const unit* one = &world.units[i];
        const kind_figures* kind = &kinds[kind_of(i)];
        const vector place = one->now.place;
        const vector own = world.bases[army_of(i)], other = world.bases[1 - army_of(i)];
        assert(seen[0] == own.x - place.x && seen[2] == own.z - place.z);
        assert(seen[3] == other.x - place.x && seen[4] == other.y - place.y);
        assert(seen[6] == place.x - world.centroids[army_of(i)].x);
        assert(seen[11] == place.z - world.centroids[1 - army_of(i)].z);
        assert(near(seen[12], one->velocity.x * 100) && near(seen[14], one->velocity.z * 100));
        assert(seen[15] == one->now.attitude.w && seen[18] == one->now.attitude.z);
        assert(seen[19] == place.x && seen[20] == place.y && seen[21] == place.z);
        assert(near(seen[22], place.y + EDGE) && near(seen[23], kind->speed));
        assert(seen[24] == one->health && seen[25] == kind->turn && seen[26] == kind->speed);
        assert(seen[27] == kind->damage && seen[28] == kind->range);
        assert(seen[29] == rewards[i] && seen[30] == terminals[i]);
        for (uint32_t k = 0; k < 8; k++) assert(seen[31 + k] == (k == kind_of(i)));
    }
}

/* Whoever stands apart from all others is found where it is seen, and on the map. */
static void test_pointing(void) {
    fresh();
    for (int i = 0; i < 60; i++) step();
    uint32_t found = 0, mapped = 0;
    for (uint32_t watched = 0; watched < AGENTS; watched += 7) {
        puff_canvas canvas = {.width = 320, .height = 180};
        const float phase = 0.3f;
        const camera camera =
            camera_behind(&canvas, &world.ground, pose_at(&world.units[watched], phase), watched);
        image places[AGENTS], dots[AGENTS];
        int seen[AGENTS];
        for (uint32_t i = 0; i < AGENTS; i++) {
            const vector place = pose_at(&world.units[i], phase).place;
            const vector middle = plus(place, (vector){0, bodies[kind_of(i)].size, 0});
            places[i] = seen_from(&camera, middle);
            dots[i] = on_map(map_in(&canvas), place);
            seen[i] = i == watched || in_sight(&camera, middle);
        }
        for (uint32_t i = 0; i < AGENTS; i++) {
            int alone = seen[i] && places[i].x < 250 && places[i].y < 110, single = 1;
            for (uint32_t j = 0; j < AGENTS; j++) {
                if (j == i) continue;
                alone &=
                    !seen[j] || hypotf(places[i].x - places[j].x, places[i].y - places[j].y) > 3;
                single &= hypotf(dots[i].x - dots[j].x, dots[i].y - dots[j].y) > 1;
            }
            if (alone) {
                found++;
                assert(school_locate(&world, watched, phase, &canvas, places[i].x + 1,
                                     places[i].y - 1) == i);
            }
            if (single) {
                mapped++;
                assert(school_locate(&world, watched, phase, &canvas, dots[i].x, dots[i].y) == i);
            }
        }
    }
    assert(found > 100 && mapped > 100);
}

int main(void) {
    test_pointing();
    test_units();
    test_small_angles();
    test_terrain();
    test_start();
    test_flight();
    test_driving();
    test_weapons();
    test_first_enemy();
    test_kills();
    test_crashes();
    test_end_of_the_world();
    test_observation();
    return 0;
}
