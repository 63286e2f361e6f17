/* A field of categories, one-hot. A byte that is no category counts as none of them. */
static inline void policy_categories(const unsigned char* bytes, int count, int classes,
                                     int feature, float* hidden) {
    for (int i = 0; i < count; i++) {
        if (bytes[i] < classes) policy_feature(feature + i * classes + bytes[i], 1, hidden);
    }
}
