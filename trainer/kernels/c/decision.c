/* decision.c: a whole decision, from observations to actions, in one pass over the agents.
 *
 * Where there are few agents, most of a decision's time is spent between the operations that it is
 * made of. Here a thread takes some agents from their observations to their actions; nobody waits
 * for anybody on the way, and what is in between stays in the cache.
 */
#include "parallel.h"
#include "products/product.h"

/* Agents that are worked on together: the weights are read once for all of them. */
enum { TILE = 32 };

PUFF_KERNEL int32_t puff_products_are_fast(void) {
    return VECTOR > 4 || PUFF_NEON;
}

PUFF_KERNEL int64_t puff_packed_size(int64_t inputs, int64_t outputs, int32_t bf16) {
    return (int64_t)packed_bytes(inputs, outputs, bf16);
}

PUFF_KERNEL void puff_pack_weights(puff_kernels* kernels, const puff_packing* packing) {
    const puff_weights weights = {
        .numbers = packing->weights,
        .outputs = packing->outputs,
        .output_stride = packing->inputs,
        .inputs = packing->inputs,
        .input_stride = 1,
        .bf16 = packing->bf16,
        .packed = packing->packed,
    };
    puff_over_rows(kernels, pack_panels, &weights, panels_of(packing->outputs));
}

/* Where a tile's numbers are on their way: a thread has one of each. */
typedef struct {
    uint8_t* features; /* (TILE, width) */
    uint8_t* encoded;  /* (TILE, hidden) */
    uint8_t* other;    /* (TILE, hidden) */
    uint8_t* gates;    /* (TILE, 3 * hidden) */
    float* state;      /* (TILE, hidden) of a state that must stay as it is */
    float* heads;      /* (TILE, outputs) */
} scratch;

/* Lays them out from `memory` on; returns the bytes that they take. */
static size_t lay_out(scratch* parts, uint8_t* memory, int64_t width, int64_t hidden,
                      int64_t outputs, int bf16) {
    const size_t number = TILE * (bf16 ? sizeof(uint16_t) : sizeof(float));
    const size_t features = in_lines(number * (size_t)width);
    const size_t one = in_lines(number * (size_t)hidden);
    const size_t state = in_lines(TILE * sizeof(float) * (size_t)hidden);
    parts->features = memory;
    parts->encoded = parts->features + features;
    parts->other = parts->encoded + one;
    parts->gates = parts->other + one;
    parts->state = (float*)(void*)(parts->gates + 3 * one);
    parts->heads = (float*)(void*)(parts->gates + 3 * one + state);
    return features + 5 * one + state + in_lines(TILE * sizeof(float) * (size_t)outputs);
}

PUFF_KERNEL int64_t puff_decision_scratch(int64_t width, int64_t hidden, int64_t outputs,
                                          int32_t bf16) {
    scratch parts;
    return PUFF_PARTIAL_SUMS * (int64_t)lay_out(&parts, NULL, width, hidden, outputs, bf16);
}

/* Features that the encoder multiplies. */
static int64_t multiplied(const puff_decision* decision) {
    return decision->lookup ? 0 : decision->features->width;
}

/* Encodes the tile's observations into `encoded`. */
static void encode(const puff_decision* decision, const scratch* parts, int64_t first,
                   int64_t rows) {
    puff_features features = *decision->features;
    features.agents = features.segments = rows;
    features.observations += first * features.bytes;
    features.outputs = parts->features;
    if (decision->lookup) {
        puff_lookup lookup = *decision->lookup;
        lookup.features = &features;
        lookup.results = parts->encoded;
        puff_lookup_rows(&lookup, 0, rows);
    } else {
        puff_feature_rows(&features, 0, rows);
        const puff_product product = {
            .inputs = parts->features,
            .rows = rows,
            .width = features.width,
            .packed = decision->weights,
            .outputs = decision->hidden,
            .bf16 = decision->bf16,
            .biases = decision->biases,
            .results = parts->encoded,
        };
        multiply(&product, 0, rows);
    }
    const puff_gelu gelu = {
        .bf16 = decision->bf16, .inputs = parts->encoded, .outputs = parts->encoded};
    puff_gelu_numbers(&gelu, 0, rows * decision->hidden);
}

/* Takes the tile through the layers of the memory; returns what the last one gives. */
static const void* remember(const puff_decision* decision, scratch* parts, int64_t first,
                            int64_t rows) {
    const int64_t hidden = decision->hidden, gates = 3 * hidden;
    const uint8_t* weights = decision->weights;
    weights += packed_bytes(multiplied(decision), hidden, decision->bf16);
    const float* biases = decision->biases + hidden;
    uint8_t *inputs = parts->encoded, *outputs = parts->other;
    for (int64_t layer = 0; layer < decision->layers; layer++) {
        const puff_product product = {
            .inputs = inputs,
            .rows = rows,
            .width = hidden,
            .packed = weights,
            .outputs = gates,
            .bf16 = decision->bf16,
            .biases = biases,
            .results = parts->gates,
        };
        multiply(&product, 0, rows);
        float* state = decision->state + (layer * decision->rows + first) * hidden;
        const puff_mingru step = {
            .steps = 1,
            .rows = rows,
            .width = hidden,
            .bf16 = decision->bf16,
            .gates = parts->gates,
            .inputs = inputs,
            .resets = decision->resets ? decision->resets + first : NULL,
            .initial = state,
            .states = decision->moves ? state : parts->state,
            .outputs = outputs,
        };
        puff_mingru_rows(&step, 0, rows);
        weights += packed_bytes(hidden, gates, decision->bf16);
        biases += gates;
        uint8_t* const last = inputs;
        inputs = outputs;
        outputs = last;
    }
    return inputs;
}

/* Draws continuous actions around their means. */
static void steer(const puff_decision* decision, const scratch* parts, int64_t first,
                  int64_t rows) {
    const int64_t components = decision->components;
    for (int64_t row = 0; row < rows; row++) {
        const float* means = parts->heads + row * decision->outputs;
        const int64_t at = (first + row) * components;
        float* controls = decision->controls + at;
        float log_probability = 0;
        for (int64_t i = 0; i < components; i++) {
            const float noise = decision->noise[at + i], log_std = decision->log_std[i];
            controls[i] = means[i] + noise * expf(log_std);
            log_probability -= 0.5f * noise * noise + log_std + HALF_LOG_TWO_PI;
        }
        decision->log_probabilities[first + row] = log_probability;
    }
}

static void choose(const puff_decision* decision, const scratch* parts, int64_t first,
                   int64_t rows) {
    const puff_sampling sampling = {
        .rows = rows,
        .stride = decision->outputs,
        .components = decision->components,
        .sizes = decision->sizes,
        .logits = parts->heads,
        .uniforms = decision->noise + first * decision->components,
        .actions = decision->actions + first * decision->components,
        .log_probabilities = decision->log_probabilities + first,
    };
    puff_sample_rows(&sampling, 0, rows);
}

static void decide_tile(const puff_decision* decision, scratch* parts, int64_t first,
                        int64_t rows) {
    encode(decision, parts, first, rows);
    const puff_heads heads = {
        .rows = rows,
        .width = decision->hidden,
        .outputs = decision->outputs,
        .bf16 = decision->bf16,
        .inputs = remember(decision, parts, first, rows),
        .weights = decision->head_weights,
        .biases = decision->head_biases,
        .results = parts->heads,
    };
    puff_head_rows(&heads, 0, rows);
    for (int64_t row = 0; row < rows; row++) {
        decision->values[first + row] = parts->heads[(row + 1) * decision->outputs - 1];
    }
    if (decision->actions) choose(decision, parts, first, rows);
    if (decision->controls) steer(decision, parts, first, rows);
}

void puff_decide_rows(const puff_decision* decision, int64_t block, int64_t first, int64_t end) {
    scratch parts;
    const int64_t width = multiplied(decision);
    const size_t size =
        lay_out(&parts, NULL, width, decision->hidden, decision->outputs, decision->bf16);
    lay_out(&parts, decision->scratch + (size_t)block * size, width, decision->hidden,
            decision->outputs, decision->bf16);
    for (int64_t row = first; row < end; row += TILE) {
        decide_tile(decision, &parts, row, end - row < TILE ? end - row : TILE);
    }
}

/* The work is dealt in groups of rows that fill the registers of a product. */
static void decide_groups(const void* job, int64_t block, int64_t first, int64_t end) {
    const puff_decision* decision = job;
    const int64_t last = end * PUFF_ROWS < decision->rows ? end * PUFF_ROWS : decision->rows;
    puff_decide_rows(decision, block, first * PUFF_ROWS, last);
}

PUFF_KERNEL void puff_decide(puff_kernels* kernels, const puff_decision* decision) {
    puff_over_rows(kernels, decide_groups, decision, (decision->rows + PUFF_ROWS - 1) / PUFF_ROWS);
}
