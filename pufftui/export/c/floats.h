/* A field of float32 numbers, taken as they are. It may lie at any address. */
static inline void policy_floats(const unsigned char* bytes, int count, int feature,
                                 float* hidden) {
    for (int i = 0; i < count; i++) {
        float value;
        for (unsigned k = 0; k < sizeof value; k++) {
            ((unsigned char*)&value)[k] = bytes[(unsigned)i * sizeof value + k];
        }
        policy_feature(feature + i, value, hidden);
    }
}
