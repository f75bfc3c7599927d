package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Brokers are addresses of the form host:port.
type Brokers []string

// Decode implements envconfig.Decoder. Every address that is wrong is an error. Where a password may be among them, its
// commas may have parted it: then no address is repeated, and the wrong ones are named by their numbers.
func (b *Brokers) Decode(value string) error {
	var list List
	twice := list.Decode(value)
	if len(list) == 0 {
		return errors.New("names no broker: for example kafka-1:9092,kafka-2:9092")
	}
	var faults []error
	if strings.Contains(value, "@") {
		faults = append(faults, errors.New("must hold host:port only: a user goes into KAFKA_SASL_USERNAME"))
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

// wrongBroker says what is wrong with an address.
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

// Local says whether every broker is on this machine.
func (b Brokers) Local() bool {
	for _, address := range b {
		if host, _, err := net.SplitHostPort(address); err != nil || !loopback(host) {
			return false
		}
	}
	return true
}
