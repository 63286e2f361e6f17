/* check.c: plays one environment with random actions and tells what it saw, a fact a line, for
 * `pufftui env check`. check.py compiles it together with the environment, under the compiler's
 * sanitizers, and runs each part in a process of its own:
 *
 *   check PATIENCE describe              reads everything that the environment declares
 *   check PATIENCE play STEPS SECONDS    observations, rewards, episodes, scores
 *   check PATIENCE actions STEPS         which choices never differ
 *   check PATIENCE threads               the vectoriser on one thread and on several
 *   check PATIENCE state FILE            states in other memory; their bytes go to FILE
 *   check PATIENCE draw                  pictures
 *
 * Who does not come back from a call within PATIENCE seconds is reported and ended. All memory is
 * allocated in exact sizes, so that a byte too far is noticed.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "puff_env.h"
#include "random.h"
#include "vec_declarations.h" /* the functions of vec.h, written by check.py */

/* Two patterns to find bytes that nobody wrote: they are left at both. */
enum { FIRST_FILL = 0xa5, SECOND_FILL = 0x5a };
enum { MAX_PARAMETERS = 256 };

static const puff_descriptor* env;
static double params[MAX_PARAMETERS];
static puff_random dice = {2025};

/* What the watchdog reports. */
static const char* volatile doing = "puff_env";
static volatile uint64_t calls, calls_seen = (uint64_t)-1;

static void watch(int signal_number) {
    (void)signal_number;
    if (calls != calls_seen) {
        calls_seen = calls;
        return;
    }
    char line[64];
    const int length = snprintf(line, sizeof line, "endless %s\n", doing);
    if (write(STDOUT_FILENO, line, (size_t)length) != length) _exit(4);
    _exit(3);
}

static void* exact(size_t size) {
    void* memory = malloc(size ? size : 1);
    if (!memory) {
        fprintf(stderr, "there is not enough memory\n");
        exit(5);
    }
    return memory;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One copy of the game with all the memory that a step touches. */
typedef struct {
    void* state;
    size_t state_bytes;
    void* actions;
    puff_io io;
} world;

static void clear_outputs(const world* w, int fill) {
    const size_t agents = env->agents;
    memset(w->io.rewards, 0, agents * sizeof(float));
    memset(w->io.terminals, 0, agents);
    memset(w->io.truncations, 0, agents);
    memset(w->io.alive, 1, agents);
    memset(w->io.observations, fill, agents * env->observation_bytes);
    memset(w->io.finals, fill, agents * env->observation_bytes);
    for (size_t a = 0; a < agents; a++) w->io.scores[a] = NAN;
    for (size_t i = 0; i < agents * env->statistic_count; i++) w->io.statistics[i] = NAN;
}

static void do_reset(const world* w, int fill) {
    clear_outputs(w, fill);
    doing = "reset";
    calls++;
    env->reset(w->state, &w->io);
}

static void do_step(const world* w, int fill) {
    clear_outputs(w, fill);
    doing = "step";
    calls++;
    env->step(w->state, &w->io);
}

static void seed_world(const world* w, uint64_t seed) {
    memset(w->state, 0, w->state_bytes);
    doing = "init";
    calls++;
    env->init(w->state, params, seed);
    do_reset(w, FIRST_FILL);
}

static world new_world(uint64_t seed) {
    const size_t agents = env->agents, bytes = env->observation_bytes;
    doing = "state_size";
    calls++;
    const size_t state_bytes = env->state_size(params);
    void* actions = exact(agents * env->action_count * 4);
    memset(actions, 0, agents * env->action_count * 4);
    const world w = {
        .state = exact(state_bytes),
        .state_bytes = state_bytes,
        .actions = actions,
        .io =
            {
                .actions = actions,
                .controls = actions,
                .observations = exact(agents * bytes),
                .rewards = exact(agents * sizeof(float)),
                .terminals = exact(agents),
                .truncations = exact(agents),
                .alive = exact(agents),
                .finals = exact(agents * bytes),
                .scores = exact(agents * sizeof(float)),
                .statistics = exact(agents * env->statistic_count * sizeof(float)),
                .observation_bytes = env->observation_bytes,
            },
    };
    seed_world(&w, seed);
    return w;
}

static uint32_t choices_of(uint32_t component) {
    return env->action_kind == PUFF_CONTINUOUS ? 3 : env->actions[component].choice_count;
}

/* Continuous components are tried at -1, 0 and 1. */
static void set_action(void* actions, uint32_t agent, uint32_t component, uint32_t choice) {
    const size_t i = (size_t)agent * env->action_count + component;
    if (env->action_kind == PUFF_CONTINUOUS) {
        ((float*)actions)[i] = (float)choice - 1;
    } else {
        ((int32_t*)actions)[i] = (int32_t)choice;
    }
}

static void draw_action(void* actions, uint32_t agent, puff_random* random) {
    for (uint32_t k = 0; k < env->action_count; k++) {
        const size_t i = (size_t)agent * env->action_count + k;
        if (env->action_kind == PUFF_CONTINUOUS) {
            ((float*)actions)[i] = puff_random_between(random, -1, 1);
        } else {
            set_action(actions, agent, k, puff_random_below(random, choices_of(k)));
        }
    }
}

/* Some change their mind at every step, some hold a key for a while: that goes further. */
static void draw_actions(void* actions, uint32_t agents, uint32_t shift, puff_random* random) {
    static const uint32_t holds[] = {1, 4, 16};
    for (uint32_t a = 0; a < agents; a++) {
        if (puff_random_below(random, holds[(a + shift) % 3]) == 0) {
            draw_action(actions, a, random);
        }
    }
}

static uint64_t hash(uint64_t before, const void* memory, size_t size) {
    const uint8_t* bytes = memory;
    for (size_t i = 0; i < size; i++) before = (before ^ bytes[i]) * UINT64_C(0x100000001b3);
    return before;
}

/* All that a step puts out, but for what is not for the trainer to see. */
static uint64_t hash_outputs(uint64_t before, const world* w) {
    const size_t agents = env->agents;
    before = hash(before, w->io.observations, agents * env->observation_bytes);
    before = hash(before, w->io.rewards, agents * sizeof(float));
    before = hash(before, w->io.terminals, agents);
    before = hash(before, w->io.truncations, agents);
    return hash(before, w->io.alive, agents);
}

#include "check_play.h"

static void describe(void) {
    size_t letters = 0;
    const char* texts[] = {env->name, env->summary};
    for (size_t i = 0; i < PUFF_COUNT(texts); i++) letters += texts[i] ? strlen(texts[i]) : 0;
    for (uint32_t f = 0; f < env->field_count; f++) letters += strlen(env->fields[f].name);
    for (uint32_t k = 0; k < env->action_count; k++) {
        letters += strlen(env->actions[k].name);
        for (uint32_t c = 0; c < env->actions[k].choice_count; c++) {
            letters += strlen(env->actions[k].choices[c].label);
            letters += strlen(env->actions[k].choices[c].keys);
        }
    }
    for (uint32_t p = 0; p < env->parameter_count; p++) {
        letters += strlen(env->parameters[p].name) + strlen(env->parameters[p].help);
    }
    for (uint32_t s = 0; s < env->statistic_count; s++) letters += strlen(env->statistics[s]);
    printf("letters %zu\n", letters);
}

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

/* Compares, from equal states, what each choice leads to. */
static void actions(uint64_t total) {
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
        for (; alike && (samples < AT_LEAST || samples * cost < total / env->action_count);
             samples++) {
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
                if (differ[c * choices + other]) continue;
                printf("alike %u %u %u %u\n", k, c, other, samples);
                break;
            }
        }
        free(differ);
        free(outcomes);
    }
}

/* Everything that comes out of the vectoriser, with actions that depend on nothing else. */
static uint64_t vectorised(uint32_t threads) {
    const uint32_t environments = env->agents < 256 ? 256 / env->agents + 1 : 3;
    const size_t count = (size_t)environments * env->agents;
    puff_vec* vec = puff_vec_create(params, environments, 1, threads, 5);
    if (!vec) exit(5);
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
    doing = "step";
    puff_vec_reset(vec, 0, &buffers);
    for (int step = 0; step < 128; step++) {
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
    return seen;
}

static void threads(void) {
    const uint64_t once = vectorised(1), twice = vectorised(1);
    printf("again %d\n", once == twice);
    if (once != twice) return;
    int equal = 1;
    for (uint32_t count = 2; count <= 4; count++) equal &= once == vectorised(count);
    printf("threads %d\n", equal);
}

/* Whether a word could be an address: of this state or another one, or of something static. */
static int like_address(uint64_t word, const void* state) {
    return word >> 40 == (uint64_t)(uintptr_t)state >> 40 ||
           word >> 28 == (uint64_t)(uintptr_t)env >> 28;
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
        printf("unequal %zu %d\n", at, address);
        return 0;
    }
    return 1;
}

static void state(const char* path) {
    enum { STEPS = 200 };
    FILE* file = fopen(path, "wb");
    if (!file) exit(5);
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
        if (step == STEPS / 2 - 1) memcpy(other.actions, twin.actions, 4);
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
    printf("restored %d\n", seen == again);
}

/* Pictures of odd sizes, the empty one included. */
static void draw(void) {
    static const uint32_t sizes[][2] = {{0, 0}, {1, 1}, {7, 3}, {3, 50}, {60, 60}, {160, 90}};
    const world w = new_world(41);
    void* before = exact(w.state_bytes);
    uint64_t bare = 0, touched = 0;
    doing = "draw";
    for (int step = 0; step < 400; step++) {
        draw_actions(w.actions, env->agents, (uint32_t)step / 64, &dice);
        do_step(&w, FIRST_FILL);
        if (step % 20) continue;
        memcpy(before, w.state, w.state_bytes);
        for (size_t i = 0; i < PUFF_COUNT(sizes); i++) {
            const size_t pixels = (size_t)sizes[i][0] * sizes[i][1];
            const uint32_t agent = puff_random_below(&dice, env->agents);
            const float phase = puff_random_unit(&dice);
            puff_canvas canvas[2];
            for (int c = 0; c < 2; c++) {
                canvas[c] = (puff_canvas){exact(3 * pixels), sizes[i][0], sizes[i][1]};
                memset(canvas[c].pixels, c ? SECOND_FILL : FIRST_FILL, 3 * pixels);
                doing = "draw";
                calls++;
                env->draw(w.state, agent, phase, &canvas[c]);
            }
            for (size_t p = 0; p < 3 * pixels; p++) {
                bare += canvas[0].pixels[p] != canvas[1].pixels[p];
            }
            free(canvas[0].pixels);
            free(canvas[1].pixels);
        }
        touched += memcmp(before, w.state, w.state_bytes) != 0;
    }
    printf("drawn %llu %llu\n", (unsigned long long)bare, (unsigned long long)touched);
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    const int patience = atoi(arguments[1]);
    const char* part = arguments[2];
    signal(SIGALRM, watch);
    const struct itimerval every = {{patience, 0}, {patience, 0}};
    setitimer(ITIMER_REAL, &every, NULL);
    env = puff_env();
    for (uint32_t p = 0; p < env->parameter_count && p < MAX_PARAMETERS; p++) {
        params[p] = env->parameters[p].standard;
    }
    if (!strcmp(part, "describe")) describe();
    if (!strcmp(part, "play")) play(strtoull(arguments[3], NULL, 10), atof(arguments[4]));
    if (!strcmp(part, "actions")) actions(strtoull(arguments[3], NULL, 10));
    if (!strcmp(part, "threads")) threads();
    if (!strcmp(part, "state")) state(arguments[3]);
    if (!strcmp(part, "draw")) draw();
    printf("end\n"); /* missing if the environment ended the process */
    return 0;
}
