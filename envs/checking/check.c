/* check.c: plays one environment with random actions and tells what it saw, a fact a line, for
 * `pufftui env check`. probe.py compiles it together with the environment, under the
 * compiler's sanitizers, and runs each part in a process of its own:
 *
 *   check PATIENCE FACTS nothing                does nothing, to see that programs start
 *   check PATIENCE FACTS describe               reads everything that the environment declares
 *   check PATIENCE FACTS play STEPS SECONDS     observations, rewards, episodes, scores
 *   check PATIENCE FACTS actions STEPS SECONDS  which choices never differ
 *   check PATIENCE FACTS threads SECONDS        one thread and several
 *   check PATIENCE FACTS races SECONDS          two threads with a game each
 *   check PATIENCE FACTS state FILE             states in other memory; their bytes go to FILE
 *   check PATIENCE FACTS draw                   pictures and sheets
 *
 * What it saw goes to the file FACTS. SECONDS are on the clock, for somebody waits; a call that has
 * used up PATIENCE seconds of the processor, so that a busy machine makes no findings, is reported
 * and ended. All memory is allocated in exact sizes, so that a byte too far is noticed.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "puff_env.h"
#include "random.h"
#include "vec_declarations.h" /* the functions of vec.h and `layouts`, written by probe.py */

/* Two patterns to find bytes that nobody wrote: they are left at both. */
enum { FIRST_FILL = 0xa5, SECOND_FILL = 0x5a };
enum { MAX_PARAMETERS = 256 };

static const puff_descriptor* env;
static double params[MAX_PARAMETERS];
static puff_random dice = {2025};

/* Where the facts go. What the environment prints goes elsewhere. */
static FILE* out;
static int out_file;

/* Seconds of the processor that this process has used, on all threads. */
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A call that sleeps, or a busy machine, may take so many times longer on the clock. */
enum { BUSY = 4 };

/* Seconds on the clock. */
static double now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What the watchdog looks at: a thread, for a signal would wake up who sleeps. */
static double patience;
static const char* volatile doing = "puff_env";
static _Atomic uint64_t calls; /* of functions of the environment */

static void* watch(void* nothing) {
    uint64_t seen = calls;
    double began = seconds();
    for (int waited = 1;; waited++) {
        sleep(1);
        if (calls != seen) {
            seen = calls;
            began = seconds();
            waited = 0;
        }
        if (seconds() - began > patience || waited > BUSY * patience) break;
    }
    char line[64];
    const int length = snprintf(line, sizeof line, "endless %s\n", doing);
    if (write(out_file, line, (size_t)length) != length) _exit(4);
    _exit(3);
    return nothing;
}

/* Of the sanitizers: writes where the program is. */
void __sanitizer_print_stack_trace(void) __attribute__((weak));

/* The environment has ended the process. */
static void on_exit_call(void) {
    if (__sanitizer_print_stack_trace) __sanitizer_print_stack_trace();
    fflush(stderr);
    _exit(6);
}

/* Whether the declarations mean what they say here: environments may bring a puff_env.h of an older
 * interface. What it lacks is at the end of a field, and of the descriptor. */
static int speaks_ours(void) {
    return env->abi >= 1 && env->abi <= PUFF_COUNT(layouts) &&
           env->size == layouts[env->abi - 1][1];
}

static const puff_field* field_at(uint32_t f) {
    return (const puff_field*)((const uint8_t*)env->fields + f * layouts[env->abi - 1][0]);
}

static void* exact(size_t size) {
    void* memory = malloc(size ? size : 1);
    if (!memory) {
        fprintf(stderr, "there is not enough memory\n");
        _exit(5);
    }
    return memory;
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
    const uint64_t prime = UINT64_C(0x100000001b3);
    const uint8_t* bytes = memory;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        before = (before ^ word) * prime;
        before ^= before >> 32; /* so that the highest bits count too */
    }
    for (size_t i = 0; i < size; i++) before = (before ^ bytes[i]) * prime;
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

#include "actions.h"
#include "play.h"
#include "same.h"

/* Says what is read next, so that it is known where reading ends in a crash. */
static void reading(const char* table, uint32_t count) {
    fprintf(out, "%s %u\n", table, count);
    fflush(out);
}

static size_t letters(const char* text) {
    return text ? strlen(text) : 0;
}

static void describe(void) {
    if (!speaks_ours()) return;
    size_t read = letters(env->name) + letters(env->summary);
    if (env->fields) reading("fields", env->field_count);
    for (uint32_t f = 0; env->fields && f < env->field_count; f++) {
        read += letters(field_at(f)->name);
    }
    if (env->actions) reading("actions", env->action_count);
    for (uint32_t k = 0; env->actions && k < env->action_count; k++) {
        const puff_action* action = &env->actions[k];
        read += letters(action->name);
        if (!action->choices) continue;
        reading("choices", action->choice_count);
        for (uint32_t c = 0; c < action->choice_count; c++) {
            read += letters(action->choices[c].label) + letters(action->choices[c].keys);
        }
        reading("actions", env->action_count);
    }
    if (env->parameters) reading("parameters", env->parameter_count);
    for (uint32_t p = 0; env->parameters && p < env->parameter_count; p++) {
        read += letters(env->parameters[p].name) + letters(env->parameters[p].help);
    }
    if (env->statistics) reading("statistics", env->statistic_count);
    for (uint32_t s = 0; env->statistics && s < env->statistic_count; s++) {
        read += letters(env->statistics[s]);
    }
    fprintf(out, "letters %zu\n", read);
    if (!env->state_size) return;
    doing = "state_size";
    calls++;
    fprintf(out, "state %zu\n", env->state_size(params));
}

#include "shown.h"

int main(int count, char** arguments) {
    if (count < 4) return 2;
    patience = atof(arguments[1]);
    out_file = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    out = out_file < 0 ? NULL : fdopen(out_file, "w");
    if (!out) return 2;
    const char* part = arguments[3];
    const char* first = count > 4 ? arguments[4] : "";
    const double limit = atof(arguments[count - 1]);
    atexit(on_exit_call);
    pthread_t watchdog;
    if (pthread_create(&watchdog, NULL, watch, NULL)) return 2;
    if (strcmp(part, "nothing")) {
        env = puff_env();
        const uint32_t count_of = speaks_ours() && env->parameters ? env->parameter_count : 0;
        reading("parameters", count_of);
        for (uint32_t p = 0; p < count_of && p < MAX_PARAMETERS; p++) {
            params[p] = env->parameters[p].standard;
        }
    }
    if (!strcmp(part, "describe")) describe();
    if (!strcmp(part, "play")) play(strtoull(first, NULL, 10), limit);
    if (!strcmp(part, "actions")) actions(strtoull(first, NULL, 10), limit);
    if (!strcmp(part, "threads")) threads(limit);
    if (!strcmp(part, "races")) races(limit);
    if (!strcmp(part, "state")) state(first);
    if (!strcmp(part, "draw")) draw();
    fprintf(out, "end\n"); /* missing if the environment ended the process */
    fclose(out);
    fflush(stdout);
    _exit(0);
}
