/* kernels.c: see kernels.h. */
#include "kernels.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum {
    MAX_THREADS = 64,
    TILE = 64, /* channels worked on at a time: a few vector registers, all in cache */
};

/* A call that is not inlined keeps the loop around it from becoming vector code. */
#define INLINE __attribute__((always_inline)) static inline

/* ---- numbers ---- */

INLINE float from_bf16(uint16_t number) {
    const uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to nearest, ties to even. */
INLINE uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
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
        for (int64_t i = 0; i < count; i++) numbers[i] = to_bf16(from[i]);
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

INLINE float sigmoid(float x) {
    return 1.0f / (1.0f + exponential(-x));
}

/* x + 1/2 for x >= 0, else sigmoid(x), without a branch. */
INLINE float positive_candidate(float x) {
    const float size = fabsf(x);
    return 0.5f * (x + size) + sigmoid(0.5f * (x - size));
}

/* ---- threads ---- */

typedef void (*row_function)(const void* job, int64_t first, int64_t end);

typedef struct {
    row_function function;
    const void* job;
    int64_t first;
    int64_t end;
} share;

static void* run_share(void* argument) {
    const share* own = argument;
    own->function(own->job, own->first, own->end);
    return NULL;
}

/* Calls `function` on disjoint ranges of rows that cover all of them. A thread costs some 20 us to
 * start, the work on its rows milliseconds. */
static void over_rows(row_function function, const void* job, int64_t rows, int threads) {
    share shares[MAX_THREADS];
    pthread_t handles[MAX_THREADS];
    int started[MAX_THREADS] = {0};
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > rows) threads = (int)rows;
    if (threads < 1) threads = 1;
    for (int i = 0; i < threads; i++) {
        shares[i] = (share){function, job, rows * i / threads, rows * (i + 1) / threads};
    }
    for (int i = 1; i < threads; i++) {
        started[i] = pthread_create(&handles[i], NULL, run_share, &shares[i]) == 0;
    }
    run_share(&shares[0]);
    for (int i = 1; i < threads; i++) {
        if (started[i]) {
            pthread_join(handles[i], NULL);
        } else {
            run_share(&shares[i]);
        }
    }
}

/* ---- MinGRU ---- */

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
                const float keep = reset ? 0.0f : 1.0f;
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
                    carried[i] = dh * (1 - z) * keep;
                }
                store(layer->gate_gradients, gates, candidate, count, bf16);
                store(layer->gate_gradients, gates + width, gate, count, bf16);
                store(layer->gate_gradients, gates + 2 * width, highway, count, bf16);
                store(layer->input_gradients, here, input, count, bf16);
            }
        }
    }
}

static void forward_float(const void* job, int64_t first, int64_t end) {
    mingru_forward_rows(job, first, end, 0);
}
static void forward_bf16(const void* job, int64_t first, int64_t end) {
    mingru_forward_rows(job, first, end, 1);
}
static void backward_float(const void* job, int64_t first, int64_t end) {
    mingru_backward_rows(job, first, end, 0);
}
static void backward_bf16(const void* job, int64_t first, int64_t end) {
    mingru_backward_rows(job, first, end, 1);
}

__attribute__((visibility("default"))) void puff_mingru_forward(const puff_mingru* layer) {
    over_rows(layer->bf16 ? forward_bf16 : forward_float, layer, layer->rows, layer->threads);
}

__attribute__((visibility("default"))) void puff_mingru_backward(const puff_mingru* layer) {
    over_rows(layer->bf16 ? backward_bf16 : backward_float, layer, layer->rows, layer->threads);
}

/* ---- advantages ---- */

__attribute__((visibility("default"))) void puff_advantages(const puff_advantage* batch) {
    const int64_t rows = batch->rows;
    for (int64_t step = batch->steps - 1; step >= 0; step--) {
        const int64_t at = step * rows;
        const float* after = step + 1 < batch->steps ? batch->advantages + at + rows : NULL;
        for (int64_t row = 0; row < rows; row++) {
            const int64_t i = at + row;
            const float alive = batch->terminals[i] ? 0.0f : 1.0f;
            const float flows = batch->truncations[i] ? 0.0f : alive;
            const float ratio = batch->ratios[i];
            const float rho = ratio < batch->rho_clip ? ratio : batch->rho_clip;
            const float c = ratio < batch->c_clip ? ratio : batch->c_clip;
            const float next =
                batch->truncations[i] ? batch->final_values[i] : batch->values[i + rows];
            const float delta =
                rho * (batch->rewards[i] + batch->gamma * alive * next - batch->values[i]);
            const float later = after ? after[row] : 0.0f;
            batch->advantages[i] = delta + batch->gamma * batch->gae_lambda * c * flows * later;
        }
    }
}
