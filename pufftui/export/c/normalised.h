/* A field of float32 numbers, brought to mean 0 and deviation 1 and cut off at 10 deviations. It
 * may lie at any address; `first` is the place of its first number among all such. */
static inline void policy_normalised(const unsigned char* bytes, int count, int first, int feature,
                                     float* hidden) {
    for (int i = 0; i < count; i++) {
        float value, moved;
        for (unsigned k = 0; k < sizeof value; k++) {
            ((unsigned char*)&value)[k] = bytes[(unsigned)i * sizeof value + k];
        }
        moved = (value - policy_shifts[first + i]) * policy_scales[first + i];
        moved = moved > 10 ? 10 : moved < -10 ? -10 : moved;
        /* What is not finite becomes NaN. */
        policy_feature(feature + i, moved + (value - value), hidden);
    }
}
