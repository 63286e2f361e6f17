/* product.h: outputs = inputs x weights^T for a few rows, on one thread.
 *
 * Weights are packed: in panels of PUFF_PANEL outputs, the last one filled up with zeros, and
 * within a panel input by input, so that the innermost loop reads them one after the other. With
 * instructions for bfloat16, and numbers of that format, they are pairs of inputs (an odd last one
 * has a zero beside it); else they are floats.
 */
#ifndef PUFF_PRODUCT_H
#define PUFF_PRODUCT_H

#include "numbers.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { VECTOR = 16, ROWS = 8 };
#elif defined(__AVX2__)
enum { VECTOR = 8, ROWS = 4 };
#else
enum { VECTOR = 4, ROWS = 4 };
#endif

#if defined(__ARM_NEON)
enum { PUFF_NEON = 1 };
#else
enum { PUFF_NEON = 0 };
#endif

/* Outputs in a panel, and rows that share what is read of it: their sums fill the registers. */
enum { PUFF_PANEL = 2 * VECTOR, PUFF_ROWS = ROWS };

#if defined(__AVX512BF16__)
enum { PUFF_PAIRS = 1 };
#else
enum { PUFF_PAIRS = 0 };
#endif

typedef float vector __attribute__((vector_size(VECTOR * sizeof(float)), aligned(4)));

/* The bytes of packed weights. */
INLINE size_t packed_bytes(int64_t inputs, int64_t outputs, int pairs) {
    const size_t panels = (size_t)((outputs + PUFF_PANEL - 1) / PUFF_PANEL);
    const size_t a_panel = pairs ? (size_t)((inputs + 1) / 2) * 4 : (size_t)inputs * sizeof(float);
    return panels * a_panel * PUFF_PANEL;
}

/* The sums of PUFF_ROWS rows in one panel: floats, or numbers of bfloat16 that are made floats. */
INLINE void float_sums(float sums[PUFF_ROWS][PUFF_PANEL], const void* inputs, int64_t stride,
                       int64_t count, const float* weights, int bf16) {
    vector first[PUFF_ROWS] = {0}, second[PUFF_ROWS] = {0};
    for (int64_t i = 0; i < count; i++) {
        const vector low = *(const vector*)(weights + i * PUFF_PANEL);
        const vector high = *(const vector*)(weights + i * PUFF_PANEL + VECTOR);
        for (int row = 0; row < PUFF_ROWS; row++) {
            const int64_t at = row * stride + i;
            const float input =
                bf16 ? from_bf16(((const uint16_t*)inputs)[at]) : ((const float*)inputs)[at];
            first[row] += input * low;
            second[row] += input * high;
        }
    }
    for (int row = 0; row < PUFF_ROWS; row++) {
        memcpy(sums[row], &first[row], sizeof first[row]);
        memcpy(sums[row] + VECTOR, &second[row], sizeof second[row]);
    }
}

#if defined(__AVX512BF16__)
INLINE __m512bh same_pair(const uint16_t* pair, int64_t count) {
    uint32_t both = pair[0];
    if (count > 1) memcpy(&both, pair, sizeof both);
    return (__m512bh)_mm512_set1_epi32((int32_t)both);
}

/* The same of bfloat16, two inputs at a time. */
INLINE void pair_sums(float sums[PUFF_ROWS][PUFF_PANEL], const uint16_t* inputs, int64_t stride,
                      int64_t count, const uint16_t* weights) {
    __m512 first[PUFF_ROWS], second[PUFF_ROWS];
    for (int row = 0; row < PUFF_ROWS; row++) first[row] = second[row] = _mm512_setzero_ps();
    const int64_t even = count / 2 * 2;
    for (int64_t i = 0; i < even; i += 2) {
        const __m512bh low = (__m512bh)_mm512_loadu_si512(weights + i * PUFF_PANEL);
        const __m512bh high = (__m512bh)_mm512_loadu_si512(weights + i * PUFF_PANEL + 2 * VECTOR);
        for (int row = 0; row < PUFF_ROWS; row++) {
            const __m512bh pair = same_pair(inputs + row * stride + i, 2);
            first[row] = _mm512_dpbf16_ps(first[row], low, pair);
            second[row] = _mm512_dpbf16_ps(second[row], high, pair);
        }
    }
    if (even < count) {
        const __m512bh low = (__m512bh)_mm512_loadu_si512(weights + even * PUFF_PANEL);
        const __m512bh high =
            (__m512bh)_mm512_loadu_si512(weights + even * PUFF_PANEL + 2 * VECTOR);
        for (int row = 0; row < PUFF_ROWS; row++) {
            const __m512bh pair = same_pair(inputs + row * stride + even, 1);
            first[row] = _mm512_dpbf16_ps(first[row], low, pair);
            second[row] = _mm512_dpbf16_ps(second[row], high, pair);
        }
    }
    for (int row = 0; row < PUFF_ROWS; row++) {
        _mm512_storeu_ps(sums[row], first[row]);
        _mm512_storeu_ps(sums[row] + VECTOR, second[row]);
    }
}
#endif

/* Packs one panel: outputs `first` and the PUFF_PANEL - 1 behind it of numbers whose outputs and
 * inputs lie so many numbers apart. */
INLINE void pack(void* panel, const void* numbers, int64_t first, int64_t outputs,
                 int64_t output_stride, int64_t inputs, int64_t input_stride, int bf16) {
    const int64_t count = outputs - first < PUFF_PANEL ? outputs - first : PUFF_PANEL;
    const int pairs = bf16 && PUFF_PAIRS;
    if (count < PUFF_PANEL) memset(panel, 0, packed_bytes(inputs, 1, pairs));
    const int64_t begin = first * output_stride;
    const uint16_t* halves = (const uint16_t*)numbers + (bf16 ? begin : 0);
    const float* floats = (const float*)numbers + (bf16 ? 0 : begin);
    for (int64_t i = 0; pairs && i < inputs; i += 2) {
        uint32_t* to = (uint32_t*)panel + i / 2 * PUFF_PANEL;
        const uint16_t *low = halves + i * input_stride, *high = low + input_stride;
        for (int64_t o = 0; i + 1 < inputs && o < count; o++) {
            to[o] = low[o * output_stride] | (uint32_t)high[o * output_stride] << 16;
        }
        for (int64_t o = 0; i + 1 == inputs && o < count; o++) to[o] = low[o * output_stride];
    }
    for (int64_t i = 0; !pairs && i < inputs; i++) {
        float* to = (float*)panel + i * PUFF_PANEL;
        for (int64_t o = 0; o < count; o++) {
            const int64_t at = i * input_stride + o * output_stride;
            to[o] = bf16 ? from_bf16(halves[at]) : floats[at];
        }
    }
}

/* The sums of PUFF_ROWS rows (., inputs) of numbers in one panel. */
INLINE void panel_sums(float sums[PUFF_ROWS][PUFF_PANEL], const void* rows, int64_t inputs,
                       const void* panel, int bf16) {
#if defined(__AVX512BF16__)
    if (bf16) {
        pair_sums(sums, rows, inputs, inputs, panel);
        return;
    }
#endif
    float_sums(sums, rows, inputs, inputs, panel, bf16);
}

#endif
