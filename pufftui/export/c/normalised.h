/* A field of numbers, brought to size one and cut off at 10, but for those that are left as they
 * are; `first` is the place of its first number among all such. */
static inline void policy_normalised(float (*read)(const unsigned char*, int),
                                     const unsigned char* bytes, int count, int first, int feature,
                                     float* hidden) {
    for (int i = 0; i < count; i++) {
        const float shift = policy_shifts[first + i], scale = policy_scales[first + i];
        const float limit = shift == 0 && scale == 1 ? HUGE_VALF : 10;
        const float value = read(bytes, i);
        float moved = (value - shift) * scale;
        moved = moved > limit ? limit : moved < -limit ? -limit : moved;
        /* What is not finite becomes NaN. */
        policy_feature(feature + i, moved + (value - value), hidden);
    }
}
