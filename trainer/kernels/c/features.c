/* features.c: gathers observations and turns them into the encoder's input in one pass. */
#include "parallel.h"
#include "reading.h"

INLINE void set_number(void* to, int64_t at, float value, int bf16) {
    if (bf16) {
        ((uint16_t*)to)[at] = to_bf16(value);
    } else {
        ((float*)to)[at] = value;
    }
}

/* One field of one observation, whose first feature is the row's `feature`; returns how many
 * features it became. */
INLINE int64_t field_features(const puff_features* batch, const puff_feature_field* field,
                              const uint8_t* observation, int64_t row, int64_t feature, int bf16) {
    void* outputs = batch->outputs;
    const int64_t at = row * batch->width + feature;
    const uint8_t* bytes = observation + field->offset;
    if (field->classes == 0) {
        float numbers[NUMBERS];
        for (int64_t i = 0; i < field->count; i += NUMBERS) {
            const int64_t count = field->count - i < NUMBERS ? field->count - i : NUMBERS;
            read_numbers(numbers, batch, field, bytes, feature, i, count);
            store(outputs, at + i, numbers, count, bf16);
        }
        return field->count;
    }
    const int64_t width = (int64_t)field->count * field->classes;
    const size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    memset((uint8_t*)outputs + (size_t)at * size, 0, (size_t)width * size);
    for (int64_t i = 0; i < field->count; i++) {
        if (bytes[i] < field->classes) {
            set_number(outputs, at + i * field->classes + bytes[i], 1.0f, bf16);
        }
    }
    return width;
}

INLINE void rows_of(const puff_features* batch, int64_t first, int64_t end, int bf16) {
    for (int64_t row = first; row < end; row++) {
        const uint8_t* observation = observation_of(batch, row);
        fetch_early(batch, row, end);
        int64_t feature = 0;
        for (int32_t f = 0; f < batch->field_count; f++) {
            feature += field_features(batch, &batch->fields[f], observation, row, feature, bf16);
        }
    }
}

void puff_feature_rows(const puff_features* batch, int64_t first, int64_t end) {
    if (batch->bf16) {
        rows_of(batch, first, end, 1);
    } else {
        rows_of(batch, first, end, 0);
    }
}

static void make_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_feature_rows(job, first, end);
}

PUFF_KERNEL void puff_make_features(puff_kernels* kernels, const puff_features* batch) {
    puff_over_rows(kernels, make_rows, batch, batch->steps * batch->segments);
}
