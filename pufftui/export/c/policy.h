/* What an agent remembers from step to step; each agent has one. */
typedef struct {
    float memory[POLICY_MEMORY];
} policy_state;

/* Forgets everything: call it before the first step of every episode. */
static inline void policy_reset(policy_state* state) {
    for (int i = 0; i < POLICY_MEMORY; i++) state->memory[i] = 0;
}

/* Adds the product of a vector and a matrix (inputs, outputs). */
static inline void policy_multiply(const float* matrix, const float* vector, int inputs,
                                   int outputs, float* sums) {
    for (int i = 0; i < inputs; i++) {
        const float factor = vector[i];
        for (int j = 0; j < outputs; j++) sums[j] += factor * matrix[i * outputs + j];
    }
}

static inline float policy_sigmoid(float x) {
    return 0.5f * (tanhf(0.5f * x) + 1);
}

/* GELU in its tanh form. */
static inline float policy_gelu(float x) {
    return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
}

/* Adds `value` times the encoder's weights of one feature. */
static inline void policy_feature(int feature, float value, float* hidden) {
    const float* weight = policy_encoder_weight + feature * POLICY_HIDDEN;
    for (int i = 0; i < POLICY_HIDDEN; i++) hidden[i] += value * weight[i];
}
