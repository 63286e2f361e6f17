/* What the policy thinks of an observation. `logits` has the choices of the first action, then
 * those of the next; `value` is what it expects to earn from here on. */
typedef struct {
    float logits[POLICY_OUTPUTS];
    float value;
} policy_output;

/* One decision: reads POLICY_OBSERVATION_BYTES, changes the state, fills in the output. */
static inline void policy_step(policy_state* state, const void* observation,
                               policy_output* output) {
    float heads[POLICY_OUTPUTS + 1];
    policy_heads(state, (const unsigned char*)observation, heads);
    for (int i = 0; i < POLICY_OUTPUTS; i++) output->logits[i] = heads[i];
    output->value = heads[POLICY_OUTPUTS];
}

/* Chooses POLICY_ACTIONS actions, each a number from 0. `random` has POLICY_RANDOMS numbers drawn
 * evenly from [0, 1); with NULL the likeliest choices are taken. */
static inline void policy_act(const policy_output* output, const float* random, int* actions) {
    const float* logits = output->logits;
    for (int action = 0; action < POLICY_ACTIONS; action++) {
        const int choices = policy_choices[action];
        int best = 0;
        for (int i = 1; i < choices; i++) {
            if (logits[i] > logits[best]) best = i;
        }
        actions[action] = best;
        if (random) {
            float total = 0, below = 0;
            int chosen = 0;
            for (int i = 0; i < choices; i++) total += expf(logits[i] - logits[best]);
            for (; chosen < choices - 1; chosen++) {
                below += expf(logits[chosen] - logits[best]);
                if (below > random[action] * total) break;
            }
            actions[action] = chosen;
        }
        logits += choices;
    }
}
