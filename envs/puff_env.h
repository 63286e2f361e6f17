/* puff_env.h: the contract between an environment and everything that uses it.
 *
 * An environment is one C11 file that includes this header, fills in one `static const
 * puff_descriptor puff_this`, and ends with `#include "vec.h"`. That last line adds the exported
 * functions (the vectoriser), compiled together with the environment so that the compiler can
 * inline `step`.
 *
 * The rules, in the order in which they are usually broken:
 *
 *   1. State is one flat block without pointers, `state_size(params)` bytes. It is copied with
 *      memcpy to save, rewind and branch a game, and it must then go on exactly as before.
 *   2. No global variables, no rand(), no malloc in `step`, no stdio, no exit. Randomness comes
 *      from a `puff_random` inside the state (random.h), so that the same seed gives the same
 *      bytes whatever the number of threads.
 *   3. An environment resets itself in the same step: when it sets a terminal or truncation flag,
 *      the observation it leaves behind is the first of the next episode.
 *   4. `terminals` means that the episode is over and nothing more could have been earned;
 *      `truncations` means that a time limit cut it. Before it resets on a truncation, the
 *      environment writes the observation that the agent would have seen
 *      to `puff_final(io, agent)`, so that the trainer can value what was cut off.
 *
 * The part between the two cdef markers is also what Python reads, so it holds plain declarations
 * only: no macros, no includes.
 */
#ifndef PUFF_ENV_H
#define PUFF_ENV_H

#include <stddef.h>
#include <stdint.h>

/* cdef begin */

/* Raised whenever a struct below changes. Members are only added, at the end, so that libraries
 * which were built for a lower value are still read. */
enum { PUFF_ABI = 6 };

/* What `locate` says of a place where no agent is. */
enum { PUFF_NOBODY = 0x7fffffff };

/* The most episode statistics an environment may name. */
enum { PUFF_MAX_STATISTICS = 24 };

/* Bytes of a text that an environment tells people, the 0 at its end included, and how many rows
 * stand beside a picture at most. */
enum { PUFF_TEXT = 40, PUFF_STORY_TEXT = 80, PUFF_SHEET_ROWS = 64, PUFF_STORIES = 256 };

/* Of an observation's elements, in the byte order of this machine. Bits are packed from the lowest
 * of each byte on; those of the last byte that are left over mean nothing. */
typedef enum { PUFF_UINT8 = 0, PUFF_FLOAT32 = 1, PUFF_INT16 = 2, PUFF_BITS = 3 } puff_dtype;

/* What the numbers in `actions` are: one choice, several independent choices, or several floats in
 * [-1, 1]. */
typedef enum { PUFF_DISCRETE = 0, PUFF_MULTI_DISCRETE = 1, PUFF_CONTINUOUS = 2 } puff_action_kind;

/* A row of a sheet: the title of a panel, a fact, one that is nothing now or cannot be done, or a
 * bar. */
typedef enum { PUFF_TITLE = 0, PUFF_FACT = 1, PUFF_FAINT = 2, PUFF_BAR = 3 } puff_row_kind;

/* How much a story matters: to who watches that very agent, to who has time, to everybody. */
typedef enum { PUFF_OWN = 0, PUFF_TALK = 1, PUFF_NEWS = 2 } puff_weight;

typedef enum { PUFF_INTEGER = 0, PUFF_REAL = 1, PUFF_BOOLEAN = 2 } puff_parameter_type;

/* A run of equal elements in the observation. `offset` is in bytes from its start. `classes` > 0
 * says that each element is a category 0..classes-1: the policy then sees it one-hot. `low` and
 * `high` say that each element is always between them: the policy then sees it from -1 to 1; both 0
 * if they are not known. `columns` > 0 says that the elements are the cells of a map, row by row
 * with so many in each; categories with as many elements and columns are facts about the same
 * cells. A square with classes is taken for a map of its own where it is 0. */
typedef struct {
    const char* name;
    uint32_t offset;
    uint32_t count;
    uint32_t dtype;
    uint32_t classes;
    float low;
    float high;
    uint32_t columns;
} puff_field;

/* One value that a discrete action can take. `keys` lists, separated by spaces, the keyboard keys
 * that choose it ("left a"), with "" for none; "up+left" are keys that choose it when both are
 * held, beside one that chooses it alone, since in many terminals only one key counts at a time.
 * Escape, backspace and ctrl+c belong to the application. */
typedef struct {
    const char* label;
    const char* keys;
} puff_choice;

/* One component of the action. Discrete components list `choice_count` choices, of which choice
 * `neutral` is taken when no key is held. Continuous components have two choices, the keys for -1
 * and for +1, and rest at 0. */
typedef struct {
    const char* name;
    uint32_t choice_count;
    uint32_t neutral;
    const puff_choice* choices;
} puff_action;

/* A setting of the environment, given as `--env.NAME` on the command line. */
typedef struct {
    const char* name;
    uint32_t type;
    double standard;
    double low;
    double high;
    const char* help;
} puff_parameter;

/* An RGB picture, `width * height * 3` bytes, row by row from the top, of one of the environment's
 * `views`. */
typedef struct {
    uint8_t* pixels;
    uint32_t width;
    uint32_t height;
    uint32_t view;
} puff_canvas;

/* What stands beside a picture, row by row: a label at the left, a value at the right. `choice` is
 * the choice of the first component of the action that has to do with the row now, whose key is
 * shown with it; -1 for none. `share` is how full a bar is, 0 to 1. `colour` is 0xRRGGBB for a bar
 * or a mark before the label; 0 for none. Texts are UTF-8 and end with 0; words.h fills rows in. */
typedef struct {
    uint32_t kind;
    int32_t choice;
    float share;
    uint32_t colour;
    char label[PUFF_TEXT];
    char value[PUFF_TEXT];
} puff_row;

typedef struct {
    uint32_t count;
    puff_row rows[PUFF_SHEET_ROWS];
} puff_sheet;

/* Something worth telling that an agent of the environment did, or that befell it, in words that
 * follow its name: "finds a sword". */
typedef struct {
    uint32_t agent;
    uint32_t weight;
    char text[PUFF_STORY_TEXT];
} puff_story;

/* The last stories of an environment: number n, of `told` so far, is at n % PUFF_STORIES. Those
 * that matter to who watches an agent alone are told of agent `watched` only. */
typedef struct {
    uint64_t told;
    uint32_t watched;
    puff_story stories[PUFF_STORIES];
} puff_stories;

/* Memory of one step for a group of environments, owned by the caller. Agents of environment e are
 * at rows e * agents .. e * agents + agents - 1 of every array.
 *   actions       (agents, action_count) int32 or float32
 *   observations  (agents, observation_bytes)
 *   rewards       (agents,)
 *   terminals, truncations, alive  (agents,) 0 or 1
 *   finals        (agents, observation_bytes); a row is written where `truncations` is 1, others
 *                 keep what they held
 *   persons       (agents,) 1 where a person chose the action; NULL: nowhere
 *   stories       (environments,); NULL: nobody listens. */
typedef struct {
    const void* actions;
    void* observations;
    float* rewards;
    uint8_t* terminals;
    uint8_t* truncations;
    uint8_t* alive;
    void* finals;
    const uint8_t* persons;
    puff_stories* stories;
} puff_buffers;

/* What an environment reads and writes in one call, already moved to its own agents.
 * Before each step `rewards`, `terminals` and `truncations` are zero and `alive` is one, so only
 * what differs needs writing. `alive[agent] = 0` marks an agent that took no part in this step
 * (dead until the environment resets); after it a policy's memory is clear. `scores`, `statistics`
 * (agent * statistic_count + k) are read where an episode ends, in the step that sets the flag.
 * Ask `puff_is_person` who is played by a person, for what would only annoy one, and tell stories
 * with `puff_tell` (words.h), which does nothing while nobody listens. */
typedef struct {
    const int32_t* actions; /* discrete and multi-discrete */
    const float* controls;  /* continuous */
    void* observations;
    float* rewards;
    uint8_t* terminals;
    uint8_t* truncations;
    uint8_t* alive;
    void* finals;
    float* scores;
    float* statistics;
    uint32_t observation_bytes;
    const uint8_t* persons;
    puff_stories* stories;
} puff_io;

typedef struct {
    uint32_t abi;  /* PUFF_ABI */
    uint32_t size; /* sizeof(puff_descriptor) */

    const char* name;    /* the folder's name */
    const char* summary; /* one line, shown in lists */

    uint32_t observation_bytes; /* of one agent */
    uint32_t field_count;
    const puff_field* fields;

    uint32_t action_kind;
    uint32_t action_count; /* components */
    const puff_action* actions;

    uint32_t agents;         /* in one environment */
    float frames_per_second; /* of the game at its natural speed */
    uint32_t frames_per_step;
    uint32_t turn_based; /* 1: waits for the player's key */

    float score_low; /* perf = clip((score - low) / (high - low), 0, 1) */
    float score_high;

    /* The shape that `draw` fills best. Of a world that is a grid, in its columns: where there is
     * room, each is given a whole number of pixels. Of any other, in units smaller than a pixel. */
    float picture_width;
    float picture_height;

    uint32_t parameter_count;
    const puff_parameter* parameters;

    uint32_t statistic_count;
    const char* const* statistics; /* names of what an episode reports beside its score */

    /* `params` holds the parameters as doubles, in table order. */
    size_t (*state_size)(const double* params);
    void (*init)(void* state, const double* params, uint64_t seed);
    void (*reset)(void* state, const puff_io* io); /* begins an episode, writes observations */
    void (*step)(void* state, const puff_io* io);

    /* Paints the world as `agent` should see it. `phase` in [0, 1) is the place between the last
     * step and the next: 0 shows the world as it was before the last step, towards 1 as it is. */
    void (*draw)(const void* state, uint32_t agent, float phase, puff_canvas* canvas);

    /* Optional, for worlds with several agents: the agent that such a picture shows at a pixel, or
     * close to it, so that a person can point at one; PUFF_NOBODY if none. The canvas gives the
     * size of the picture; its pixels are not there. */
    uint32_t (*locate)(const void* state, uint32_t agent, float phase, puff_canvas* canvas, float x,
                       float y);

    /* Optional, for worlds of several sizes: how many agents one has with these parameters, where
     * `agents` says it of the standard ones. */
    uint32_t (*agents_in)(const double* params);

    /* Optional: what each statistic means, a sentence or two for people, in the order of
     * `statistics`. */
    const char* const* statistic_meanings;

    /* Optional, for pictures that can be looked at in several ways: what the views are called, in a
     * word or two each. A person goes from one to the next with backspace. */
    uint32_t view_count;
    const char* const* views;

    /* 1: `draw` shows a part of a larger world, and fills pictures of any shape. */
    uint32_t fills_any_shape;

    /* Optional: what a person should read beside the picture of `agent`; `sheet` is zero before. */
    void (*describe)(const void* state, uint32_t agent, puff_sheet* sheet);

    /* Optional, for games in real time: keys, separated by spaces, of which each press counts for
     * one decision however long they are down. What is typed ahead comes in the decisions after
     * that, so that menus can be gone through at once. */
    const char* tapped_keys;
} puff_descriptor;

/* The library's one entry point. */
const puff_descriptor* puff_env(void);

/* cdef end */

#if defined(_WIN32)
#define PUFF_EXPORT __declspec(dllexport)
#else
#define PUFF_EXPORT __attribute__((visibility("default")))
#endif

/* The length of a table written as an array. */
#define PUFF_COUNT(table) ((uint32_t)(sizeof(table) / sizeof((table)[0])))

/* Bytes that hold so many bits. */
#define PUFF_BIT_BYTES(count) (((count) + 7) / 8)

/* Sets a bit of a field of bits, which was cleared before, if `value` is not 0. */
static inline void puff_put_bit(void* bits, uint32_t index, int value) {
    ((uint8_t*)bits)[index / 8] |= (uint8_t)((value != 0) << index % 8);
}

/* Whether a person chose what this agent does in this step. */
static inline int puff_is_person(const puff_io* io, uint32_t agent) {
    return io->persons && io->persons[agent];
}

/* Where the final observation of a truncated episode goes. */
static inline void* puff_final(const puff_io* io, uint32_t agent) {
    return (uint8_t*)io->finals + (size_t)agent * io->observation_bytes;
}

#endif
