/* anew.h: for the part `play` of check.c: whether what follows the end of an episode is a
 * beginning.
 *
 * The states before and after the steps that end an episode are kept. Later games begin in them as
 * `reset` would have it, and others with seeds of their own. What is seen at the beginning, how far
 * that is from what was seen last, how long the next episode takes and what it scores must have the
 * same distribution there and here, however random beginnings are.
 */

enum { ENDS = 128, BEGINNINGS = 4 /* for each end */, FOLLOWED = 256 /* steps */ };
enum { MOST_FOLLOWED = 100000 /* agent steps */, MOST_STATES = 1 << 28 /* bytes */ };
enum { LENGTH, SCORE, OUTCOMES };
enum { AFTER_END, AFTER_RESET, WAYS };
enum { FROM_BEFORE, FROM_AFTER, FRESH, POOLS }; /* of beginnings */

/* A share of the range of an element: smaller differences are none. */
static const double alike = 0.02;

static struct {
    uint32_t count;
    uint8_t *before, *states; /* (count, state_bytes) */
    uint8_t *last, *rows;     /* (count, observation_bytes) what one agent saw before and after */
    uint64_t partial;         /* ends for some alone */
} ends;

static uint32_t end_agent(uint32_t end) {
    return end % env->agents;
}

/* What there was before a step, of one game at a time. */
static struct {
    uint8_t *state, *observations;
} past;

static void remember(const world* w) {
    const size_t bytes = (size_t)env->agents * env->observation_bytes;
    if (!past.state) {
        past.state = exact(w->state_bytes);
        past.observations = exact(bytes);
    }
    memcpy(past.state, w->state, w->state_bytes);
    memcpy(past.observations, w->io.observations, bytes);
}

/* Keeps a step in which an episode has just ended for everybody. */
static void keep_end(const world* w) {
    const size_t size = w->state_bytes, bytes = env->observation_bytes;
    const size_t room = MOST_STATES / size;
    const size_t most = room < ENDS ? room : ENDS, n = ends.count;
    if (n >= most) return;
    if (!n) {
        ends.before = exact(most * size);
        ends.states = exact(most * size);
        ends.last = exact(most * bytes);
        ends.rows = exact(most * bytes);
    }
    memcpy(ends.before + n * size, past.state, size);
    memcpy(ends.states + n * size, w->state, size);
    const size_t agent = end_agent(ends.count) * bytes;
    memcpy(ends.last + n * bytes, past.observations + agent, bytes);
    memcpy(ends.rows + n * bytes, (const uint8_t*)w->io.observations + agent, bytes);
    ends.count++;
}

/* Looks at a step that was just taken after `remember`: where an episode ends for some and goes on
 * for others, nothing can be told from it. */
static void note_ends(const world* w) {
    uint32_t ended = 0, going = 0;
    for (uint32_t a = 0; a < env->agents; a++) {
        if (!w->io.alive[a]) continue;
        if (w->io.terminals[a] || w->io.truncations[a]) {
            ended++;
        } else {
            going++;
        }
    }
    ends.partial += ended && going;
    if (ended && !going) keep_end(w);
}

static int by_size(const void* left, const void* right) {
    const double a = *(const double*)left, b = *(const double*)right;
    return (a > b) - (a < b);
}

static void sort(double* values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (isnan(values[i])) values[i] = -INFINITY;
    }
    qsort(values, count, sizeof(double), by_size);
}

/* The largest share by which more of `a` than of `b` lies below some value; both sorted. */
static double ahead(const double* a, uint32_t n, const double* b, uint32_t m, double margin) {
    double most = 0;
    for (uint32_t i = 0, below = 0; i < n; i++) {
        while (below < m && b[below] <= a[i] + margin) below++;
        most = fmax(most, (double)(i + 1) / n - (double)below / m);
    }
    return most;
}

/* How far two distributions are apart, 0 to 1, as Kolmogorov and Smirnov measure it. */
static double apart(const double* a, uint32_t n, const double* b, uint32_t m, double margin) {
    return fmax(ahead(a, n, b, m, margin), ahead(b, m, a, n, margin));
}

static uint32_t begins_each(int pool) {
    return pool == FROM_BEFORE ? 1 : BEGINNINGS; /* from one state there is one beginning */
}

/* What is seen where games begin, (count, begins_each, observation_bytes). */
static uint8_t* beginnings(const world* w, int pool) {
    const size_t bytes = env->observation_bytes;
    const uint8_t* from = pool == FROM_BEFORE ? ends.before : ends.states;
    uint8_t* rows = exact(ends.count * begins_each(pool) * bytes);
    uint8_t* row = rows;
    for (uint32_t i = 0; i < ends.count; i++) {
        memcpy(w->state, from + i * w->state_bytes, w->state_bytes);
        for (uint32_t k = 0; k < begins_each(pool); k++, row += bytes) {
            if (pool == FRESH) {
                seed_world(w, 7000 + (uint64_t)i * BEGINNINGS + k);
            } else {
                do_reset(w, FIRST_FILL);
            }
            memcpy(row, (const uint8_t*)w->io.observations + end_agent(i) * bytes, bytes);
        }
    }
    return rows;
}

/* The values of an element in rows, `each` for every end, sorted; or how far each is from what was
 * seen before the end. */
static void values_of(const element* e, const uint8_t* rows, uint32_t each, int jumps, double* to) {
    const size_t bytes = env->observation_bytes;
    for (uint32_t i = 0; i < ends.count; i++) {
        const double last = value_of(e, ends.last + i * bytes);
        for (uint32_t k = 0; k < each; k++) {
            const double value = value_of(e, rows + (i * each + k) * bytes);
            to[i * each + k] = jumps ? fabs(value - last) : value;
        }
    }
    sort(to, ends.count * each);
}

/* The one of two distributions' quantiles that is farther from `middle`. */
static double example_of(const double* sorted, uint32_t count, double middle) {
    const double low = sorted[count / 8], high = sorted[count - 1 - count / 8];
    return fabs(low - middle) > fabs(high - middle) ? low : high;
}

/* Writes, for each element, how far what is seen after an end is from all beginnings, in value and
 * in the jump from what was seen before. */
static void compare_beginnings(const world* w) {
    const uint32_t n = ends.count;
    uint8_t* rows[POOLS];
    double* seen = exact(n * sizeof(double));
    double* usual = exact(n * BEGINNINGS * sizeof(double));
    for (int pool = 0; pool < POOLS; pool++) rows[pool] = beginnings(w, pool);
    for (uint32_t e = 0; e < element_count; e++) {
        const element* it = &elements[e];
        const double margin = fmax(alike * (it->seen.high - it->seen.low), 0);
        double least[2] = {1, 1}, middle = 0, example = 0;
        for (int jumps = 1; jumps >= 0; jumps--) {
            values_of(it, ends.rows, 1, jumps, seen);
            for (int pool = 0; pool < POOLS; pool++) {
                const uint32_t each = begins_each(pool);
                values_of(it, rows[pool], each, jumps, usual);
                const double distance = apart(seen, n, usual, n * each, margin);
                if (distance > least[jumps]) continue;
                least[jumps] = distance;
                middle = usual[n * each / 2];
                example = example_of(seen, n, middle);
            }
        }
        fprintf(out, "begins %u %u %.9g %.9g %.9g %.9g\n", it->field, it->index, least[0], least[1],
                example, middle);
    }
    for (int pool = 0; pool < POOLS; pool++) free(rows[pool]);
    free(seen);
    free(usual);
}

/* Plays on at random until the episode ends for an agent: how long that took, and its score. */
static void follow(const world* w, uint32_t agent, double* length, double* score) {
    int steps = 0, ended = 0;
    while (steps < FOLLOWED && !ended) {
        draw_actions(w->actions, env->agents, (uint32_t)steps, &dice);
        do_step(w, FIRST_FILL);
        ended = w->io.terminals[agent] || w->io.truncations[agent];
        steps++;
    }
    *length = steps;
    *score = ended ? (double)w->io.scores[agent] : NAN;
}

/* Writes how far the episode after an end is from one after a reset, in length and in score. */
static void compare_episodes(const world* w) {
    const uint32_t most = MOST_FOLLOWED / (WAYS * FOLLOWED * env->agents);
    const uint32_t n = ends.count < most ? ends.count : most;
    double outcomes[OUTCOMES][WAYS][ENDS];
    for (uint32_t i = 0; i < n; i++) {
        for (int way = 0; way < WAYS; way++) {
            const uint8_t* from = way == AFTER_RESET ? ends.before : ends.states;
            memcpy(w->state, from + i * w->state_bytes, w->state_bytes);
            if (way == AFTER_RESET) do_reset(w, FIRST_FILL);
            follow(w, end_agent(i), &outcomes[LENGTH][way][i], &outcomes[SCORE][way][i]);
        }
    }
    for (int what = 0; n && what < OUTCOMES; what++) {
        double (*ways)[ENDS] = outcomes[what];
        for (int way = 0; way < WAYS; way++) sort(ways[way], n);
        fprintf(out, "follows %d %u %.9g %.9g %.9g\n", what, n,
                apart(ways[AFTER_END], n, ways[AFTER_RESET], n, 0), ways[AFTER_END][n / 2],
                ways[AFTER_RESET][n / 2]);
    }
}

static void tell_beginnings(void) {
    if (!ends.count || ends.partial) return;
    const world w = new_world(3);
    fprintf(out, "ends %u\n", ends.count);
    compare_beginnings(&w);
    compare_episodes(&w);
}
