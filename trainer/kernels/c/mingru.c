/* mingru.c: gates and scan of a MinGRU layer, forward and backward; formulas in kernels.h. */
#include "numbers.h"
#include "parallel.h"

enum { TILE = 64 }; /* channels worked on at a time: a few vector registers, all in cache */

/* x + 1/2 for x >= 0, else sigmoid(x), without a branch. */
INLINE float positive_candidate(float x) {
    const float size = fabsf(x);
    return 0.5f * (x + size) + sigmoid(0.5f * (x - size));
}

/* Inlined twice, with `bf16` known, so that each version is straight vector code. */
INLINE void mingru_forward_rows(const puff_mingru* layer, int64_t first, int64_t end, int bf16) {
    const int64_t width = layer->width, rows = layer->rows;
    float candidate[TILE], gate[TILE], highway[TILE], input[TILE], output[TILE], h[TILE];
    for (int64_t row = first; row < end; row++) {
        for (int64_t channel = 0; channel < width; channel += TILE) {
            const int64_t count = width - channel < TILE ? width - channel : TILE;
            memcpy(h, layer->initial + row * width + channel, (size_t)count * sizeof(float));
            for (int64_t step = 0; step < layer->steps; step++) {
                const int64_t at = step * rows + row, here = at * width + channel;
                const int64_t gates = at * 3 * width + channel;
                if (layer->resets && layer->resets[at]) memset(h, 0, sizeof h);
                load(candidate, layer->gates, gates, count, bf16);
                load(gate, layer->gates, gates + width, count, bf16);
                load(highway, layer->gates, gates + 2 * width, count, bf16);
                load(input, layer->inputs, here, count, bf16);
                for (int64_t i = 0; i < count; i++) {
                    const float z = sigmoid(gate[i]);
                    const float s = sigmoid(highway[i]);
                    h[i] = (1 - z) * h[i] + z * positive_candidate(candidate[i]);
                    output[i] = s * h[i] + (1 - s) * input[i];
                }
                memcpy(layer->states + here, h, (size_t)count * sizeof(float));
                store(layer->outputs, here, output, count, bf16);
            }
        }
    }
}

INLINE void mingru_backward_rows(const puff_mingru* layer, int64_t first, int64_t end, int bf16) {
    const int64_t width = layer->width, rows = layer->rows;
    float candidate[TILE], gate[TILE], highway[TILE], input[TILE], incoming[TILE];
    float before[TILE], carried[TILE];
    for (int64_t row = first; row < end; row++) {
        for (int64_t channel = 0; channel < width; channel += TILE) {
            const int64_t count = width - channel < TILE ? width - channel : TILE;
            memset(carried, 0, sizeof carried);
            for (int64_t step = layer->steps - 1; step >= 0; step--) {
                const int64_t at = step * rows + row, here = at * width + channel;
                const int64_t gates = at * 3 * width + channel;
                const int reset = layer->resets && layer->resets[at];
                const float* after = layer->states + here;
                const float* last = step ? layer->states + here - rows * width
                                         : layer->initial + row * width + channel;
                if (reset) {
                    memset(before, 0, sizeof before);
                } else {
                    memcpy(before, last, (size_t)count * sizeof(float));
                }
                load(candidate, layer->gates, gates, count, bf16);
                load(gate, layer->gates, gates + width, count, bf16);
                load(highway, layer->gates, gates + 2 * width, count, bf16);
                load(input, layer->inputs, here, count, bf16);
                load(incoming, layer->output_gradients, here, count, bf16);
                for (int64_t i = 0; i < count; i++) {
                    const float z = sigmoid(gate[i]);
                    const float s = sigmoid(highway[i]);
                    const float f = positive_candidate(candidate[i]);
                    const float slope = candidate[i] >= 0 ? 1.0f : f * (1 - f);
                    const float dy = incoming[i];
                    const float dh = dy * s + carried[i];
                    highway[i] = dy * (after[i] - input[i]) * s * (1 - s);
                    input[i] = dy * (1 - s);
                    candidate[i] = dh * z * slope;
                    gate[i] = dh * (f - before[i]) * z * (1 - z);
                    carried[i] = reset ? 0.0f : dh * (1 - z);
                }
                store(layer->gate_gradients, gates, candidate, count, bf16);
                store(layer->gate_gradients, gates + width, gate, count, bf16);
                store(layer->gate_gradients, gates + 2 * width, highway, count, bf16);
                store(layer->input_gradients, here, input, count, bf16);
            }
        }
    }
}

void puff_mingru_rows(const puff_mingru* layer, int64_t first, int64_t end) {
    if (layer->bf16) {
        mingru_forward_rows(layer, first, end, 1);
    } else {
        mingru_forward_rows(layer, first, end, 0);
    }
}

void puff_mingru_back_rows(const puff_mingru* layer, int64_t first, int64_t end) {
    if (layer->bf16) {
        mingru_backward_rows(layer, first, end, 1);
    } else {
        mingru_backward_rows(layer, first, end, 0);
    }
}

static void forward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_mingru_rows(job, first, end);
}
static void backward(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_mingru_back_rows(job, first, end);
}

PUFF_KERNEL void puff_mingru_forward(puff_kernels* kernels, const puff_mingru* layer) {
    puff_over_rows(kernels, forward, layer, layer->rows);
}

PUFF_KERNEL void puff_mingru_backward(puff_kernels* kernels, const puff_mingru* layer) {
    puff_over_rows(kernels, backward, layer, layer->rows);
}
