/* Layers of LSTM: the memory of a layer is its last output, then its cells. */
static inline void policy_remember(policy_state* state, float* hidden) {
    for (int layer = 0; layer < POLICY_LAYERS; layer++) {
        float* last = state->memory + 2 * layer * POLICY_HIDDEN;
        float* cells = last + POLICY_HIDDEN;
        const int matrix = layer * 4 * POLICY_HIDDEN * POLICY_HIDDEN;
        float gates[4 * POLICY_HIDDEN];
        for (int i = 0; i < 4 * POLICY_HIDDEN; i++) {
            gates[i] = policy_inputs_bias[layer * 4 * POLICY_HIDDEN + i];
        }
        policy_multiply(policy_inputs_weight + matrix, hidden, POLICY_HIDDEN, 4 * POLICY_HIDDEN,
                        gates);
        policy_multiply(policy_recurrent_weight + matrix, last, POLICY_HIDDEN, 4 * POLICY_HIDDEN,
                        gates);
        for (int i = 0; i < POLICY_HIDDEN; i++) {
            const float into = policy_sigmoid(gates[i]);
            const float forget = policy_sigmoid(gates[POLICY_HIDDEN + i]);
            const float out = policy_sigmoid(gates[3 * POLICY_HIDDEN + i]);
            cells[i] = forget * cells[i] + into * tanhf(gates[2 * POLICY_HIDDEN + i]);
            last[i] = hidden[i] = out * tanhf(cells[i]);
        }
    }
}
