/* An element of a field of bytes, scaled to 0..1. */
static inline float policy_bytes(const unsigned char* bytes, int i) {
    return (float)bytes[i] / 255;
}
