/* A field of numbers, taken as `read` gives them. */
static inline void policy_numbers(float (*read)(const unsigned char*, int),
                                  const unsigned char* bytes, int count, int feature,
                                  float* hidden) {
    for (int i = 0; i < count; i++) {
        const float value = read(bytes, i);
        if (value != 0) policy_feature(feature + i, value, hidden);
    }
}
