/* The cells of a map: each becomes a few numbers, the sum of what the classes of its facts become,
 * `kinds` (classes of all facts, POLICY_EMBEDDING); what these mean where it is, `places` (cells,
 * POLICY_EMBEDDING, POLICY_HIDDEN) say. Each fact about the cells lies by itself. */
static inline void policy_cells(const unsigned char* bytes, int cells, int facts,
                                const int* offsets, const int* classes, const float* kinds,
                                const float* places, float* hidden) {
    for (int i = 0; i < cells; i++) {
        float seen[POLICY_EMBEDDING] = {0};
        for (int k = 0, first = 0; k < facts; first += classes[k++]) {
            const int category = bytes[offsets[k] + i];
            if (category >= classes[k]) continue;
            const float* own = kinds + (first + category) * POLICY_EMBEDDING;
            for (int j = 0; j < POLICY_EMBEDDING; j++) seen[j] += own[j];
        }
        const float* here = places + i * POLICY_EMBEDDING * POLICY_HIDDEN;
        policy_multiply(here, seen, POLICY_EMBEDDING, POLICY_HIDDEN, hidden);
    }
}
