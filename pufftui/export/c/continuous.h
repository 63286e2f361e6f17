/* What the policy thinks of an observation: the mean and the standard deviation of every action,
 * and what it expects to earn from here on. */
typedef struct {
    float mean[POLICY_OUTPUTS];
    float std[POLICY_OUTPUTS];
    float value;
} policy_output;

/* One decision: reads POLICY_OBSERVATION_BYTES, changes the state, fills in the output. */
static inline void policy_step(policy_state* state, const void* observation,
                               policy_output* output) {
    float heads[POLICY_OUTPUTS + 1];
    policy_heads(state, (const unsigned char*)observation, heads);
    for (int i = 0; i < POLICY_OUTPUTS; i++) {
        output->mean[i] = heads[i];
        output->std[i] = expf(policy_log_std[i]);
    }
    output->value = heads[POLICY_OUTPUTS];
}

/* Chooses POLICY_ACTIONS actions. `random` has POLICY_RANDOMS numbers drawn evenly from [0, 1), two
 * for each action; with NULL the means are taken. As in training, nothing is clipped. */
static inline void policy_act(const policy_output* output, const float* random, float* actions) {
    for (int i = 0; i < POLICY_ACTIONS; i++) {
        actions[i] = output->mean[i];
        if (random) { /* Box and Muller's way to a normal number */
            const float radius = sqrtf(-2 * logf(1 - random[2 * i]));
            actions[i] += output->std[i] * radius * cosf(6.2831853f * random[2 * i + 1]);
        }
    }
}
