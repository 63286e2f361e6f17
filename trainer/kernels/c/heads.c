/* heads.c: the last layer, a product with so few outputs that a matrix library mostly waits for
 * memory: one pass over the rows forward, one backward, which also sums the weights' gradients.
 */
#include "numbers.h"
#include "parallel.h"

enum { TILE = 128, LANES = 16 };

/* The product of a tile with one output's weights. */
INLINE float product(const float* restrict tile, const float* restrict weights, int64_t count) {
    float lanes[LANES] = {0};
    const int64_t whole = count / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        for (int l = 0; l < LANES; l++) lanes[l] += tile[i + l] * weights[i + l];
    }
    for (int64_t i = whole; i < count; i++) lanes[i - whole] += tile[i] * weights[i];
    for (int half = LANES / 2; half; half /= 2) {
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

INLINE void forward_rows(const puff_heads* heads, int64_t first, int64_t end, int bf16) {
    const int64_t width = heads->width, outputs = heads->outputs;
    float tile[TILE];
    for (int64_t row = first; row < end; row++) {
        float* results = heads->results + row * outputs;
        memcpy(results, heads->biases, (size_t)outputs * sizeof *results);
        for (int64_t channel = 0; channel < width; channel += TILE) {
            const int64_t count = width - channel < TILE ? width - channel : TILE;
            load(tile, heads->inputs, row * width + channel, count, bf16);
            for (int64_t o = 0; o < outputs; o++) {
                results[o] += product(tile, heads->weights + o * width + channel, count);
            }
        }
    }
}

INLINE void backward_rows(const puff_heads* heads, int64_t first, int64_t end, int bf16) {
    const int64_t width = heads->width, outputs = heads->outputs;
    float* weight_gradients = heads->weight_gradients;
    float* bias_gradients = heads->bias_gradients;
    float tile[TILE], outgoing[TILE];
    for (int64_t row = first; row < end; row++) {
        const float* incoming = heads->result_gradients + row * outputs;
        for (int64_t o = 0; o < outputs; o++) bias_gradients[o] += incoming[o];
        for (int64_t channel = 0; channel < width; channel += TILE) {
            const int64_t count = width - channel < TILE ? width - channel : TILE;
            load(tile, heads->inputs, row * width + channel, count, bf16);
            memset(outgoing, 0, sizeof outgoing);
            for (int64_t o = 0; o < outputs; o++) {
                const float gradient = incoming[o];
                const float* restrict weights = heads->weights + o * width + channel;
                float* restrict sums = weight_gradients + o * width + channel;
                for (int64_t i = 0; i < count; i++) {
                    outgoing[i] += gradient * weights[i];
                    sums[i] += gradient * tile[i];
                }
            }
            store(heads->input_gradients, row * width + channel, outgoing, count, bf16);
        }
    }
}

void puff_head_rows(const puff_heads* heads, int64_t first, int64_t end) {
    if (heads->bf16) {
        forward_rows(heads, first, end, 1);
    } else {
        forward_rows(heads, first, end, 0);
    }
}

void puff_head_back_rows(const puff_heads* heads, int64_t first, int64_t end) {
    if (heads->bf16) {
        backward_rows(heads, first, end, 1);
    } else {
        backward_rows(heads, first, end, 0);
    }
}

static void forward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_head_rows(job, first, end);
}
/* Each block adds to sums of its own. */
static void backward(const void* job, int64_t block, int64_t first, int64_t end) {
    puff_heads heads = *(const puff_heads*)job;
    heads.weight_gradients += block * heads.outputs * heads.width;
    heads.bias_gradients += block * heads.outputs;
    puff_head_back_rows(&heads, first, end);
}

PUFF_KERNEL void puff_heads_forward(puff_kernels* kernels, const puff_heads* heads) {
    puff_over_rows(kernels, forward, heads, heads->rows);
}

PUFF_KERNEL void puff_heads_backward(puff_kernels* kernels, const puff_heads* heads) {
    puff_over_rows(kernels, backward, heads, heads->rows);
}
