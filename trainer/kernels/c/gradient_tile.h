/* gradient_tile.h: some segments on their way through the network and back. */
#ifndef PUFF_GRADIENT_TILE_H
#define PUFF_GRADIENT_TILE_H

#include "gradient_plan.h"

/* Columns that are added up at a time. */
enum { COLUMNS = 1024 };

/* Some segments on their way: where they begin, and what is worked with. */
typedef struct {
    const plan* all;
    const bench* own;
    puff_features features;
    int64_t first, segments, rows;
    float* gradient; /* of their part */
    double* sums;
} tile;

static uint8_t* inputs_of(const tile* some, int64_t layer) {
    return some->own->inputs + (size_t)layer * some->all->layer;
}

static void encode(const tile* some) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const bench* own = some->own;
    if (work->lookup) {
        puff_lookup lookup = *work->lookup;
        lookup.features = &some->features;
        lookup.results = own->before;
        puff_lookup_rows(&lookup, 0, some->rows);
    } else {
        puff_feature_rows(&some->features, 0, some->rows);
        const puff_product product = {
            .inputs = own->features,
            .rows = some->rows,
            .width = all->width,
            .packed = all->encoder_weights,
            .outputs = work->hidden,
            .bf16 = work->bf16,
            .biases = all->biases,
            .results = own->before,
        };
        multiply(&product, 0, some->rows);
    }
    const puff_gelu gelu = {
        .bf16 = work->bf16, .inputs = own->before, .outputs = inputs_of(some, 0)};
    puff_gelu_numbers(&gelu, 0, some->rows * work->hidden);
}

/* The layer of that number, as its kernels want it. */
static puff_mingru layer_of(const tile* some, int64_t layer) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const bench* own = some->own;
    return (puff_mingru){
        .steps = all->steps,
        .rows = some->segments,
        .width = work->hidden,
        .bf16 = work->bf16,
        .gates = own->gates + (size_t)(3 * layer) * all->layer,
        .inputs = inputs_of(some, layer),
        .resets = own->resets,
        .initial = own->initial + layer * all->segments * work->hidden,
        .states = own->states + layer * all->rows * work->hidden,
        .outputs = inputs_of(some, layer + 1),
    };
}

/* Brings what the memory begins with, and where it is cleared, together. */
static void recall(const tile* some) {
    const puff_gradient* work = some->all->work;
    const puff_ppo* loss = work->loss;
    const int64_t hidden = work->hidden;
    const int64_t* agents = loss->indices + some->first;
    for (int64_t step = 0; step < loss->steps; step++) {
        for (int64_t i = 0; i < some->segments; i++) {
            some->own->resets[step * some->segments + i] =
                work->resets[step * loss->agents + agents[i]];
        }
    }
    for (int64_t layer = 0; layer < work->layers; layer++) {
        float* to = some->own->initial + layer * some->all->segments * hidden;
        for (int64_t i = 0; i < some->segments; i++) {
            memcpy(to + i * hidden, work->state + (layer * loss->agents + agents[i]) * hidden,
                   (size_t)hidden * sizeof *to);
        }
    }
}

static void remember(const tile* some) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const int64_t hidden = work->hidden, gates = 3 * hidden;
    const size_t bytes = packed_bytes(hidden, gates, work->bf16);
    if (work->layers) recall(some);
    for (int64_t layer = 0; layer < work->layers; layer++) {
        const puff_mingru step = layer_of(some, layer);
        const puff_product product = {
            .inputs = step.inputs,
            .rows = some->rows,
            .width = hidden,
            .packed = all->gate_weights + (size_t)layer * bytes,
            .outputs = gates,
            .bf16 = work->bf16,
            .biases = all->biases + hidden + layer * gates,
            .results = (void*)(uintptr_t)step.gates,
        };
        multiply(&product, 0, some->rows);
        puff_mingru_rows(&step, 0, some->segments);
    }
}

/* Heads, loss, and the gradient of what the heads read; those of their own weights are added. */
static void judge(const tile* some) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const bench* own = some->own;
    const int64_t hidden = work->hidden, outputs = work->outputs;
    float* const weights = some->gradient + all->heads;
    const puff_heads heads = {
        .rows = some->rows,
        .width = hidden,
        .outputs = outputs,
        .bf16 = work->bf16,
        .inputs = inputs_of(some, work->layers),
        .weights = parameter(work, 2 + 2 * work->layers),
        .biases = parameter(work, 3 + 2 * work->layers),
        .results = own->heads,
        .result_gradients = own->head_gradients,
        .input_gradients = own->incoming,
        .weight_gradients = weights,
        .bias_gradients = weights + outputs * hidden,
    };
    puff_head_rows(&heads, 0, some->rows);
    puff_ppo loss = *work->loss;
    loss.segments = some->segments;
    loss.indices += some->first;
    loss.weights += some->first;
    loss.heads = own->heads;
    loss.ratios = own->ratios;
    loss.values = own->values;
    loss.head_gradients = own->head_gradients;
    loss.log_std_gradients = weights + outputs * (hidden + 1);
    puff_loss_rows(&loss, some->sums);
    puff_head_back_rows(&heads, 0, some->rows);
    for (int64_t step = 0; step < loss.steps; step++) {
        const int64_t from = step * some->segments;
        const int64_t to = step * work->loss->segments + some->first;
        const size_t bytes = (size_t)some->segments * sizeof(float);
        memcpy(work->loss->ratios + to, own->ratios + from, bytes);
        memcpy(work->loss->values + to, own->values + from, bytes);
    }
}

/* Numbers (rows, count) become (count, rows); rows are whole multiples of FULL_ROWS. */
static void turn(const uint8_t* from, int64_t rows, int64_t count, int bf16, uint8_t* to) {
    const int64_t whole = count / VECTOR * VECTOR, each = bf16 ? 2 : 1;
    const int64_t number = bf16 ? sizeof(uint16_t) : sizeof(float);
    for (int64_t row = 0; row < rows; row += VECTOR * each) {
        for (int64_t i = 0; i < whole; i += VECTOR) {
            const uint8_t* square = from + (row * count + i) * number;
            uint32_t pairs[VECTOR][VECTOR];
            for (int64_t k = 0; bf16 && k < VECTOR; k++) {
                const uint16_t* low = (const uint16_t*)(const void*)square + 2 * k * count;
                for (int o = 0; o < VECTOR; o++) {
                    pairs[k][o] = low[o] | (uint32_t)low[count + o] << 16;
                }
            }
            transpose(bf16 ? (const void*)pairs : square,
                      bf16 ? (int64_t)sizeof pairs[0] : count * number,
                      to + (i * rows + row) * number, rows * number);
        }
    }
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = whole; i < count; i++) {
            memcpy(to + (i * rows + row) * number, from + (row * count + i) * number,
                   (size_t)number);
        }
    }
}

INLINE void add_columns(const void* numbers, int64_t rows, int64_t count, float* restrict sums,
                        int bf16) {
    float part[COLUMNS];
    for (int64_t first = 0; first < count; first += COLUMNS) {
        const int64_t some = count - first < COLUMNS ? count - first : COLUMNS;
        for (int64_t row = 0; row < rows; row++) {
            load(part, numbers, row * count + first, some, bf16);
            for (int64_t i = 0; i < some; i++) sums[first + i] += part[i];
        }
    }
}

/* Adds what a layer with these inputs (rows, width) and this gradient of its results (rows,
 * outputs) gives: weights (outputs, width), then biases. */
static void add_layer(const tile* some, uint8_t* inputs, int64_t width, uint8_t* results,
                      int64_t outputs, float* gradient) {
    const plan* all = some->all;
    const int bf16 = all->work->bf16;
    const int64_t rows = filled_up(some->rows), more = rows - some->rows;
    memset(inputs + numbers_of(all, some->rows * width), 0, numbers_of(all, more * width));
    memset(results + numbers_of(all, some->rows * outputs), 0, numbers_of(all, more * outputs));
    const puff_weights weights = {
        .numbers = inputs,
        .outputs = width,
        .output_stride = 1,
        .inputs = rows,
        .input_stride = width,
        .bf16 = bf16,
        .packed = some->own->packed,
    };
    pack_panels(&weights, 0, 0, panels_of(width));
    turn(results, rows, outputs, bf16, some->own->turned);
    const puff_product product = {
        .inputs = some->own->turned,
        .rows = outputs,
        .width = rows,
        .packed = some->own->packed,
        .outputs = width,
        .bf16 = bf16,
        .totals = gradient,
    };
    multiply(&product, 0, outputs);
    if (bf16) {
        add_columns(results, some->rows, outputs, gradient + outputs * width, 1);
    } else {
        add_columns(results, some->rows, outputs, gradient + outputs * width, 0);
    }
}

/* From the last layer of the memory to the first; returns the gradient of what that one reads. */
static uint8_t* go_back(const tile* some) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const bench* own = some->own;
    const int64_t hidden = work->hidden, gates = 3 * hidden;
    const size_t bytes = packed_bytes(gates, hidden, work->bf16);
    uint8_t *incoming = own->incoming, *outgoing = own->outgoing;
    for (int64_t layer = work->layers - 1; layer >= 0; layer--) {
        puff_mingru step = layer_of(some, layer);
        step.output_gradients = incoming;
        step.gate_gradients = own->gate_gradients;
        step.input_gradients = outgoing;
        puff_mingru_back_rows(&step, 0, some->segments);
        add_layer(some, inputs_of(some, layer), hidden, own->gate_gradients, gates,
                  some->gradient + all->encoder + layer * gates * (hidden + 1));
        const puff_product product = {
            .inputs = own->gate_gradients,
            .rows = some->rows,
            .width = gates,
            .packed = all->gate_weights_back + (size_t)layer * bytes,
            .outputs = hidden,
            .bf16 = work->bf16,
            .addend = outgoing,
            .alpha = 1,
            .beta = 1,
            .results = incoming,
        };
        multiply(&product, 0, some->rows);
    }
    return incoming;
}

static void add_encoder(const tile* some, uint8_t* incoming) {
    const plan* all = some->all;
    const puff_gradient* work = all->work;
    const bench* own = some->own;
    const puff_gelu gelu = {
        .bf16 = work->bf16,
        .inputs = own->before,
        .output_gradients = incoming,
        .input_gradients = incoming,
    };
    puff_gelu_back_numbers(&gelu, 0, some->rows * work->hidden);
    if (!work->lookup) {
        add_layer(some, own->features, all->width, incoming, work->hidden, some->gradient);
        return;
    }
    puff_lookup lookup = *work->lookup;
    lookup.features = &some->features;
    lookup.result_gradients = incoming;
    lookup.table_gradients = some->gradient;
    lookup.bias_gradients = some->gradient + work->features->width * all->stride;
    lookup.links = own->links;
    puff_lookup_back(&lookup);
}

#endif
