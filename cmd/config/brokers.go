package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Brokers are addresses of the form host:port.
type Brokers []string

// Decode implements envconfig.Decoder. Every wrong address is an error. If the value may
// contain a password, which commas may have split, errors do not repeat addresses but give
// their numbers.
func (b *Brokers) Decode(value string) error {
	var list List
	twice := list.Decode(value)
	if len(list) == 0 {
		return errors.New("names no broker: for example kafka-1:9092,kafka-2:9092")
	}
	var faults []error
	if strings.Contains(value, "@") {
		faults = append(faults, errors.New("must contain only host:port: set the user in KAFKA_SASL_USERNAME"))
		for i, address := range list {
			if !strings.Contains(address, "@") && wrongBroker(address) != nil {
				faults = append(faults, fmt.Errorf("number %d is not of the form host:port", i+1))
			}
		}
		return errors.Join(faults...)
	}
	faults = append(faults, twice)
	for _, address := range list {
		faults = append(faults, wrongBroker(address))
	}
	*b = Brokers(list)
	return errors.Join(faults...)
}

// wrongBroker returns what is wrong with an address.
func wrongBroker(address string) error {
	if _, after, ok := strings.Cut(address, "://"); ok {
		return fmt.Errorf("must hold host:port only: write %s", after)
	}
	if host, port, err := net.SplitHostPort(address); err == nil && validHost(host) && validPort(port) {
		return nil
	}
	if !strings.ContainsAny(address, ":[] ") {
		return fmt.Errorf("%q has no port: write %s:9092 if that is where it listens", address, address)
	}
	return fmt.Errorf("%q is not of the form host:port, such as kafka-1:9092 or [::1]:9092", address)
}

// Local reports whether all brokers are on this machine.
func (b Brokers) Local() bool {
	for _, address := range b {
		if host, _, err := net.SplitHostPort(address); err != nil || !loopback(host) {
			return false
		}
	}
	return true
}
