/* gelu.c: the tanh form of GELU, 0.5 x (1 + tanh(u)) = x sigmoid(2 u). */
#include "numbers.h"
#include "parallel.h"

enum { TILE = 1024 };

static const float slope = 0.7978845608f; /* sqrt(2 / pi) */
static const float cubic = 0.044715f;

INLINE void gelu_forward(const puff_gelu* gelu, int64_t first, int64_t end, int bf16) {
    float numbers[TILE];
    for (int64_t at = first; at < end; at += TILE) {
        const int64_t count = end - at < TILE ? end - at : TILE;
        load(numbers, gelu->inputs, at, count, bf16);
        for (int64_t i = 0; i < count; i++) {
            const float x = numbers[i];
            numbers[i] = x * sigmoid(2 * slope * (x + cubic * x * x * x));
        }
        store(gelu->outputs, at, numbers, count, bf16);
    }
}

INLINE void gelu_backward(const puff_gelu* gelu, int64_t first, int64_t end, int bf16) {
    float numbers[TILE], incoming[TILE];
    for (int64_t at = first; at < end; at += TILE) {
        const int64_t count = end - at < TILE ? end - at : TILE;
        load(numbers, gelu->inputs, at, count, bf16);
        load(incoming, gelu->output_gradients, at, count, bf16);
        for (int64_t i = 0; i < count; i++) {
            const float x = numbers[i];
            const float power = exponential(-2 * slope * (x + cubic * x * x * x));
            const float s = reciprocal(1 + power);
            const float inner = 2 * slope * (1 + 3 * cubic * x * x);
            /* s power is 1 - s, also where s is nearly 1 and x large. */
            incoming[i] *= s + x * (s * power) * s * inner;
        }
        store(gelu->input_gradients, at, incoming, count, bf16);
    }
}

void puff_gelu_numbers(const puff_gelu* gelu, int64_t first, int64_t end) {
    if (gelu->bf16) {
        gelu_forward(gelu, first, end, 1);
    } else {
        gelu_forward(gelu, first, end, 0);
    }
}

void puff_gelu_back_numbers(const puff_gelu* gelu, int64_t first, int64_t end) {
    if (gelu->bf16) {
        gelu_backward(gelu, first, end, 1);
    } else {
        gelu_backward(gelu, first, end, 0);
    }
}

static void forward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_gelu_numbers(job, first, end);
}
static void backward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_gelu_back_numbers(job, first, end);
}

PUFF_KERNEL void puff_gelu_forward(puff_kernels* kernels, const puff_gelu* gelu) {
    puff_over_rows(kernels, forward, gelu, gelu->count);
}

PUFF_KERNEL void puff_gelu_backward(puff_kernels* kernels, const puff_gelu* gelu) {
    puff_over_rows(kernels, backward, gelu, gelu->count);
}
