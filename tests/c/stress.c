/* Steps an environment with random actions in every way the vectoriser allows, for a build with
 * sanitizers. Compile with -DENV='"breakout.c"' and the environment's folder on the include path.
 *
 *   stress AGENT_STEPS
 *
 * Memory comes from malloc in exact sizes, so that a byte too far is noticed. Ends by assert.
 */
#include ENV

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { GROUPS = 2, THREADS = 3 };

static puff_random dice = {2025};

static void* exact(size_t size) {
    void* memory = malloc(size ? size : 1);
    assert(memory);
    return memory;
}

/* Writes one random action for each of `agents`. */
static void choose(void* actions, uint32_t agents) {
    for (uint32_t a = 0, i = 0; a < agents; a++) {
        for (uint32_t k = 0; k < puff_this.action_count; k++, i++) {
            if (puff_this.action_kind == PUFF_CONTINUOUS) {
                ((float*)actions)[i] = puff_random_between(&dice, -1, 1);
            } else {
                ((int32_t*)actions)[i] =
                    (int32_t)puff_random_below(&dice, puff_this.actions[k].choice_count);
            }
        }
    }
}

/* A few agents are played by persons, and somebody listens to all. */
static puff_buffers new_buffers(uint32_t agents) {
    uint8_t* persons = exact(agents);
    for (uint32_t a = 0; a < agents; a++) persons[a] = a % 7 == 3;
    const size_t rings = agents / puff_this.agents * sizeof(puff_stories);
    puff_stories* stories = exact(rings);
    memset(stories, 0, rings);
    return (puff_buffers){
        .actions = exact((size_t)agents * puff_this.action_count * 4),
        .observations = exact((size_t)agents * puff_this.observation_bytes),
        .rewards = exact(agents * sizeof(float)),
        .terminals = exact(agents),
        .truncations = exact(agents),
        .alive = exact(agents),
        .finals = exact((size_t)agents * puff_this.observation_bytes),
        .persons = persons,
        .stories = stories,
    };
}

static void free_buffers(const puff_buffers* buffers) {
    free((void*)buffers->actions);
    free(buffers->observations);
    free(buffers->rewards);
    free(buffers->terminals);
    free(buffers->truncations);
    free(buffers->alive);
    free(buffers->finals);
    free((void*)buffers->persons);
    free(buffers->stories);
}

static void check(const puff_buffers* buffers, uint32_t agents) {
    for (uint32_t a = 0; a < agents; a++) {
        assert(isfinite(buffers->rewards[a]));
        assert(buffers->terminals[a] <= 1 && buffers->truncations[a] <= 1 &&
               buffers->alive[a] <= 1);
        const uint8_t* seen = (uint8_t*)buffers->observations + a * puff_this.observation_bytes;
        for (uint32_t f = 0; f < puff_this.field_count; f++) {
            const puff_field* field = &puff_this.fields[f];
            for (uint32_t i = 0; i < field->count; i++) {
                if (field->dtype == PUFF_FLOAT32) {
                    float value;
                    memcpy(&value, seen + field->offset + 4 * i, sizeof value);
                    assert(isfinite(value));
                } else if (field->dtype == PUFF_UINT8) {
                    assert(field->classes == 0 || seen[field->offset + i] < field->classes);
                }
            }
        }
    }
}

/* Pictures of odd sizes, the empty one included, from before to after the step. */
static void draw(const void* state, uint32_t agent) {
    static const uint32_t sizes[][2] = {{0, 0}, {1, 1}, {7, 3}, {3, 50}, {61, 40}, {160, 90}};
    for (size_t i = 0; i < PUFF_COUNT(sizes); i++) {
        puff_canvas canvas = {
            .pixels = exact((size_t)sizes[i][0] * sizes[i][1] * 3),
            .width = sizes[i][0],
            .height = sizes[i][1],
            .view = puff_random_below(&dice, puff_this.view_count + 1),
        };
        puff_this.draw(state, agent, puff_random_unit(&dice), &canvas);
        free(canvas.pixels);
        if (!puff_this.locate) continue;
        canvas.pixels = NULL;
        const float x = (float)sizes[i][0] * (1.2f * puff_random_unit(&dice) - 0.1f);
        const float y = (float)sizes[i][1] * (1.2f * puff_random_unit(&dice) - 0.1f);
        const uint32_t found =
            puff_this.locate(state, agent, puff_random_unit(&dice), &canvas, x, y);
        assert(found < puff_this.agents || found == PUFF_NOBODY);
    }
}

/* What is to be read beside it. */
static void describe(const void* state, uint32_t agent) {
    if (!puff_this.describe) return;
    puff_sheet* sheet = exact(sizeof *sheet);
    memset(sheet, 0, sizeof *sheet);
    puff_this.describe(state, agent, sheet);
    assert(sheet->count <= PUFF_SHEET_ROWS);
    for (uint32_t i = 0; i < sheet->count; i++) {
        assert(memchr(sheet->rows[i].label, 0, PUFF_TEXT));
        assert(memchr(sheet->rows[i].value, 0, PUFF_TEXT));
    }
    free(sheet);
}

/* One environment without the vectoriser. */
static void alone(const double* params, uint32_t steps) {
    const uint32_t agents = puff_this.agents;
    const puff_buffers buffers = new_buffers(agents);
    void* state = exact(puff_this.state_size(params));
    memset(state, 0, puff_this.state_size(params));
    float* scores = exact(agents * sizeof(float));
    float* statistics = exact(agents * puff_this.statistic_count * sizeof(float));
    const puff_io io = {
        .actions = buffers.actions,
        .controls = buffers.actions,
        .observations = buffers.observations,
        .rewards = buffers.rewards,
        .terminals = buffers.terminals,
        .truncations = buffers.truncations,
        .alive = buffers.alive,
        .finals = buffers.finals,
        .scores = scores,
        .statistics = statistics,
        .observation_bytes = puff_this.observation_bytes,
        .persons = buffers.persons,
        .stories = buffers.stories,
    };
    puff_this.init(state, params, 7);
    puff_this.reset(state, &io);
    for (uint32_t step = 0; step < steps; step++) {
        memset(io.rewards, 0, agents * sizeof(float));
        memset(io.terminals, 0, agents);
        memset(io.truncations, 0, agents);
        memset(io.alive, 1, agents);
        choose((void*)buffers.actions, agents);
        puff_this.step(state, &io);
        check(&buffers, agents);
        if (step % 499) continue;
        draw(state, puff_random_below(&dice, agents));
        describe(state, puff_random_below(&dice, agents));
    }
    free(state);
    free(scores);
    free(statistics);
    free_buffers(&buffers);
}

int main(int argument_count, char** arguments) {
    assert(argument_count == 2);
    const uint32_t total = (uint32_t)strtoul(arguments[1], NULL, 10);
    double params[64];
    for (uint32_t p = 0; p < puff_this.parameter_count; p++) {
        params[p] = puff_this.parameters[p].standard;
    }
    alone(params, total / puff_this.agents / 10 + 1);

    const uint32_t environments = GROUPS * (puff_this.agents < 256 ? 256 / puff_this.agents : 1);
    const uint32_t agents = environments / GROUPS * puff_this.agents; /* of a group */
    puff_vec* vec = puff_vec_create(params, environments, GROUPS, THREADS, 1);
    assert(vec);
    puff_buffers buffers[GROUPS];
    for (uint32_t g = 0; g < GROUPS; g++) {
        buffers[g] = new_buffers(agents);
        puff_vec_reset(vec, g, &buffers[g]);
    }
    uint64_t size, state_size, dropped;
    uint8_t* memory = puff_vec_memory(vec, &size);
    uint8_t* saved = exact(size);
    uint8_t* after = exact(size);
    puff_episode* episodes = exact(puff_vec_episode_capacity(vec) * sizeof(puff_episode));
    double sums[PUFF_SUMS];

    for (uint32_t step = 0; step * agents * GROUPS < total; step++) {
        for (uint32_t g = 0; g < GROUPS; g++) choose((void*)buffers[g].actions, agents);
        if (step % 50 == 0) memcpy(saved, memory, size);
        for (uint32_t g = 0; g < GROUPS; g++) puff_vec_start(vec, g, &buffers[g]);
        for (uint32_t g = 0; g < GROUPS; g++) {
            puff_vec_wait(vec, g);
            check(&buffers[g], agents); /* while later groups are under way */
        }
        if (step % 50 == 0) { /* the same step again from the saved memory */
            memcpy(after, memory, size);
            memcpy(puff_vec_memory(vec, &size), saved, size);
            for (uint32_t g = 0; g < GROUPS; g++) puff_vec_start(vec, g, &buffers[g]);
            for (uint32_t g = GROUPS; g-- > 0;) puff_vec_wait(vec, g);
            assert(memcmp(after, memory, size) == 0);
        }
        if (step % 499 == 0) {
            const uint32_t environment = puff_random_below(&dice, environments);
            draw(puff_vec_state(vec, environment, &state_size),
                 puff_random_below(&dice, puff_this.agents));
        }
        if (step % 100 == 0) {
            puff_vec_drain(vec, episodes, &dropped);
            puff_vec_sums(vec, sums);
        }
    }
    puff_vec_destroy(vec);
    for (uint32_t g = 0; g < GROUPS; g++) free_buffers(&buffers[g]);
    free(saved);
    free(after);
    free(episodes);
    return 0;
}
