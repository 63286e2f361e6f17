/* packed.h: weights as products read them.
 *
 * They are in panels of PUFF_PANEL outputs, the last one filled up with zeros, and within a panel
 * input by input, so that the innermost loop reads them one after the other. With instructions for
 * bfloat16, and numbers of that format, they are pairs of inputs, filled up with zeros; else they
 * are floats.
 */
#ifndef PUFF_PACKED_H
#define PUFF_PACKED_H

#include <stddef.h>

#include "../numbers.h"
#include "../vector.h"
#include "tiles.h"

#if defined(__ARM_NEON)
enum { PUFF_NEON = 1 };
#else
enum { PUFF_NEON = 0 };
#endif

#if defined(__AVX512BF16__)
enum { PUFF_PAIRS = 1 };
#else
enum { PUFF_PAIRS = 0 };
#endif

enum { PUFF_PANEL = 2 * VECTOR };

INLINE int64_t panels_of(int64_t outputs) {
    return (outputs + PUFF_PANEL - 1) / PUFF_PANEL;
}

/* The words of 4 bytes, each a float or a pair, that a panel has of an output. */
INLINE int64_t words_of(int64_t inputs, int bf16) {
    if (!bf16 || !PUFF_PAIRS) return inputs;
    const int64_t step = PUFF_TILES ? PUFF_TILE_INPUTS : 2;
    return (inputs + step - 1) / step * step / 2;
}

/* The bytes of a panel. */
INLINE size_t panel_bytes(int64_t inputs, int bf16) {
    return (size_t)(words_of(inputs, bf16) * PUFF_PANEL) * sizeof(uint32_t);
}

/* The bytes of packed weights. */
INLINE size_t packed_bytes(int64_t inputs, int64_t outputs, int bf16) {
    return (size_t)panels_of(outputs) * panel_bytes(inputs, bf16);
}

/* Weights on their way into panels: (outputs, inputs) numbers that lie so many numbers apart, one
 * behind the other in one of the two directions. */
typedef struct {
    const void* numbers;
    int64_t outputs;
    int64_t output_stride;
    int64_t inputs;
    int64_t input_stride;
    int bf16;
    void* packed;
} puff_weights;

/* A float or a pair of bfloat16, as it lies in a panel. */
typedef uint32_t __attribute__((may_alias)) puff_word;

/* The lower or upper halves of two vectors, their words in turns. */
#if defined(__clang__)
#define SHUFFLED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLED(a, b, ...) __builtin_shuffle(a, b, (words){__VA_ARGS__})
#endif
#if defined(__AVX512F__)
#define LOWER(a, b) SHUFFLED(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define UPPER(a, b) SHUFFLED(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif defined(__AVX2__)
#define LOWER(a, b) SHUFFLED(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER(a, b) SHUFFLED(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOWER(a, b) SHUFFLED(a, b, 0, 4, 1, 5)
#define UPPER(a, b) SHUFFLED(a, b, 2, 6, 3, 7)
#endif

/* Swaps rows and columns of VECTOR x VECTOR words, so many bytes from row to row. A round rotates
 * the binary digits of a word's place, row before column, by one; so many rounds as a row's number
 * has digits swap both. */
INLINE void transpose(const void* from, int64_t apart, void* to, int64_t to_apart) {
    words now[VECTOR], then[VECTOR];
    for (int i = 0; i < VECTOR; i++)
        memcpy(&now[i], (const uint8_t*)from + i * apart, sizeof now[i]);
    for (int rounds = VECTOR; rounds > 1; rounds /= 2) {
        for (int i = 0; i < VECTOR / 2; i++) {
            then[2 * i] = LOWER(now[i], now[i + VECTOR / 2]);
            then[2 * i + 1] = UPPER(now[i], now[i + VECTOR / 2]);
        }
        memcpy(now, then, sizeof now);
    }
    for (int i = 0; i < VECTOR; i++) memcpy((uint8_t*)to + i * to_apart, &now[i], sizeof now[i]);
}

/* One word: the input of that number as a float, or it and the next one. */
INLINE uint32_t word_of(const puff_weights* weights, int64_t output, int64_t input, int pairs) {
    const int64_t at = output * weights->output_stride + input * weights->input_stride;
    const uint16_t* halves = weights->numbers;
    if (pairs) {
        const int is_last = input + 1 == weights->inputs;
        const uint32_t high = is_last ? 0 : halves[at + weights->input_stride];
        return halves[at] | high << 16;
    }
    const float number =
        weights->bf16 ? from_bf16(halves[at]) : ((const float*)weights->numbers)[at];
    uint32_t word;
    memcpy(&word, &number, sizeof word);
    return word;
}

/* The words of inputs that lie one behind the other: whole squares of them are transposed. */
INLINE void pack_rows(const puff_weights* weights, int64_t first, int64_t count, puff_word* panel,
                      int pairs) {
    const int64_t each = pairs ? 2 : 1;
    const int64_t size = pairs ? sizeof(uint16_t) : sizeof(float);
    const int64_t apart = weights->output_stride * size, square = VECTOR * each;
    const int64_t whole = weights->inputs / square * square;
    const uint8_t* from = (const uint8_t*)weights->numbers + first * apart;
    const int64_t ready = count / VECTOR * VECTOR;
    for (int64_t i = 0; i < whole; i += square) {
        for (int64_t o = 0; o < ready; o += VECTOR) {
            transpose(from + o * apart + i * size, apart, panel + i / each * PUFF_PANEL + o,
                      PUFF_PANEL * sizeof *panel);
        }
    }
    for (int64_t i = 0; i < weights->inputs; i += each) {
        for (int64_t o = i < whole ? ready : 0; o < count; o++) {
            panel[i / each * PUFF_PANEL + o] = word_of(weights, first + o, i, pairs);
        }
    }
}

/* The words of outputs that lie one behind the other. */
INLINE void pack_columns(const puff_weights* weights, int64_t first, int64_t count,
                         puff_word* panel, int pairs) {
    for (int64_t i = 0; !pairs && i < weights->inputs; i++) {
        const float* from = (const float*)weights->numbers + i * weights->input_stride + first;
        memcpy(panel + i * PUFF_PANEL, from, (size_t)count * sizeof *from);
    }
    const int64_t whole = pairs ? weights->inputs / 2 * 2 : 0;
    for (int64_t i = 0; i < whole; i += 2) {
        const uint16_t* low = (const uint16_t*)weights->numbers + i * weights->input_stride + first;
        const uint16_t* high = low + weights->input_stride;
        puff_word* to = panel + i / 2 * PUFF_PANEL;
        if (count == PUFF_PANEL) {
            for (int o = 0; o < PUFF_PANEL; o++) to[o] = low[o] | (uint32_t)high[o] << 16;
        } else {
            for (int64_t o = 0; o < count; o++) to[o] = low[o] | (uint32_t)high[o] << 16;
        }
    }
    for (int64_t o = 0; pairs && whole < weights->inputs && o < count; o++) {
        panel[whole / 2 * PUFF_PANEL + o] = word_of(weights, first + o, whole, pairs);
    }
}

/* Packs the panel of that number. */
static inline void pack_panel(const puff_weights* weights, int64_t number) {
    const int64_t first = number * PUFF_PANEL, rest = weights->outputs - first;
    const int64_t count = rest < PUFF_PANEL ? rest : PUFF_PANEL;
    const int pairs = weights->bf16 && PUFF_PAIRS;
    const size_t size = panel_bytes(weights->inputs, weights->bf16);
    puff_word* panel = (puff_word*)(void*)((uint8_t*)weights->packed + (size_t)number * size);
    const int64_t used = pairs ? (weights->inputs + 1) / 2 : weights->inputs;
    if (count < PUFF_PANEL) {
        memset(panel, 0, size);
    } else {
        const size_t filled = (size_t)(used * PUFF_PANEL) * sizeof *panel;
        memset((uint8_t*)panel + filled, 0, size - filled);
    }
    if (weights->bf16 && !pairs) {
        for (int64_t i = 0; i < weights->inputs; i++) {
            for (int64_t o = 0; o < count; o++) {
                panel[i * PUFF_PANEL + o] = word_of(weights, first + o, i, 0);
            }
        }
    } else if (weights->output_stride == 1) {
        pack_columns(weights, first, count, panel, pairs);
    } else {
        pack_rows(weights, first, count, panel, pairs);
    }
}

/* Packs some of them, as a job for the threads. */
static void pack_panels(const void* weights, int64_t block, int64_t first, int64_t end) {
    (void)block;
    for (int64_t number = first; number < end; number++) pack_panel(weights, number);
}

#endif
