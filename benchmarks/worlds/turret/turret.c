/* turret: lead a flying target, set the fuse for its distance and fire, with 20 shells. Coordinates
 * are up to 1000 and noisy. */
#include "../world.h"

enum { AGENTS = 1, LIMIT = 300, SHELLS = 20, RELOAD = 5, FUSES = 4, TURNS = 5 };

#define FIELD  1000.0f
#define FLIGHT 0.02f /* steps that a shell needs for a unit of distance */
#define AIM    0.08f /* radians off that still hit */
#define BLUR   5.0f

typedef struct {
    puff_random random;
    int32_t steps, shells, loading, hits;
    float aim, place[2], speed[2];
} game;

typedef struct {
    float aim[2], place[2], speed[2], loading;
} seen;

static void send_target(game* g) {
    const float way = puff_random_between(&g->random, -PI, PI);
    for (int i = 0; i < 2; i++) g->place[i] = puff_random_between(&g->random, -FIELD, FIELD);
    g->speed[0] = 20 * cosf(way);
    g->speed[1] = 20 * sinf(way);
}

static void begin(game* g) {
    g->shells = SHELLS;
    g->loading = g->hits = 0;
    g->aim = puff_random_between(&g->random, -PI, PI);
    send_target(g);
}

static void see(const game* g, int32_t agent, seen* o) {
    (void)agent;
    puff_random random = puff_random_stream(g->random.state, 1); /* the same when seen again */
    o->aim[0] = cosf(g->aim);
    o->aim[1] = sinf(g->aim);
    for (int i = 0; i < 2; i++) o->place[i] = g->place[i] + BLUR * drawn_normal(&random);
    for (int i = 0; i < 2; i++) o->speed[i] = g->speed[i];
    o->loading = (float)g->loading;
}

/* Whether a shell with this fuse would meet the target. */
static int would_hit(const game* g, int32_t fuse) {
    const float away = hypotf(g->place[0], g->place[1]), flight = FLIGHT * away;
    const float bearing =
        atan2f(g->place[1] + flight * g->speed[1], g->place[0] + flight * g->speed[0]);
    const int32_t range = (int32_t)fminf(away / (FIELD / 3), FUSES - 1);
    return fuse == range && fabsf(wrapped(g->aim - bearing)) < AIM;
}

static ending act(game* g, const puff_io* io) {
    static const float turns[TURNS] = {-0.2f, -0.05f, 0, 0.05f, 0.2f};
    g->aim = wrapped(g->aim + turns[io->actions[0]]);
    if (g->loading > 0) {
        g->loading--;
    } else if (io->actions[1]) {
        const int hit = would_hit(g, io->actions[2]);
        io->rewards[0] = hit ? 1 : -0.1f;
        g->hits += hit;
        g->shells--;
        g->loading = RELOAD + io->actions[2]; /* a longer fuse takes longer to set */
        if (hit) send_target(g);
    }
    for (int i = 0; i < 2; i++) {
        g->place[i] += g->speed[i];
        if (fabsf(g->place[i]) > FIELD) g->speed[i] = -copysignf(g->speed[i], g->place[i]);
    }
    (void)puff_random_bits(&g->random); /* the blur of the next step */
    if (g->shells == 0) return IS_OVER;
    return g->steps == LIMIT ? IS_CUT : GOES_ON;
}

static float score(const game* g, int32_t agent) {
    (void)agent;
    return (float)g->hits;
}

static void paint(const game* g, const puff_view* view) {
    puff_line(view, 0.5f, 0.5f, 0.5f + 0.2f * cosf(g->aim), 0.5f + 0.2f * sinf(g->aim), 0.03f,
              PLAYER);
    puff_disc(view, 0.5f + g->place[0] / FIELD / 2, 0.5f + g->place[1] / FIELD / 2, 0.03f, GOAL);
}

static const puff_field fields[] = {
    {.name = "aim", .offset = 0, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "place", .offset = 8, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "speed", .offset = 16, .count = 2, .dtype = PUFF_FLOAT32},
    {.name = "loading", .offset = 24, .count = 1, .dtype = PUFF_FLOAT32},
};

static const puff_choice turns[TURNS] = {
    {"far left", "q"}, {"left", "left a"}, {"stay", ""}, {"right", "right d"}, {"far right", "e"}};
static const puff_choice triggers[] = {{"hold", ""}, {"fire", "space"}};
static const puff_choice fuses[FUSES] = {
    {"shortest", "1"}, {"short", "2"}, {"long", "3"}, {"longest", "4"}};

static const puff_action parts[] = {
    {.name = "turn", .choice_count = TURNS, .neutral = 2, .choices = turns},
    {.name = "trigger", .choice_count = PUFF_COUNT(triggers), .choices = triggers},
    {.name = "fuse", .choice_count = FUSES, .choices = fuses},
};

#define DECLARED                                                                                   \
    .name = "turret", .summary = "hit a flying target with 20 shells",                             \
    .action_kind = PUFF_MULTI_DISCRETE, .score_low = 0, .score_high = SHELLS
#include "../wiring.h"
