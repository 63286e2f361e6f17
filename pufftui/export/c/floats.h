/* An element of a field of float32, which may lie at any address. */
static inline float policy_floats(const unsigned char* bytes, int i) {
    float value;
    for (unsigned k = 0; k < sizeof value; k++) {
        ((unsigned char*)&value)[k] = bytes[(unsigned)i * sizeof value + k];
    }
    return value;
}
