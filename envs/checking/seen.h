/* seen.h: for the part `play` of check.c: what each element of the observation was.
 */

enum { RESETS = 2000 };
enum { STRANGE = 50 /* one element in so many may look as after no reset */ };

/* The least and the most that a number was, and in which steps of an episode that was. */
typedef struct {
    double low, high;
    uint64_t low_step, high_step;
} extent;

static const extent nothing_yet = {.low = INFINITY, .high = -INFINITY};

/* One element of the observation over all steps. */
typedef struct {
    uint32_t field, index, offset;
    extent seen, last;            /* in play, and where episodes were cut short */
    double start_low, start_high; /* right after a reset */
    uint64_t infinite, overflows;
} element;

static uint32_t element_count;
static element* elements;

static uint32_t bits_of(uint32_t dtype) {
    return dtype == PUFF_FLOAT32 ? 32 : dtype == PUFF_INT16 ? 16 : dtype == PUFF_BITS ? 1 : 8;
}

static void list_elements(void) {
    for (uint32_t f = 0; f < env->field_count; f++) element_count += field_at(f)->count;
    elements = exact(element_count * sizeof(element));
    uint32_t e = 0;
    for (uint32_t f = 0; f < env->field_count; f++) {
        const puff_field* field = field_at(f);
        for (uint32_t i = 0; i < field->count; i++) {
            elements[e++] = (element){
                .field = f,
                .index = i,
                .offset = field->offset + i * bits_of(field->dtype) / 8,
                .seen = nothing_yet,
                .last = nothing_yet,
                .start_low = INFINITY,
                .start_high = -INFINITY,
            };
        }
    }
}

static double value_of(const element* e, const uint8_t* row) {
    const uint8_t* place = row + e->offset;
    float number;
    int16_t whole;
    switch (field_at(e->field)->dtype) {
    case PUFF_FLOAT32:
        memcpy(&number, place, sizeof number);
        return number;
    case PUFF_INT16:
        memcpy(&whole, place, sizeof whole);
        return whole;
    case PUFF_BITS:
        return *place >> e->index % 8 & 1;
    default:
        return *place;
    }
}

static void widen(extent* known, double value, uint64_t step) {
    if (value < known->low) {
        known->low = value;
        known->low_step = step;
    }
    if (value > known->high) {
        known->high = value;
        known->high_step = step;
    }
}

/* Of a byte of the observation: which bits mean something, for those that are left over at the end
 * of a field of bits do not, and whether each means something of its own. */
typedef struct {
    uint8_t bits, packed;
} meaning;

static meaning meaning_of(uint32_t byte) {
    for (uint32_t f = 0; f < env->field_count; f++) {
        const puff_field* field = field_at(f);
        if (field->dtype != PUFF_BITS || byte < field->offset) continue;
        const uint32_t from = 8 * (byte - field->offset);
        if (from >= field->count) continue;
        const uint32_t left = field->count - from;
        return (meaning){(uint8_t)(left < 8 ? (1u << left) - 1 : 0xff), 1};
    }
    return (meaning){0xff, 0};
}

/* What an agent sees in a step of its episode; 0 is where one begins. */
static void note_observation(const uint8_t* row, uint64_t step) {
    for (uint32_t i = 0; i < element_count; i++) {
        element* e = &elements[i];
        const double value = value_of(e, row);
        const uint32_t classes = field_at(e->field)->classes;
        if (!isfinite(value)) {
            e->infinite++;
            continue;
        }
        widen(&e->seen, value, step);
        e->overflows += classes && value >= classes;
    }
}

/* What an agent would have seen next in an episode that was cut short in this step of it. */
static void note_last(const uint8_t* row, uint64_t step) {
    for (uint32_t i = 0; i < element_count; i++) {
        element* e = &elements[i];
        widen(&e->last, value_of(e, row), step);
    }
}

/* Where games begin: what observations look like after `reset`. */
static void note_starts(void) {
    const world w = new_world(0);
    for (uint32_t r = 0; r < RESETS / env->agents + 1; r++) {
        if (r % 8 == 0) {
            seed_world(&w, r);
        } else {
            do_reset(&w, FIRST_FILL);
        }
        for (uint32_t i = 0; i < element_count; i++) {
            element* e = &elements[i];
            const double value = value_of(e, w.io.observations);
            if (value < e->start_low) e->start_low = value;
            if (value > e->start_high) e->start_high = value;
        }
    }
}

/* Whether an observation cannot be the first of an episode. Where beginnings are random, no number
 * of them shows all; so what is a little outside of what was seen counts as seen, and of many
 * elements some may be stranger. */
static int is_stranger(const uint8_t* row) {
    uint32_t strange = 0;
    for (uint32_t i = 0; i < element_count; i++) {
        const element* e = &elements[i];
        const double value = value_of(e, row), margin = (e->start_high - e->start_low) / 8;
        strange += value < e->start_low - margin || value > e->start_high + margin;
    }
    return strange > element_count / STRANGE;
}
