/* Layers of MinGRU, each beside a highway that passes its input on. */
static inline void policy_remember(policy_state* state, float* hidden) {
    for (int layer = 0; layer < POLICY_LAYERS; layer++) {
        float* memory = state->memory + layer * POLICY_HIDDEN;
        float gates[3 * POLICY_HIDDEN];
        for (int i = 0; i < 3 * POLICY_HIDDEN; i++) {
            gates[i] = policy_gates_bias[layer * 3 * POLICY_HIDDEN + i];
        }
        policy_multiply(policy_gates_weight + layer * 3 * POLICY_HIDDEN * POLICY_HIDDEN, hidden,
                        POLICY_HIDDEN, 3 * POLICY_HIDDEN, gates);
        for (int i = 0; i < POLICY_HIDDEN; i++) {
            const float candidate = gates[i];
            const float gate = policy_sigmoid(gates[POLICY_HIDDEN + i]);
            const float passed = policy_sigmoid(gates[2 * POLICY_HIDDEN + i]);
            const float positive = candidate > 0 ? candidate + 0.5f : policy_sigmoid(candidate);
            memory[i] = (1 - gate) * memory[i] + gate * positive;
            hidden[i] = passed * memory[i] + (1 - passed) * hidden[i];
        }
    }
}
