/* This policy remembers nothing. */
static inline void policy_remember(policy_state* state, float* hidden) {
    (void)state;
    (void)hidden;
}
