package cluster_test

import (
	"math/rand/v2"
	"testing"

	"dfinery-kafka/pipeline/cluster"

	"github.com/segmentio/kafka-go"
)

// TestMurmur2EqualsJava compares hashes and partitions of 12 with those that Utils.murmur2 and
// Utils.toPositive of kafka-clients 4.3.0 printed.
func TestMurmur2EqualsJava(t *testing.T) {
	for _, golden := range []struct {
		key       string
		hash      uint32
		partition int
	}{
		{"", 275646681, 9},
		{"a", 2731586172, 4},
		{"ab", 316155434, 2},
		{"abc", 479470107, 3},
		{"abcd", 2971317748, 8},
		{"21", 3321034988, 0},
		{"foobar", 3504634814, 6},
		{"df_unified_id", 478665849, 9},
		{"0b3c1e0e-7e4d-4a53-9d0e-6f6d5d1d2c3b", 2700225660, 4},
		{"한국어", 790120414, 10},
		{"naïve", 452640081, 9},
		{"日本", 3594156275, 3},
		{"🙂", 925250799, 3},
		{"a-little-bit-long-string", 3308985760, 8},
		{"\x00", 375494588, 8},
		{"\xff\xfe\x80\x01\x90", 1747453496, 8},
	} {
		if got := cluster.Murmur2([]byte(golden.key)); got != golden.hash {
			t.Errorf("Murmur2(%q) = %d, Java's is %d", golden.key, got, golden.hash)
		}
		if got := cluster.PartitionOf([]byte(golden.key), 12); got != golden.partition {
			t.Errorf("PartitionOf(%q, 12) = %d, Java's is %d", golden.key, got, golden.partition)
		}
	}
}

func TestPartitionOfEqualsKafkaGo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	balancer := kafka.Murmur2Balancer{Consistent: true}
	for range 2000 {
		key := make([]byte, 1+random.IntN(40))
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		partitions := make([]int, 1+random.IntN(50))
		for i := range partitions {
			partitions[i] = i
		}
		if got, want := cluster.PartitionOf(key, len(partitions)), balancer.Balance(kafka.Message{Key: key}, partitions...); got != want {
			t.Fatalf("PartitionOf(%x, %d) = %d, kafka-go's is %d", key, len(partitions), got, want)
		}
	}
}

func TestPartitionOfAllocatesNothing(t *testing.T) {
	key := []byte("0b3c1e0e-7e4d-4a53-9d0e-6f6d5d1d2c3b")
	if n := testing.AllocsPerRun(100, func() { cluster.PartitionOf(key, 6) }); n != 0 {
		t.Errorf("%v allocations a key", n)
	}
}

func BenchmarkPartitionOf(b *testing.B) {
	key := []byte("0b3c1e0e-7e4d-4a53-9d0e-6f6d5d1d2c3b")
	b.ReportAllocs()
	for b.Loop() {
		cluster.PartitionOf(key, 6)
	}
}
