/* actions.h: the part `actions` of check.c: which choices never lead to anything else. */

/* The outcome of one choice of one component, taken by all agents, over some steps. */
static uint64_t outcome(const world* w, const void* start, uint64_t seed, uint32_t component,
                        uint32_t choice) {
    enum { FOLLOWED = 16 };
    memcpy(w->state, start, w->state_bytes);
    puff_random random = puff_random_stream(seed, 0);
    uint64_t seen = 0;
    for (int step = 0; step < FOLLOWED; step++) {
        for (uint32_t a = 0; a < env->agents; a++) {
            draw_action(w->actions, a, &random);
            if (step == 0) set_action(w->actions, a, component, choice);
        }
        do_step(w, FIRST_FILL);
        seen = hash_outputs(seen, w);
        if (step == 0) seen += env->agents;
    }
    return seen;
}

/* Compares, from equal states, what each choice leads to. About `total` agent steps are taken,
 * fewer if they take more than `limit` seconds. */
static void actions(uint64_t total, double limit) {
    enum { AT_LEAST = 8, FOLLOWED = 16 };
    const world path = new_world(11), trial = new_world(12);
    void* start = exact(path.state_bytes);
    for (uint32_t k = 0; k < env->action_count; k++) {
        const uint32_t choices = choices_of(k);
        const uint64_t cost = (uint64_t)choices * FOLLOWED * env->agents;
        uint8_t* differ = exact((size_t)choices * choices);
        uint64_t* outcomes = exact(choices * sizeof(uint64_t));
        memset(differ, 0, (size_t)choices * choices);
        uint32_t alike = choices * (choices - 1) / 2, samples = 0;
        const double end = now() + limit / env->action_count;
        for (; alike && (samples < AT_LEAST || samples * cost < total / env->action_count);
             samples++) {
            if (now() > end) break;
            for (int step = 0; step < 7; step++) {
                draw_actions(path.actions, env->agents, samples, &dice);
                do_step(&path, FIRST_FILL);
            }
            memcpy(start, path.state, path.state_bytes);
            const uint64_t seed = puff_random_bits(&dice);
            for (uint32_t c = 0; c < choices; c++) {
                outcomes[c] = outcome(&trial, start, seed, k, c);
                for (uint32_t other = 0; other < c; other++) {
                    uint8_t* cell = &differ[c * choices + other];
                    if (!*cell && outcomes[c] != outcomes[other]) *cell = 1, alike--;
                }
            }
        }
        for (uint32_t c = 1; c < choices; c++) {
            for (uint32_t other = 0; other < c; other++) {
                if (differ[c * choices + other] || samples < AT_LEAST) continue;
                fprintf(out, "alike %u %u %u %u\n", k, c, other, samples);
                break;
            }
        }
        free(differ);
        free(outcomes);
    }
}
