/* talker: an environment for tests that tells people things: a sheet, stories, views. Each of three
 * agents counts its steps, those that persons chose apart. Action 1 tells stories, of which one in
 * odd letters and one too long. */
#include <string.h>

#include "canvas.h"
#include "puff_env.h"
#include "words.h"

enum { AGENTS = 3 };

typedef struct {
    uint8_t steps[AGENTS], by_persons[AGENTS];
} talker;

static size_t talker_state_size(const double* params) {
    (void)params;
    return sizeof(talker);
}

static void talker_init(void* state, const double* params, uint64_t seed) {
    (void)state;
    (void)params;
    (void)seed;
}

static void talker_reset(void* state, const puff_io* io) {
    (void)state;
    memset(io->observations, 0, AGENTS);
}

static void talker_step(void* state, const puff_io* io) {
    talker* world = state;
    for (uint32_t a = 0; a < AGENTS; a++) {
        world->steps[a]++;
        world->by_persons[a] += (uint8_t)puff_is_person(io, a);
        ((uint8_t*)io->observations)[a] = world->by_persons[a];
        if (io->actions[a] != 1) continue;
        puff_tell(io, a, PUFF_OWN, "steps %d times", world->steps[a]);
        puff_tell(io, a, PUFF_TALK, "rings\a and\x1b[31m reddens \xff");
        puff_tell(io, a, PUFF_NEWS, "%0*d", 100 + (int)a, 7);
    }
    io->statistics[PUFF_MAX_STATISTICS - 1] = 24;
    io->terminals[0] = world->steps[0] % 4 == 0;
}

static void talker_draw(const void* state, uint32_t agent, float phase, puff_canvas* canvas) {
    (void)state;
    (void)agent;
    (void)phase;
    puff_clear(canvas, canvas->view ? 0xff0000 : 0x0000ff);
}

static void talker_describe(const void* state, uint32_t agent, puff_sheet* sheet) {
    const talker* world = state;
    puff_bar(sheet, "steps", world->steps[agent], 8, 0x00ff00);
    /* Not seen by the compiler, which would warn. */
    const char* volatile title = "a title that is far too long for any sheet, and goes on";
    puff_title(sheet, title);
    puff_row* row = puff_fact(sheet, "go", "costs %d", 5);
    row->choice = 1;
    row->colour = 0xff112233; /* more than a colour has */
    puff_next_row(sheet, PUFF_FAINT, "\x1b[2Jnothing")->share = NAN;
    puff_next_row(sheet, (puff_row_kind)77, "odd");
    for (int i = 0; i < 100; i++) puff_fact(sheet, "more", "%d", i);
}

static const puff_field talker_fields[] = {{.name = "by persons", .count = 1}};
static const puff_choice talker_choices[] = {{"rest", ""}, {"talk", "x y"}};
static const puff_action talker_actions[] = {
    {.name = "act", .choice_count = 2, .choices = talker_choices}};
static const char* const views[] = {"near", "far"};
#define EIGHT(text) text, text, text, text, text, text, text, text
static const char* const names[] = {EIGHT("a"), EIGHT("b"), EIGHT("c")};
static const char* const meanings[] = {EIGHT("The first."), EIGHT("The second."), EIGHT("Last.")};

static const puff_descriptor puff_this = {
    .abi = PUFF_ABI,
    .size = sizeof(puff_descriptor),
    .name = "talker",
    .summary = "tells people things, for tests",
    .observation_bytes = 1,
    .field_count = 1,
    .fields = talker_fields,
    .action_kind = PUFF_DISCRETE,
    .action_count = 1,
    .actions = talker_actions,
    .agents = AGENTS,
    .frames_per_second = 10,
    .frames_per_step = 1,
    .score_high = 1,
    .picture_width = 1,
    .picture_height = 1,
    .statistic_count = PUFF_MAX_STATISTICS,
    .statistics = names,
    .statistic_meanings = meanings,
    .view_count = PUFF_COUNT(views),
    .views = views,
    .fills_any_shape = 1,
    .describe = talker_describe,
    .state_size = talker_state_size,
    .init = talker_init,
    .reset = talker_reset,
    .step = talker_step,
    .draw = talker_draw,
};

#include "vec.h"
