/* reading.h: the numbers of an observation, as features (features.c, lookup.c). */
#ifndef PUFF_READING_H
#define PUFF_READING_H

#include "../../../envs/puff_env.h"
#include "kernels.h"
#include "numbers.h"

/* Numbers that are read at a time, and rows that are asked for ahead. */
enum { NUMBERS = 256, AHEAD = 4 };

/* Where a normalised feature is cut off, unless it is left as it is; as in normaliser.py. */
#define LARGEST 10.0f

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
    uint8_t packed[NUMBERS / 8] = {0};
    memcpy(packed, bytes, (size_t)(count + 7) / 8);
    for (int64_t i = 0; i < count; i += 32) {
        const uint8_t* four = packed + i / 8;
        const uint32_t word =
            four[0] | (uint32_t)four[1] << 8 | (uint32_t)four[2] << 16 | (uint32_t)four[3] << 24;
        for (int bit = 0; bit < 32; bit++) numbers[i + bit] = (float)(int32_t)(word >> bit & 1);
    }
}

/* Some elements of a field without classes, from the `first` on, a multiple of NUMBERS and at most
 * as many, as features; `feature` is the field's first one. */
INLINE void read_numbers(float* restrict numbers, const puff_features* batch,
                         const puff_feature_field* field, const uint8_t* restrict bytes,
                         int64_t feature, int64_t first, int64_t count) {
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
    if (batch->shifts) {
        const int64_t at = feature + first;
        normalise(numbers, batch->shifts + at, batch->scales + at, count);
    }
}

/* Where a row of the batch lies in the rollout. */
INLINE const uint8_t* observation_of(const puff_features* batch, int64_t row) {
    const int64_t step = row / batch->segments, segment = row % batch->segments;
    const int64_t agent = batch->indices ? batch->indices[segment] : segment;
    return batch->observations + (step * batch->agents + agent) * batch->bytes;
}

/* The agents of a minibatch are scattered over the rollout, which no cache holds. */
INLINE void fetch_early(const puff_features* batch, int64_t row, int64_t end) {
    if (row + AHEAD >= end) return;
    const uint8_t* observation = observation_of(batch, row + AHEAD);
    for (int64_t i = 0; i < batch->bytes; i += 64) __builtin_prefetch(observation + i);
}

#endif
