/* product.h: results = inputs x weights^T for a few rows, on one thread.
 *
 * Weights are packed: in panels of PUFF_PANEL outputs, the last one filled up with zeros, and
 * within a panel input by input, so that the innermost loop reads them one after the other. With
 * instructions for bfloat16, and numbers of that format, they are pairs of inputs (an odd last one
 * has a zero beside it); else they are floats.
 */
#ifndef PUFF_PRODUCT_H
#define PUFF_PRODUCT_H

#include "numbers.h"
#include "vector.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

enum { ROWS = VECTOR == 16 ? 8 : 4 };

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

static inline size_t in_lines(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

INLINE int64_t panels_of(int64_t outputs) {
    return (outputs + PUFF_PANEL - 1) / PUFF_PANEL;
}

/* The bytes of a panel. */
INLINE size_t panel_bytes(int64_t inputs, int bf16) {
    const int64_t words = bf16 && PUFF_PAIRS ? (inputs + 1) / 2 : inputs;
    return (size_t)(words * PUFF_PANEL) * sizeof(float);
}

/* The bytes of packed weights. */
INLINE size_t packed_bytes(int64_t inputs, int64_t outputs, int bf16) {
    return (size_t)panels_of(outputs) * panel_bytes(inputs, bf16);
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

/* Weights on their way into panels: (outputs, inputs) numbers that lie so many numbers apart. */
typedef struct {
    const void* numbers;
    int64_t outputs;
    int64_t output_stride;
    int64_t inputs;
    int64_t input_stride;
    int bf16;
    void* packed;
} puff_weights;

/* Packs the panel of that number. */
INLINE void pack_panel(const puff_weights* weights, int64_t number) {
    const int64_t first = number * PUFF_PANEL, rest = weights->outputs - first;
    const int64_t count = rest < PUFF_PANEL ? rest : PUFF_PANEL;
    const int64_t inputs = weights->inputs, apart = weights->output_stride;
    const int bf16 = weights->bf16, pairs = bf16 && PUFF_PAIRS;
    const size_t size = panel_bytes(inputs, bf16);
    void* panel = (uint8_t*)weights->packed + (size_t)number * size;
    if (count < PUFF_PANEL) memset(panel, 0, size);
    const uint16_t* halves = (const uint16_t*)weights->numbers + (bf16 ? first * apart : 0);
    const float* floats = (const float*)weights->numbers + (bf16 ? 0 : first * apart);
    for (int64_t i = 0; pairs && i < inputs; i += 2) {
        uint32_t* to = (uint32_t*)panel + i / 2 * PUFF_PANEL;
        const uint16_t* low = halves + i * weights->input_stride;
        const uint16_t* high = low + weights->input_stride;
        for (int64_t o = 0; i + 1 < inputs && o < count; o++) {
            to[o] = low[o * apart] | (uint32_t)high[o * apart] << 16;
        }
        for (int64_t o = 0; i + 1 == inputs && o < count; o++) to[o] = low[o * apart];
    }
    for (int64_t i = 0; !pairs && i < inputs; i++) {
        float* to = (float*)panel + i * PUFF_PANEL;
        for (int64_t o = 0; o < count; o++) {
            const int64_t at = i * weights->input_stride + o * apart;
            to[o] = bf16 ? from_bf16(halves[at]) : floats[at];
        }
    }
}

/* Packs some of them, as a job for the threads. */
static void pack_panels(const void* weights, int64_t block, int64_t first, int64_t end) {
    (void)block;
    for (int64_t number = first; number < end; number++) pack_panel(weights, number);
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

/* results = inputs x weights^T, then + biases, or alpha times it + beta * addend, where there are
 * any. Inputs have memory for a whole multiple of PUFF_ROWS rows. */
typedef struct {
    const void* inputs; /* (rows, width) number */
    int64_t rows;
    int64_t width;
    const void* packed; /* weights (outputs, width) */
    int64_t outputs;
    int bf16;
    const float* biases; /* (outputs,) */
    const void* addend;  /* (rows, outputs) number */
    float alpha;
    float beta;
    void* results; /* (rows, outputs) number */
} puff_product;

INLINE void finish_row(const puff_product* product, float* restrict sums, int64_t row,
                       int64_t output, int64_t count, int bf16) {
    const int64_t at = row * product->outputs + output;
    if (product->biases) {
        for (int64_t i = 0; i < count; i++) sums[i] += product->biases[output + i];
    }
    if (product->addend) {
        float addend[PUFF_PANEL];
        load(addend, product->addend, at, count, bf16);
        for (int64_t i = 0; i < count; i++) {
            sums[i] = product->alpha * sums[i] + product->beta * addend[i];
        }
    }
    store(product->results, at, sums, count, bf16);
}

INLINE void multiply_numbers(const puff_product* product, int64_t first, int64_t end, int bf16) {
    const size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    const uint8_t* inputs = product->inputs;
    const uint8_t* panel = product->packed;
    float sums[PUFF_ROWS][PUFF_PANEL];
    for (int64_t output = 0; output < product->outputs; output += PUFF_PANEL) {
        const int64_t rest = product->outputs - output;
        for (int64_t row = first; row < end; row += PUFF_ROWS) {
            panel_sums(sums, inputs + (size_t)(row * product->width) * size, product->width, panel,
                       bf16);
            for (int64_t r = 0; r < PUFF_ROWS && row + r < end; r++) {
                finish_row(product, sums[r], row + r, output, rest < PUFF_PANEL ? rest : PUFF_PANEL,
                           bf16);
            }
        }
        panel += panel_bytes(product->width, bf16);
    }
}

/* Fills rows `first`, a multiple of PUFF_ROWS, to `end` - 1 of the results. */
static inline void multiply(const puff_product* product, int64_t first, int64_t end) {
    if (product->bf16) {
        multiply_numbers(product, first, end, 1);
    } else {
        multiply_numbers(product, first, end, 0);
    }
}

#endif
