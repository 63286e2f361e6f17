/* A field of bytes, scaled to 0..1. */
static inline void policy_bytes(const unsigned char* bytes, int count, int feature, float* hidden) {
    for (int i = 0; i < count; i++) {
        if (bytes[i]) policy_feature(feature + i, (float)bytes[i] / 255, hidden);
    }
}
