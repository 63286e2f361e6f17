/* lookup.c: the first layer where observations are mostly categories; see kernels.h.
 *
 * Sums stay in registers, for so many outputs at a time, while the rows that an observation names
 * are added to them. Most bytes are 0, which costs nothing: they are skipped eight at a time.
 */
#include "parallel.h"
#include "reading.h"
#include "vector.h"

/* Vectors that sums are held in, and the outputs that these are. */
enum { HELD = 8, SLICE = HELD * VECTOR };

/* Elements that are looked at before what they name is added. */
enum { LOOKED_AT = 512 };

/* Rows that are worked on together on the way back. */
enum { TOGETHER = 128 };

/* Features that are turned at a time: their rows stay in the nearest cache. */
enum { TURNED = 32 };

PUFF_KERNEL int64_t puff_lookup_stride(int64_t outputs) {
    return (outputs + SLICE - 1) / SLICE * SLICE;
}

/* On the way back: for each feature the last place that names it, and the features that are named,
 * with room for one more; for each place the one before, and the row. */
typedef struct {
    int32_t *last, *features, *before, *rows;
    int32_t named, places;
} links;

static int64_t categories_of(const puff_features* batch) {
    int64_t count = 0;
    for (int32_t f = 0; f < batch->field_count; f++) {
        count += batch->fields[f].classes ? batch->fields[f].count : 0;
    }
    return count;
}

static int64_t links_of_slice(const puff_features* batch) {
    return 2 * batch->width + 1 + 2 * TOGETHER * categories_of(batch);
}

PUFF_KERNEL int64_t puff_lookup_links(const puff_features* features, int64_t outputs) {
    return puff_lookup_stride(outputs) / SLICE * links_of_slice(features);
}

INLINE int64_t feature_count(const puff_feature_field* field) {
    return (int64_t)field->count * (field->classes ? field->classes : 1);
}

/* The row of an element; its class 0's if it is of none. */
INLINE int32_t row_of(const uint8_t* bytes, int64_t i, int32_t classes, int64_t feature) {
    return (int32_t)(feature + i * classes) + (bytes[i] < classes ? bytes[i] : 0);
}

/* The rows of those elements that are not 0; returns how many. */
INLINE int64_t named(int32_t* restrict rows, const uint8_t* restrict bytes, int64_t count,
                     int32_t classes, int64_t feature) {
    int64_t found = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t eight;
        memcpy(&eight, bytes + i, sizeof eight);
        if (!eight) continue;
        for (int64_t j = i; j < i + 8; j++) {
            rows[found] = row_of(bytes, j, classes, feature);
            found += bytes[j] != 0;
        }
    }
    for (; i < count; i++) {
        rows[found] = row_of(bytes, i, classes, feature);
        found += bytes[i] != 0;
    }
    return found;
}

/* What a feature without classes is where all of its bytes are 0. */
INLINE float at_zero(const puff_features* batch, int64_t feature) {
    float number = 0;
    if (batch->shifts) normalise(&number, batch->shifts + feature, batch->scales + feature, 1);
    return number;
}

/* The features of those numbers that are not 0, and how far they are from what 0 is; returns how
 * many. */
INLINE int64_t named_numbers(int32_t* restrict features, float* restrict factors,
                             const puff_features* batch, const puff_feature_field* field,
                             const uint8_t* bytes, int64_t feature, int64_t first, int64_t count) {
    if (field->dtype == PUFF_UINT8) {
        const int64_t found = named(features, bytes + first, count, 1, feature + first);
        for (int64_t i = 0; i < found; i++) {
            const int64_t place = features[i] - feature;
            read_numbers(&factors[i], batch, field, bytes, feature, place, 1);
            factors[i] -= at_zero(batch, features[i]);
        }
        return found;
    }
    float numbers[NUMBERS];
    read_numbers(numbers, batch, field, bytes, feature, first, count);
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        features[found] = (int32_t)(feature + first + i);
        factors[found] = numbers[i] - at_zero(batch, feature + first + i);
        found += factors[found] != 0;
    }
    return found;
}

/* Adds a row of the table, times a factor. In bfloat16 outputs of both halves of the slice share a
 * word. */
INLINE void add_row(vector* sums, const void* table, int64_t at, float factor, int bf16) {
    if (bf16) {
        const words* row = (const words*)(const void*)((const uint16_t*)table + at);
        for (int k = 0; k < HELD / 2; k++) {
            sums[k] += factor * (vector)(row[k] << 16);
            sums[k + HELD / 2] += factor * (vector)(row[k] & 0xffff0000u);
        }
    } else {
        const vector* row = (const vector*)((const float*)table + at);
        for (int k = 0; k < HELD; k++) sums[k] += factor * row[k];
    }
}

/* Adds what one observation names to a slice of the sums, which begins at `slice`. */
INLINE void add_named(const puff_lookup* lookup, const uint8_t* observation, int64_t slice,
                      vector* held, int bf16) {
    const puff_features* batch = lookup->features;
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    int64_t feature = 0;
    for (int32_t f = 0; f < batch->field_count; f++) {
        const puff_feature_field* field = &batch->fields[f];
        const uint8_t* bytes = observation + field->offset;
        vector sums[HELD];
        memcpy(sums, held, sizeof sums);
        for (int64_t first = 0; field->classes && first < field->count; first += LOOKED_AT) {
            int32_t rows[LOOKED_AT];
            const int64_t rest = field->count - first, count = rest < LOOKED_AT ? rest : LOOKED_AT;
            const int64_t found =
                named(rows, bytes + first, count, field->classes, feature + first * field->classes);
            for (int64_t i = 0; i < found; i++) {
                add_row(sums, lookup->table, rows[i] * stride + slice, 1, bf16);
            }
        }
        for (int64_t first = 0; !field->classes && first < field->count; first += NUMBERS) {
            int32_t rows[NUMBERS];
            float factors[NUMBERS];
            const int64_t rest = field->count - first, count = rest < NUMBERS ? rest : NUMBERS;
            const int64_t found =
                named_numbers(rows, factors, batch, field, bytes, feature, first, count);
            for (int64_t i = 0; i < found; i++) {
                add_row(sums, lookup->table, rows[i] * stride + slice, factors[i], bf16);
            }
        }
        memcpy(held, sums, sizeof sums);
        feature += feature_count(field);
    }
}

INLINE void rows_of(const puff_lookup* lookup, int64_t first, int64_t end, int bf16) {
    const puff_features* batch = lookup->features;
    const int64_t outputs = lookup->outputs;
    for (int64_t row = first; row < end; row++) {
        fetch_early(batch, row, end);
        for (int64_t slice = 0; slice < outputs; slice += SLICE) {
            const int64_t rest = outputs - slice, count = rest < SLICE ? rest : SLICE;
            vector held[HELD];
            float numbers[SLICE];
            memcpy(held, lookup->sums + slice, sizeof held);
            add_named(lookup, observation_of(batch, row), slice, held, bf16);
            memcpy(numbers, held, sizeof numbers);
            store(lookup->results, row * outputs + slice, numbers, count, bf16);
        }
    }
}

void puff_lookup_rows(const puff_lookup* lookup, int64_t first, int64_t end) {
    if (lookup->bf16) {
        rows_of(lookup, first, end, 1);
    } else {
        rows_of(lookup, first, end, 0);
    }
}

static void forward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_lookup_rows(job, first, end);
}

PUFF_KERNEL void puff_lookup_forward(puff_kernels* kernels, const puff_lookup* lookup) {
    const puff_features* batch = lookup->features;
    puff_over_rows(kernels, forward, lookup, batch->steps * batch->segments);
}

/* Notes which rows an observation names; numbers add their part of the gradient at once. */
INLINE void note(const puff_lookup* lookup, const uint8_t* observation, int32_t row,
                 const vector* gradient, float* table, links* noted) {
    const puff_features* batch = lookup->features;
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    int64_t feature = 0;
    for (int32_t f = 0; f < batch->field_count; f++) {
        const puff_feature_field* field = &batch->fields[f];
        const uint8_t* bytes = observation + field->offset;
        for (int64_t first = 0; field->classes && first < field->count; first += LOOKED_AT) {
            int32_t rows[LOOKED_AT];
            const int64_t rest = field->count - first, count = rest < LOOKED_AT ? rest : LOOKED_AT;
            const int64_t found =
                named(rows, bytes + first, count, field->classes, feature + first * field->classes);
            for (int64_t i = 0; i < found; i++) {
                int32_t* last = &noted->last[rows[i]];
                noted->features[noted->named] = rows[i];
                noted->named += *last < 0;
                noted->before[noted->places] = *last;
                noted->rows[noted->places] = row;
                *last = noted->places++;
            }
        }
        for (int64_t first = 0; !field->classes && first < field->count; first += NUMBERS) {
            int32_t rows[NUMBERS];
            float factors[NUMBERS];
            const int64_t rest = field->count - first, count = rest < NUMBERS ? rest : NUMBERS;
            const int64_t found =
                named_numbers(rows, factors, batch, field, bytes, feature, first, count);
            for (int64_t i = 0; i < found; i++) {
                vector* to = (vector*)(table + rows[i] * stride);
                for (int k = 0; k < HELD; k++) to[k] += factors[i] * gradient[k];
            }
        }
        feature += feature_count(field);
    }
}

/* Adds to each feature's row the gradients of those that named it; forgets them. */
INLINE void add_noted(const vector (*gradients)[HELD], float* table, int64_t stride, links* noted) {
    for (int32_t i = 0; i < noted->named; i++) {
        const int32_t feature = noted->features[i];
        vector* row = (vector*)(table + feature * stride);
        vector sums[HELD];
        memcpy(sums, row, sizeof sums);
        for (int32_t at = noted->last[feature]; at >= 0; at = noted->before[at]) {
            const vector* gradient = gradients[noted->rows[at]];
            for (int k = 0; k < HELD; k++) sums[k] += gradient[k];
        }
        memcpy(row, sums, sizeof sums);
        noted->last[feature] = -1;
    }
    noted->named = noted->places = 0;
}

/* Some slices of the outputs, from all rows: nobody else adds to them. */
static void backward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_lookup* lookup = job;
    const puff_features* batch = lookup->features;
    const int64_t outputs = lookup->outputs, stride = puff_lookup_stride(outputs);
    const int64_t rows = batch->steps * batch->segments;
    const int64_t width = batch->width, places = TOGETHER * categories_of(batch);
    for (int64_t slice = first; slice < end; slice++) {
        const int64_t from = slice * SLICE, rest = outputs - from;
        int32_t* own = lookup->links + slice * links_of_slice(batch);
        links noted = {.last = own,
                       .features = own + width,
                       .before = own + 2 * width + 1,
                       .rows = own + 2 * width + 1 + places};
        memset(noted.last, 0xff, (size_t)width * sizeof *noted.last);
        float* table = lookup->table_gradients + from;
        vector total[HELD] = {0}, gradients[TOGETHER][HELD];
        for (int64_t row = 0; row < rows; row++) {
            const int64_t at = row % TOGETHER;
            fetch_early(batch, row, rows);
            float numbers[SLICE] = {0};
            load(numbers, lookup->result_gradients, row * outputs + from,
                 rest < SLICE ? rest : SLICE, lookup->bf16);
            memcpy(gradients[at], numbers, sizeof numbers);
            for (int k = 0; k < HELD; k++) total[k] += gradients[at][k];
            note(lookup, observation_of(batch, row), (int32_t)at, gradients[at], table, &noted);
            if (at == TOGETHER - 1) add_noted(gradients, table, stride, &noted);
        }
        add_noted(gradients, table, stride, &noted);
        vector* biases = (vector*)(lookup->bias_gradients + from);
        for (int k = 0; k < HELD; k++) biases[k] += total[k];
    }
}

void puff_lookup_back(const puff_lookup* lookup) {
    backward(lookup, 0, 0, puff_lookup_stride(lookup->outputs) / SLICE);
}

/* Rows of the table from columns of the weights, or the other way round. */
INLINE void turn(const puff_lookup* lookup, float* table, int64_t first, int64_t end, int back) {
    const int64_t outputs = lookup->outputs, stride = puff_lookup_stride(outputs);
    const int64_t width = lookup->features->width;
    for (int64_t feature = first; feature < end; feature += TURNED) {
        const int64_t last = end - feature < TURNED ? end : feature + TURNED;
        for (int64_t j = 0; j < outputs; j++) {
            for (int64_t i = feature; i < last; i++) {
                if (back) {
                    lookup->weight_gradients[j * width + i] = table[i * stride + j];
                } else {
                    table[i * stride + j] = lookup->weights[j * width + i];
                }
            }
        }
        for (int64_t i = feature; !back && i < last; i++) {
            for (int64_t j = outputs; j < stride; j++) table[i * stride + j] = 0;
        }
    }
}

static void into_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_lookup* lookup = job;
    turn(lookup, lookup->rows, first, end, 0);
}

static void into_columns(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_lookup* lookup = job;
    turn(lookup, lookup->table_gradients, first, end, 1);
}

/* Writes rows as numbers of bfloat16, where `add_row` finds them. */
static void narrow(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_lookup* lookup = job;
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    for (int64_t at = first * stride; at < end * stride; at += SLICE) {
        uint16_t* to = (uint16_t*)lookup->table + at;
        for (int64_t j = 0; j < SLICE / 2; j++) {
            to[2 * j] = to_bf16(lookup->rows[at + j]);
            to[2 * j + 1] = to_bf16(lookup->rows[at + SLICE / 2 + j]);
        }
    }
}

/* Makes the rows of all classes what differs from class 0, and adds up what is always there. */
static void set_apart(const puff_lookup* lookup, const puff_feature_field* field, int64_t feature) {
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    float* row = lookup->rows + feature * stride;
    for (int32_t i = 0; i < field->count; i++) {
        const float number = field->classes ? 1 : at_zero(lookup->features, feature + i);
        for (int64_t j = 0; j < stride; j++) lookup->sums[j] += number * row[j];
        for (int32_t c = 1; c < field->classes; c++) {
            for (int64_t j = 0; j < stride; j++) row[c * stride + j] -= row[j];
        }
        for (int64_t j = 0; field->classes && j < stride; j++) row[j] = -row[j];
        row += (field->classes ? field->classes : 1) * stride;
    }
}

/* Class 0 was where no other one was: its gradient is what is left of all. */
static void put_together(const puff_lookup* lookup, const puff_feature_field* field,
                         int64_t feature) {
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    const float* total = lookup->bias_gradients;
    float* row = lookup->table_gradients + feature * stride;
    for (int32_t i = 0; i < field->count; i++) {
        for (int32_t c = 1; c < field->classes; c++) {
            for (int64_t j = 0; j < stride; j++) row[j] += row[c * stride + j];
        }
        const float number = field->classes ? 1 : at_zero(lookup->features, feature + i);
        const float sign = field->classes ? -1 : 1;
        for (int64_t j = 0; j < stride; j++) row[j] = number * total[j] + sign * row[j];
        row += (field->classes ? field->classes : 1) * stride;
    }
}

INLINE void over_fields(const puff_lookup* lookup,
                        void (*work)(const puff_lookup*, const puff_feature_field*, int64_t)) {
    int64_t feature = 0;
    for (int32_t f = 0; f < lookup->features->field_count; f++) {
        const puff_feature_field* field = &lookup->features->fields[f];
        work(lookup, field, feature);
        feature += feature_count(field);
    }
}

PUFF_KERNEL void puff_lookup_prepare(puff_kernels* kernels, const puff_lookup* lookup) {
    const int64_t outputs = lookup->outputs, stride = puff_lookup_stride(outputs);
    const int64_t width = lookup->features->width;
    if (lookup->weights) puff_over_rows(kernels, into_rows, lookup, width);
    for (int64_t j = 0; j < stride; j++) lookup->sums[j] = j < outputs ? lookup->biases[j] : 0;
    over_fields(lookup, set_apart);
    if (lookup->bf16) puff_over_rows(kernels, narrow, lookup, width);
}

PUFF_KERNEL void puff_lookup_put_together(puff_kernels* kernels, const puff_lookup* lookup) {
    over_fields(lookup, put_together);
    if (!lookup->weight_gradients) return;
    puff_over_rows(kernels, into_columns, lookup, lookup->features->width);
}

PUFF_KERNEL void puff_lookup_backward(puff_kernels* kernels, const puff_lookup* lookup) {
    const int64_t stride = puff_lookup_stride(lookup->outputs);
    memset(lookup->bias_gradients, 0, (size_t)stride * sizeof *lookup->bias_gradients);
    puff_over_rows(kernels, backward, lookup, stride / SLICE);
    puff_lookup_put_together(kernels, lookup);
}
