/* product.h: results = inputs x weights^T for a few rows, on one thread; the weights are packed
 * (packed.h).
 */
#ifndef PUFF_PRODUCT_H
#define PUFF_PRODUCT_H

#include "../numbers.h"
#include "packed.h"
#include "tiles.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

/* Rows whose sums in a panel fill the vector registers, and those that share what is read of it. */
enum { ROWS = VECTOR == 16 ? 8 : 4, PUFF_ROWS = PUFF_TILES ? 2 * PUFF_TILE : ROWS };

/* The sums of ROWS rows in one panel: floats, or numbers of bfloat16 that are made floats. */
INLINE void float_sums(float sums[ROWS][PUFF_PANEL], const void* inputs, int64_t stride,
                       int64_t count, const float* weights, int bf16) {
    vector first[ROWS] = {0}, second[ROWS] = {0};
    for (int64_t i = 0; i < count; i++) {
        const vector low = *(const vector*)(weights + i * PUFF_PANEL);
        const vector high = *(const vector*)(weights + i * PUFF_PANEL + VECTOR);
        for (int row = 0; row < ROWS; row++) {
            const int64_t at = row * stride + i;
            const float input =
                bf16 ? from_bf16(((const uint16_t*)inputs)[at]) : ((const float*)inputs)[at];
            first[row] += input * low;
            second[row] += input * high;
        }
    }
    for (int row = 0; row < ROWS; row++) {
        *(vector*)sums[row] = first[row];
        *(vector*)(sums[row] + VECTOR) = second[row];
    }
}

#if defined(__AVX512BF16__)
INLINE __m512bh same_pair(const uint16_t* pair, int64_t count) {
    uint32_t both = pair[0];
    if (count > 1) memcpy(&both, pair, sizeof both);
    return (__m512bh)_mm512_set1_epi32((int32_t)both);
}

/* The same of bfloat16, two inputs at a time. */
INLINE void pair_sums(float sums[ROWS][PUFF_PANEL], const uint16_t* inputs, int64_t stride,
                      int64_t count, const uint16_t* weights) {
    __m512 first[ROWS], second[ROWS];
    for (int row = 0; row < ROWS; row++) first[row] = second[row] = _mm512_setzero_ps();
    const int64_t even = count / 2 * 2;
    for (int64_t i = 0; i < even; i += 2) {
        const __m512bh low = (__m512bh)_mm512_loadu_si512(weights + i * PUFF_PANEL);
        const __m512bh high = (__m512bh)_mm512_loadu_si512(weights + i * PUFF_PANEL + 2 * VECTOR);
        for (int row = 0; row < ROWS; row++) {
            const __m512bh pair = same_pair(inputs + row * stride + i, 2);
            first[row] = _mm512_dpbf16_ps(first[row], low, pair);
            second[row] = _mm512_dpbf16_ps(second[row], high, pair);
        }
    }
    if (even < count) {
        const __m512bh low = (__m512bh)_mm512_loadu_si512(weights + even * PUFF_PANEL);
        const __m512bh high =
            (__m512bh)_mm512_loadu_si512(weights + even * PUFF_PANEL + 2 * VECTOR);
        for (int row = 0; row < ROWS; row++) {
            const __m512bh pair = same_pair(inputs + row * stride + even, 1);
            first[row] = _mm512_dpbf16_ps(first[row], low, pair);
            second[row] = _mm512_dpbf16_ps(second[row], high, pair);
        }
    }
    for (int row = 0; row < ROWS; row++) {
        _mm512_storeu_ps(sums[row], first[row]);
        _mm512_storeu_ps(sums[row] + VECTOR, second[row]);
    }
}
#endif

/* The sums of some rows (., inputs) of numbers in one panel: of PUFF_ROWS by tiles, else of ROWS.
 */
INLINE void panel_sums(float sums[PUFF_ROWS][PUFF_PANEL], const void* rows, int64_t inputs,
                       const void* panel, int bf16, int tiles) {
#if PUFF_HAS_TILES
    if (tiles) {
        tile_sums(sums, rows, inputs, panel);
        return;
    }
#endif
#if defined(__AVX512BF16__)
    if (bf16) {
        pair_sums(sums, rows, inputs, inputs, panel);
        return;
    }
#endif
    (void)tiles;
    float_sums(sums, rows, inputs, inputs, panel, bf16);
}

/* results = inputs x weights^T, then + biases, or alpha times it + beta * addend, where there are
 * any; or all of it is added to totals. Inputs have memory for a whole multiple of PUFF_ROWS rows.
 */
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
    float* totals; /* (rows, outputs), in place of results */
} puff_product;

INLINE void finish_row(const puff_product* product, float* restrict sums, int64_t row,
                       int64_t output, int64_t count, int bf16) {
    const int64_t at = row * product->outputs + output;
    if (product->totals) {
        float* restrict totals = product->totals + at;
        for (int64_t i = 0; i < count; i++) totals[i] += sums[i];
        return;
    }
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

INLINE void multiply_numbers(const puff_product* product, int64_t first, int64_t end, int bf16,
                             int tiles) {
    const size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    const int64_t step = tiles ? PUFF_ROWS : ROWS;
    const uint8_t* inputs = product->inputs;
    const uint8_t* panel = product->packed;
    float sums[PUFF_ROWS][PUFF_PANEL];
    for (int64_t output = 0; output < product->outputs; output += PUFF_PANEL) {
        const int64_t rest = product->outputs - output;
        for (int64_t row = first; row < end; row += step) {
            const uint8_t* from = inputs + (size_t)(row * product->width) * size;
            panel_sums(sums, from, product->width, panel, bf16, tiles);
            for (int64_t r = 0; r < step && row + r < end; r++) {
                /* Loops over a number that is known are better vector code. */
                if (rest >= PUFF_PANEL) {
                    finish_row(product, sums[r], row + r, output, PUFF_PANEL, bf16);
                } else {
                    finish_row(product, sums[r], row + r, output, rest, bf16);
                }
            }
        }
        panel += panel_bytes(product->width, bf16);
    }
}

/* Fills rows `first`, a multiple of PUFF_ROWS, to `end` - 1 of the results. */
static inline void multiply(const puff_product* product, int64_t first, int64_t end) {
    if (!product->bf16) {
        multiply_numbers(product, first, end, 0, 0);
    } else if (PUFF_TILES && puff_tiles_are_allowed()) {
        begin_tiles();
        multiply_numbers(product, first, end, 1, 1);
        end_tiles();
    } else {
        multiply_numbers(product, first, end, 1, 0);
    }
}

#endif
