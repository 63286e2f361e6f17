/* An element of a field of bits, the lowest of each byte first. */
static inline float policy_bits(const unsigned char* bytes, int i) {
    return (float)(bytes[i / 8] >> i % 8 & 1);
}
