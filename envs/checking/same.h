/* same.h: the parts `threads`, `races` and `state` of check.c: whether equal seeds and equal
 * actions give equal games, wherever and by whom they are played.
 */

enum { ROUNDS = 128, SHIFT = 8, UNLIMITED = 1000000 };

/* Everything that comes out of the vectoriser, with actions that depend on nothing else. Plays
 * `*rounds` steps, and sets that to fewer if they take more than `limit` seconds. */
static uint64_t vectorised(uint32_t threads, int* rounds, double limit) {
    const uint32_t environments = env->agents < 256 ? 256 / env->agents + 1 : 3;
    const size_t count = (size_t)environments * env->agents;
    puff_vec* vec = puff_vec_create(params, environments, 1, threads, 5);
    if (!vec) _exit(5);
    const puff_buffers buffers = {
        .actions = calloc(count * env->action_count, 4),
        .observations = calloc(count, env->observation_bytes),
        .rewards = calloc(count, sizeof(float)),
        .terminals = calloc(count, 1),
        .truncations = calloc(count, 1),
        .alive = calloc(count, 1),
        .finals = calloc(count, env->observation_bytes),
    };
    puff_random random = {77};
    uint64_t size, seen = 0;
    const double end = now() + limit;
    doing = "step";
    puff_vec_reset(vec, 0, &buffers);
    for (int step = 0; step < *rounds; step++) {
        if (now() > end) *rounds = step + 1;
        draw_actions((void*)buffers.actions, (uint32_t)count, 0, &random);
        calls++;
        puff_vec_start(vec, 0, &buffers);
        puff_vec_wait(vec, 0);
        seen = hash(seen, buffers.observations, count * env->observation_bytes);
        seen = hash(seen, buffers.rewards, count * sizeof(float));
        seen = hash(seen, buffers.terminals, count);
        seen = hash(seen, buffers.truncations, count);
    }
    const void* memory = puff_vec_memory(vec, &size);
    seen = hash(seen, memory, size);
    puff_vec_destroy(vec);
    free((void*)buffers.actions);
    free(buffers.observations);
    free(buffers.rewards);
    free(buffers.terminals);
    free(buffers.truncations);
    free(buffers.alive);
    free(buffers.finals);
    return seen;
}

/* One game, played for some steps. */
typedef struct {
    world w;
    puff_random random;
    uint64_t seen;
    int steps;
} shift;

static void* play_shift(void* context) {
    shift* game = context;
    for (int step = 0; step < game->steps; step++) {
        draw_actions(game->w.actions, env->agents, 0, &game->random);
        do_step(&game->w, FIRST_FILL);
        game->seen = hash_outputs(game->seen, &game->w);
    }
    return NULL;
}

/* One game, played by this thread or in shifts by many. */
static uint64_t played_in_shifts(int many) {
    shift game = {.w = new_world(51), .random = {52}, .steps = SHIFT};
    for (int number = 0; number < ROUNDS / SHIFT; number++) {
        pthread_t thread;
        if (!many) {
            play_shift(&game);
        } else if (pthread_create(&thread, NULL, play_shift, &game) || pthread_join(thread, NULL)) {
            _exit(5);
        }
    }
    return game.seen;
}

/* The vectoriser shares games among threads as the machine sees fit, maybe all to one of them; so
 * a game is handed from thread to thread as well. */
static void threads(double limit) {
    int rounds = ROUNDS;
    const uint64_t once = vectorised(1, &rounds, limit), twice = vectorised(1, &rounds, UNLIMITED);
    fprintf(out, "again %d\n", once == twice);
    if (once != twice) return;
    int equal = played_in_shifts(0) == played_in_shifts(1);
    for (uint32_t count = 2; count <= 4; count++) {
        equal &= once == vectorised(count, &rounds, UNLIMITED);
    }
    fprintf(out, "threads %d\n", equal);
}

/* Steps one game, without a word to the other thread. */
static void* race(void* context) {
    shift* game = context;
    const double end = now() + game->steps;
    const uint32_t most = 20000 / env->agents + 16;
    for (uint32_t step = 0; step < most && now() < end; step++) {
        draw_actions(game->w.actions, env->agents, 0, &game->random);
        clear_outputs(&game->w, FIRST_FILL);
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
        env->step(game->w.state, &game->w.io);
    }
    return NULL;
}

/* Two threads with a game each: the thread sanitizer tells what both touch. */
static void races(double limit) {
    shift games[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        games[i] = (shift){.w = new_world(61 + (uint64_t)i), .random = {63}, .steps = (int)limit};
    }
    doing = "step";
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, race, &games[i])) _exit(5);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

/* Whether a word could be an address: of this state or another one, of something static, or of
 * anything that is there, far above small numbers and the sanitizer's own memory. */
static int like_address(uint64_t word, const void* state) {
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned char there;
    return word >> 40 == (uint64_t)(uintptr_t)state >> 40 ||
           word >> 28 == (uint64_t)(uintptr_t)env >> 28 ||
           (word >> 44 >= 5 && !mincore((void*)(uintptr_t)(word / page * page), 1, (void*)&there));
}

/* Compares two states that should be equal; tells where they are not. */
static int equal_states(const world* a, const world* b) {
    const uint8_t *left = a->state, *right = b->state;
    for (size_t i = 0; i < a->state_bytes; i++) {
        if (left[i] == right[i]) continue;
        const size_t at = i / 8 * 8;
        uint64_t words[2] = {0, 0};
        const size_t size = a->state_bytes - at < 8 ? a->state_bytes - at : 8;
        memcpy(&words[0], left + at, size);
        memcpy(&words[1], right + at, size);
        const int address = like_address(words[0], left) && like_address(words[1], right);
        fprintf(out, "unequal %zu %d\n", at, address);
        return 0;
    }
    return 1;
}

/* Plays a game here and in other memory, and goes on with it from a copy. */
static void state(const char* path) {
    enum { STEPS = 200 };
    FILE* file = fopen(path, "wb");
    if (!file) _exit(5);
    world alone = new_world(21);
    fwrite(alone.state, 1, alone.state_bytes, file);
    void* early = exact(alone.state_bytes);
    uint64_t seen = 0, again = 0;
    puff_random random = {31};
    for (int step = 0; step < STEPS; step++) {
        if (step == STEPS / 2) memcpy(early, alone.state, alone.state_bytes);
        draw_actions(alone.actions, env->agents, 0, &random);
        do_step(&alone, FIRST_FILL);
        if (step >= STEPS / 2) seen = hash_outputs(seen, &alone);
    }
    fwrite(alone.state, 1, alone.state_bytes, file);
    fclose(file);

    /* The same game in other memory, while another one is played in between. */
    const world twin = new_world(21), other = new_world(22);
    random.state = 31;
    for (int step = 0; step < STEPS; step++) {
        draw_actions(twin.actions, env->agents, 0, &random);
        memcpy(other.actions, twin.actions, (size_t)env->agents * env->action_count * 4);
        do_step(&twin, FIRST_FILL);
        do_step(&other, FIRST_FILL);
    }
    if (!equal_states(&alone, &twin)) return;

    /* The copy goes on from the middle where the first one is no more. */
    memcpy(other.state, early, alone.state_bytes);
    memset(alone.state, FIRST_FILL, alone.state_bytes);
    memset(twin.state, FIRST_FILL, twin.state_bytes);
    random.state = 31;
    memset(other.actions, 0, (size_t)env->agents * env->action_count * 4);
    for (int step = 0; step < STEPS; step++) {
        draw_actions(other.actions, env->agents, 0, &random);
        if (step < STEPS / 2) continue;
        do_step(&other, FIRST_FILL);
        again = hash_outputs(again, &other);
    }
    fprintf(out, "restored %d\n", seen == again);
}
