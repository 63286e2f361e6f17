/* A map of categories through a convolution of 3 x 3 cells with weights (channels, classes of all
 * facts, 3, 3); outside of it there is nothing. Each fact about the cells lies by itself. */
static inline void policy_grid(const unsigned char* bytes, int rows, int columns, int facts,
                               const int* offsets, const int* classes, const float* weight,
                               const float* bias, int feature, float* hidden) {
    int all = 0;
    for (int k = 0; k < facts; k++) all += classes[k];
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            float sums[POLICY_CHANNELS];
            for (int c = 0; c < POLICY_CHANNELS; c++) sums[c] = bias[c];
            for (int i = 0; i < 9; i++) {
                const int row = y + i / 3 - 1, column = x + i % 3 - 1;
                if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
                for (int k = 0, first = 0; k < facts; first += classes[k++]) {
                    const int category = bytes[offsets[k] + row * columns + column];
                    if (category >= classes[k]) continue;
                    const float* own = weight + (first + category) * 9 + i;
                    for (int c = 0; c < POLICY_CHANNELS; c++) sums[c] += own[c * all * 9];
                }
            }
            for (int c = 0; c < POLICY_CHANNELS; c++) {
                const int place = feature + (c * rows + y) * columns + x;
                policy_feature(place, policy_gelu(sums[c]), hidden);
            }
        }
    }
}
