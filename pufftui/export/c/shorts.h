/* An element of a field of 16-bit whole numbers, which may lie at any address. */
static inline float policy_shorts(const unsigned char* bytes, int i) {
    short value;
    for (unsigned k = 0; k < sizeof value; k++) {
        ((unsigned char*)&value)[k] = bytes[(unsigned)i * sizeof value + k];
    }
    return (float)value;
}
