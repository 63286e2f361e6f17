/* A square grid of categories through a convolution of 3 x 3 cells with weights (channels, classes,
 * 3, 3); outside of it there is nothing. */
static inline void policy_grid(const unsigned char* bytes, int side, int classes,
                               const float* weight, const float* bias, int feature, float* hidden) {
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            for (int c = 0; c < POLICY_CHANNELS; c++) {
                float sum = bias[c];
                for (int i = 0; i < 9; i++) {
                    const int row = y + i / 3 - 1, column = x + i % 3 - 1;
                    if (row < 0 || row >= side || column < 0 || column >= side) continue;
                    const int category = bytes[row * side + column];
                    if (category < classes) sum += weight[(c * classes + category) * 9 + i];
                }
                policy_feature(feature + (c * side + y) * side + x, policy_gelu(sum), hidden);
            }
        }
    }
}
