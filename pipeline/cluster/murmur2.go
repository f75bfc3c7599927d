package cluster

import "encoding/binary"

// Murmur2 is the 32-bit MurmurHash2 with the seed of Kafka's Java client
// (org.apache.kafka.common.utils.Utils.murmur2).
func Murmur2(key []byte) uint32 {
	const m = 0x5bd1e995
	h := 0x9747b28c ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// PartitionOf is the partition, among n, that Kafka's Java clients choose for a key, so that
// all producers write a key to the same partition.
func PartitionOf(key []byte, n int) int {
	return int(Murmur2(key)&0x7fffffff) % n
}
