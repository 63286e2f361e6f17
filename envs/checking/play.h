/* play.h: the part `play` of check.c: many random steps, and what came out of them.
 *
 * Half of the games of a single agent are played with luck: instead of beginning anew, they go on
 * from a moment of a good game. So the checks get to see what plain random play never reaches.
 */

enum { WORLDS = 32, MOMENTS = 64, DEPOSIT = 8, LOST = 4 };
static const double slowest = 0.01; /* seconds of an agent's step, beyond which little is played */
enum { ENOUGH = 20000 /* steps in which an episode should have ended */ };
enum { SOME_ENDS = 24 /* with which beginnings can be compared */ };
/* Steps that one game takes before the others begin, and how many agents may take so many. */
enum { ALONE = 4096, AT_LEAST_ALONE = 1100, FEW = 16 };

#include "seen.h"

/* What happens to the bytes of observations when they are written over two patterns. */
typedef struct {
    uint64_t rows;
    uint64_t* left; /* (observation_bytes,) how often nobody wrote it */
} coverage;

static struct {
    coverage seen, last;
    meaning* bytes; /* (observation_bytes,) */
    uint64_t steps, episodes, truncations, repeats, long_first, strangers, dead, longest_dead;
    uint64_t twice, unrepeatable, odd_flags, both_flags;
    uint64_t nonzero, infinite_rewards, unwritten_scores, infinite_scores, outside;
    double sum, squares, largest, score_low, score_high;
    uint64_t unwritten_statistics[PUFF_MAX_STATISTICS];
} facts;

/* Moments of good games, to go on from. */
typedef struct {
    void* state;
    double earned;
    uint64_t length;
} moment;

/* Bookkeeping of one game; arrays by agent. */
typedef struct {
    world w;
    double earned; /* in the running episode */
    uint64_t* lengths;
    uint8_t* ended_before; /* bit 0: has ended once; bit 1: in the last step */
    moment* from;          /* a lucky game's last beginning, `since` steps ago */
    double from_earned;
    uint64_t since;
} game;

static void begin_facts(void) {
    facts.seen.left = calloc(env->observation_bytes, sizeof(uint64_t));
    facts.last.left = calloc(env->observation_bytes, sizeof(uint64_t));
    facts.bytes = exact(env->observation_bytes * sizeof(meaning));
    for (uint32_t b = 0; b < env->observation_bytes; b++) facts.bytes[b] = meaning_of(b);
    facts.score_low = INFINITY;
    facts.score_high = -INFINITY;
}

/* The same row was written over both patterns, which differ in every bit. */
static void compare_rows(coverage* covered, const uint8_t* first, const uint8_t* second) {
    covered->rows++;
    for (uint32_t b = 0; b < env->observation_bytes; b++) {
        const meaning of = facts.bytes[b];
        const uint8_t differ = (first[b] ^ second[b]) & of.bits;
        if (!differ) continue;
        const int as_before = !(differ & (first[b] ^ FIRST_FILL));
        if (as_before && (of.packed || differ == 0xff)) {
            covered->left[b]++;
        } else {
            facts.unrepeatable++;
        }
    }
}

/* Takes the same step again from the same state, over another pattern. */
static void step_twice(const world* w, void* before, void* after, const world* first) {
    const size_t agents = env->agents, bytes = env->observation_bytes;
    memcpy(before, w->state, w->state_bytes);
    do_step(w, FIRST_FILL);
    memcpy(after, w->state, w->state_bytes);
    memcpy(first->io.observations, w->io.observations, agents * bytes);
    memcpy(first->io.finals, w->io.finals, agents * bytes);
    memcpy(first->io.rewards, w->io.rewards, agents * sizeof(float));
    memcpy(first->io.terminals, w->io.terminals, agents);
    memcpy(first->io.truncations, w->io.truncations, agents);

    /* This time somebody listens, which must change nothing. */
    static puff_stories told;
    world heard = *w;
    heard.io.stories = &told;
    memcpy(w->state, before, w->state_bytes);
    do_step(&heard, SECOND_FILL);
    facts.twice++;
    facts.unrepeatable += memcmp(after, w->state, w->state_bytes) != 0 ||
                          memcmp(first->io.rewards, w->io.rewards, agents * sizeof(float)) != 0 ||
                          memcmp(first->io.terminals, w->io.terminals, agents) != 0 ||
                          memcmp(first->io.truncations, w->io.truncations, agents) != 0;
    for (size_t a = 0; a < agents; a++) {
        if (!w->io.alive[a]) continue;
        compare_rows(&facts.seen, (uint8_t*)first->io.observations + a * bytes,
                     (uint8_t*)w->io.observations + a * bytes);
        if (w->io.truncations[a]) {
            compare_rows(&facts.last, (uint8_t*)first->io.finals + a * bytes,
                         (uint8_t*)w->io.finals + a * bytes);
        }
    }
}

static void note_reward(game* g, float reward) {
    if (!isfinite(reward)) {
        facts.infinite_rewards++;
        return;
    }
    const double size = fabs((double)reward);
    facts.nonzero += size > 0;
    facts.sum += size;
    facts.squares += size * size;
    if (size > facts.largest) facts.largest = size;
    g->earned += (double)reward;
}

#include "anew.h"

static void note_end(game* g, uint32_t agent) {
    const puff_io* io = &g->w.io;
    const double score = (double)io->scores[agent];
    facts.episodes++;
    facts.truncations += io->truncations[agent] != 0;
    facts.repeats += g->ended_before[agent] >> 1;
    facts.long_first += !g->ended_before[agent] && g->lengths[agent] > 1;
    facts.both_flags += io->terminals[agent] && io->truncations[agent];
    if (isnan(score)) {
        facts.unwritten_scores++;
    } else if (isinf(score)) {
        facts.infinite_scores++;
    } else {
        facts.score_low = fmin(facts.score_low, score);
        facts.score_high = fmax(facts.score_high, score);
        facts.outside += score < (double)env->score_low || score > (double)env->score_high;
    }
    for (uint32_t k = 0; k < env->statistic_count && k < PUFF_MAX_STATISTICS; k++) {
        facts.unwritten_statistics[k] +=
            (uint64_t)isnan(io->statistics[(size_t)agent * env->statistic_count + k]);
    }
    if (env->agents == 1) facts.strangers += (uint64_t)is_stranger(io->observations);
    g->lengths[agent] = 0;
    g->earned = 0;
}

static void note_step(game* g) {
    const puff_io* io = &g->w.io;
    int living = 0;
    for (uint32_t a = 0; a < env->agents; a++) {
        facts.odd_flags += io->terminals[a] > 1 || io->truncations[a] > 1 || io->alive[a] > 1;
        if (!io->alive[a]) continue;
        living = 1;
        g->lengths[a]++;
        const int ended = io->terminals[a] || io->truncations[a];
        const size_t row = (size_t)a * env->observation_bytes;
        note_observation((uint8_t*)io->observations + row, ended ? 0 : g->lengths[a]);
        if (io->truncations[a]) note_last((uint8_t*)io->finals + row, g->lengths[a]);
        note_reward(g, io->rewards[a]);
        if (ended) note_end(g, a);
        g->ended_before[a] = (uint8_t)((g->ended_before[a] & 1) | (ended ? 3 : 0));
    }
    facts.dead = living ? 0 : facts.dead + 1;
    if (facts.dead > facts.longest_dead) facts.longest_dead = facts.dead;
}

/* A game that ended, or that lost much since it began, goes on from the best of some moments; a
 * game that runs becomes one of them now and then, in place of one that was worse. A moment at
 * which all was lost already is forgotten. */
static void be_lucky(game* g, moment* moments, uint64_t round) {
    moment* found = &moments[puff_random_below(&dice, MOMENTS)];
    const int ended = g->ended_before[0] >> 1;
    const int worse = g->from && g->earned < g->from_earned - facts.largest / 2;
    g->since++;
    if (ended || worse) {
        if (ended && g->from && g->since < LOST) g->from->earned = 0;
        for (int i = 0; i < 2; i++) {
            moment* other = &moments[puff_random_below(&dice, MOMENTS)];
            if (other->earned > found->earned) found = other;
        }
        g->from = found->earned > 0 ? found : NULL;
        if (!g->from) return;
        memcpy(g->w.state, found->state, g->w.state_bytes);
        g->earned = g->from_earned = found->earned;
        g->lengths[0] = found->length;
        g->ended_before[0] = 1;
        g->since = 0;
    } else if (round % DEPOSIT == 0 && g->earned >= found->earned) {
        memcpy(found->state, g->w.state, g->w.state_bytes);
        found->earned = g->earned;
        found->length = g->lengths[0];
    }
}

static void tell_extent(const char* name, const element* e, const extent* known) {
    fprintf(out, "%s %u %u %.17g %.17g %llu %llu", name, e->field, e->index, known->low,
            known->high, (unsigned long long)known->low_step, (unsigned long long)known->high_step);
}

static void tell(int cut) {
    typedef unsigned long long number;
    fprintf(out, "steps %llu %d\n", (number)facts.steps, cut);
    fprintf(out, "rewards %llu %.9g %.9g %.9g %llu\n", (number)facts.nonzero, facts.sum,
            facts.squares, facts.largest, (number)facts.infinite_rewards);
    fprintf(out, "episodes %llu %llu %llu %llu %llu\n", (number)facts.episodes,
            (number)facts.repeats, (number)facts.long_first, (number)facts.strangers,
            (number)facts.longest_dead);
    fprintf(out, "flags %llu %llu\n", (number)facts.odd_flags, (number)facts.both_flags);
    fprintf(out, "score %.9g %.9g %llu %llu %llu\n", facts.score_low, facts.score_high,
            (number)facts.unwritten_scores, (number)facts.infinite_scores, (number)facts.outside);
    for (uint32_t k = 0; k < env->statistic_count; k++) {
        fprintf(out, "statistic %u %llu\n", k, (number)facts.unwritten_statistics[k]);
    }
    fprintf(out, "twice %llu %llu\n", (number)facts.twice, (number)facts.unrepeatable);
    fprintf(out, "rows %llu %llu\n", (number)facts.seen.rows, (number)facts.last.rows);
    for (uint32_t b = 0; b < env->observation_bytes; b++) {
        if (facts.seen.left[b]) fprintf(out, "left %u %llu\n", b, (number)facts.seen.left[b]);
        if (facts.last.left[b]) fprintf(out, "final %u %llu\n", b, (number)facts.last.left[b]);
    }
    for (uint32_t i = 0; i < element_count; i++) {
        const element* e = &elements[i];
        tell_extent("element", e, &e->seen);
        fprintf(out, " %llu %llu\n", (number)e->infinite, (number)e->overflows);
        if (!facts.truncations) continue;
        tell_extent("last", e, &e->last);
        fprintf(out, "\n");
    }
}

static uint64_t steps_alone(void) {
    const uint64_t steps = env->agents > FEW ? ALONE * FEW / env->agents : ALONE;
    return steps > AT_LEAST_ALONE ? steps : AT_LEAST_ALONE;
}

/* Whether to play on: at least so long that a game has grown old and that some have ended. */
static int has_more(uint64_t total, uint64_t round) {
    if (facts.steps < total || round < steps_alone()) return 1;
    return ends.count < SOME_ENDS && !ends.partial && round < ENOUGH;
}

/* Plays `total` agent steps, fewer if they take more than `limit` seconds. */
static void play(uint64_t total, double limit) {
    int cut = 0;
    const uint32_t worlds = env->agents < WORLDS ? WORLDS / env->agents : 1;
    const uint32_t lucky = env->agents == 1 ? worlds / 2 : 0;
    list_elements();
    begin_facts();
    if (env->agents == 1) note_starts();
    game games[WORLDS];
    for (uint32_t i = 0; i < worlds; i++) {
        games[i] = (game){.w = new_world(100 + i),
                          .lengths = calloc(env->agents, sizeof(uint64_t)),
                          .ended_before = calloc(env->agents, 1)};
        draw_actions(games[i].w.actions, env->agents, 0, &dice);
    }
    moment moments[MOMENTS] = {0};
    for (uint32_t i = 0; i < MOMENTS; i++) moments[i].state = exact(games[0].w.state_bytes);
    const world first = new_world(1);
    void* before = exact(first.state_bytes);
    void* after = exact(first.state_bytes);
    const double began = now();
    const uint64_t before_it = calls;
    double pace = 0; /* seconds of a step of all agents, with what is looked at here */
    for (uint64_t round = 0; has_more(total, round); round++) {
        const double passed = now() - began;
        if (calls > before_it) pace = passed / (double)(calls - before_it);
        cut = passed > (pace > slowest * env->agents ? limit / 4 : limit);
        if (cut) break;
        const uint32_t playing = round < steps_alone() && passed < limit / 4 ? 1 : worlds;
        for (uint32_t i = 0; i < playing; i++) {
            draw_actions(games[i].w.actions, env->agents, i, &dice);
            remember(&games[i].w);
            if ((round + i) % 4 == 0) {
                step_twice(&games[i].w, before, after, &first);
            } else {
                do_step(&games[i].w, FIRST_FILL);
            }
            note_step(&games[i]);
            if (i >= worlds - lucky) {
                be_lucky(&games[i], moments, round);
            } else {
                note_ends(&games[i].w);
            }
        }
        facts.steps += (uint64_t)playing * env->agents;
    }
    fprintf(out, "pace %.9g\n", pace / env->agents);
    tell(cut);
    tell_beginnings();
}
