/* features.c: gathers observations and turns them into the encoder's input in one pass. */
#include "../../../envs/puff_env.h"
#include "numbers.h"
#include "parallel.h"

enum { TILE = 256, AHEAD = 4 };

/* Where a normalised feature is cut off, unless it is left as it is; as in normaliser.py. */
#define LARGEST 10.0f

INLINE void set_number(void* to, int64_t at, float value, int bf16) {
    if (bf16) {
        ((uint16_t*)to)[at] = to_bf16(value);
    } else {
        ((float*)to)[at] = value;
    }
}

/* Brings features to size one; what is not finite becomes NaN. */
INLINE void normalise(float* restrict numbers, const float* restrict shifts,
                      const float* restrict scales, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const float zero = numbers[i] - numbers[i];
        const float limit = shifts[i] == 0 && scales[i] == 1 ? INFINITY : LARGEST;
        float number = (numbers[i] - shifts[i]) * scales[i];
        number = number > limit ? limit : number;
        number = number < -limit ? -limit : number;
        numbers[i] = number + zero;
    }
}

/* Bits, 32 at a time, for a loop over those becomes vector code; there is room for as many. */
INLINE void read_bits(float* restrict numbers, const uint8_t* restrict bytes, int64_t count) {
    uint8_t packed[TILE / 8] = {0};
    memcpy(packed, bytes, (size_t)(count + 7) / 8);
    for (int64_t i = 0; i < count; i += 32) {
        const uint8_t* four = packed + i / 8;
        const uint32_t word =
            four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 | (uint32_t)four[3] << 24;
        for (int bit = 0; bit < 32; bit++) numbers[i + bit] = (float)(int32_t)(word >> bit & 1);
    }
}

/* Some elements of a field without classes, from the `first` on, as features. */
INLINE void read_numbers(float* restrict numbers, const puff_feature_field* field,
                         const uint8_t* restrict bytes, int64_t first, int64_t count) {
    switch (field->dtype) {
    case PUFF_FLOAT32:
        memcpy(numbers, bytes + first * (int64_t)sizeof(float), (size_t)count * sizeof(float));
        break;
    case PUFF_INT16:
        for (int64_t i = 0; i < count; i++) {
            int16_t number;
            memcpy(&number, bytes + (first + i) * (int64_t)sizeof number, sizeof number);
            numbers[i] = number;
        }
        break;
    case PUFF_BITS:
        read_bits(numbers, bytes + first / 8, count);
        break;
    default:
        for (int64_t i = 0; i < count; i++) numbers[i] = (float)bytes[first + i] / 255.0f;
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
        float numbers[TILE];
        for (int64_t i = 0; i < field->count; i += TILE) {
            const int64_t count = field->count - i < TILE ? field->count - i : TILE;
            read_numbers(numbers, field, bytes, i, count);
            if (batch->shifts) {
                normalise(numbers, batch->shifts + feature + i, batch->scales + feature + i, count);
            }
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

/* Where a row of the batch lies in the rollout. */
INLINE const uint8_t* observation_of(const puff_features* batch, int64_t row) {
    const int64_t step = row / batch->segments, segment = row % batch->segments;
    const int64_t agent = batch->indices ? batch->indices[segment] : segment;
    return batch->observations + (step * batch->agents + agent) * batch->bytes;
}

/* The agents of a minibatch are scattered over the rollout, which no cache holds. */
INLINE void fetch_early(const uint8_t* observation, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(observation + i);
}

INLINE void rows_of(const puff_features* batch, int64_t first, int64_t end, int bf16) {
    for (int64_t row = first; row < end; row++) {
        const uint8_t* observation = observation_of(batch, row);
        if (row + AHEAD < end) fetch_early(observation_of(batch, row + AHEAD), batch->bytes);
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
