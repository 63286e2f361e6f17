/* numbers.h: bfloat16, and the functions of a float that the kernels need, written so that loops
 * over them become vector code.
 */
#ifndef PUFF_NUMBERS_H
#define PUFF_NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

/* A call that is not inlined keeps the loop around it from becoming vector code. */
#define INLINE __attribute__((always_inline)) static inline

#define HALF_LOG_TWO_PI 0.918938533f

INLINE float from_bf16(uint16_t number) {
    const uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to nearest, ties to even; what is not a number stays that. */
INLINE uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return value != value ? 0x7fc0 : (uint16_t)rounded;
}

static inline void load(float* restrict to, const void* from, int64_t offset, int64_t count,
                        int bf16) {
    if (bf16) {
        const uint16_t* restrict numbers = (const uint16_t*)from + offset;
        for (int64_t i = 0; i < count; i++) to[i] = from_bf16(numbers[i]);
    } else {
        memcpy(to, (const float*)from + offset, (size_t)count * sizeof(float));
    }
}

static inline void store(void* to, int64_t offset, const float* restrict from, int64_t count,
                         int bf16) {
    if (bf16) {
        uint16_t* restrict numbers = (uint16_t*)to + offset;
        int64_t i = 0;
#if defined(__AVX512BF16__)
        for (; i + 16 <= count; i += 16) {
            const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(from + i));
            memcpy(numbers + i, &rounded, sizeof rounded);
        }
#endif
        for (; i < count; i++) numbers[i] = to_bf16(from[i]);
    } else {
        memcpy((float*)to + offset, from, (size_t)count * sizeof(float));
    }
}

/* e^x to about 1e-7, in operations that vectorise: x = n ln 2 + r, a polynomial for e^r, and n put
 * into the exponent bits. */
INLINE float exponential(float x) {
    x = x > 87.0f ? 87.0f : x;
    x = x < -87.0f ? -87.0f : x;
    const float shifter = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    const float n = (x * 1.44269504f + shifter) - shifter;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * r) * r + r + 1.0f;
    const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

/* The length of a vector; the order of its sum is always the same. */
static inline float length(const float* numbers, int64_t count) {
    enum { LANES = 32, PART = 1024 };
    double total = 0;
    for (int64_t i = 0; i < count; i += PART) {
        const int64_t end = count - i < PART ? count : i + PART;
        float lanes[LANES] = {0}, part = 0;
        int64_t j = i;
        for (; j + LANES <= end; j += LANES) {
            for (int k = 0; k < LANES; k++) lanes[k] += numbers[j + k] * numbers[j + k];
        }
        for (; j < end; j++) part += numbers[j] * numbers[j];
        for (int k = 0; k < LANES; k++) part += lanes[k];
        total += (double)part;
    }
    return (float)sqrt(total);
}

/* 1 / x to about 1e-7, for x from 1 to 1e38: subtracting the bits from these gives it to an eighth,
 * and each of Newton's steps squares that. A division takes as long as all of it for one number,
 * but for all of a vector. */
INLINE float reciprocal(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x7ef311c3u - bits;
    float guess;
    memcpy(&guess, &bits, sizeof guess);
    for (int i = 0; i < 3; i++) guess *= 2.0f - x * guess;
    return guess;
}

INLINE float sigmoid(float x) {
    return reciprocal(1.0f + exponential(-x));
}

#endif
